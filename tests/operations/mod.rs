//! What is done to a running site, by those who operate it and by programs that others write.

mod backing_up;
mod erasing;
mod example_client;
mod importing;
mod signing_in;
mod starting;
