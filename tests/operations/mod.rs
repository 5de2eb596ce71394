//! What operators do.

mod backing_up;
mod importing;
mod starting;
