//! The program itself, as people start it: processes, real sockets, real files. What it prints, and how it ends.
#![expect(clippy::unwrap_used, reason = "in tests")]

mod balanced;
mod checking;
mod dead;
mod front;
mod helping;
mod moving;
mod proxied;
mod signing_in;
mod starting;
mod tailing;
mod talking;
mod tls;
mod world;
