//! What operators do.

mod backing_up;
mod importing;
mod signing_in;
mod starting;
