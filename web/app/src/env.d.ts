/// <reference types="vite/client" />

/** Whether this build runs on fixtures instead of a server. */
declare const __FAKE__: boolean;
