//! What operators do.

mod importing;
