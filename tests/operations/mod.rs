//! What is done to a running site, by those who operate it and by programs that others write.

mod accepting;
mod backing_up;
mod doctoring;
mod erasing;
mod example_client;
mod importing;
mod migrating;
mod signing_in;
mod starting;
mod stopping;
