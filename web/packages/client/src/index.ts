// The public face of the client library: the facade's contract and the types it speaks in.
export type * from './contract/client';
export type * from './contract/items';
export type * from './contract/states';
export type * from './protocol/commands';
export type * from './protocol/events';
export type * from './protocol/ids';
export type * from './protocol/objects';
export type * from './protocol/rest';
export type { Problem } from './protocol/problem';
export { ProblemError } from './protocol/problem';
export type { Readable } from './readable';
export type { ClientOptions } from './facade/engine';
export { createClient } from './facade/client';
export { browserPlatform } from './platform/browser';
export type { Platform } from './platform/platform';
