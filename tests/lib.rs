//! What users see and what must never happen, through real sockets: one binary.
//!
//! - `operations`: what operators do;
//! - `stories`: what people do, named after it.

#[cfg(test)]
mod operations;
#[cfg(test)]
mod stories;
