// The public face of the client library: the facade's contract and the types it speaks in.
export {};
