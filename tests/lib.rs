//! What users see and what must never happen, through real sockets: one binary.
//!
//! - `stories`: what people do, named after it.

#[cfg(test)]
mod stories;
