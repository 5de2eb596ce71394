//! What users see and what must never happen, through real sockets: one binary.
//!
//! - `operations`: what is done to a running site, and by programs that others write;
//! - `stories`: what people do, named after it.

#[cfg(test)]
mod operations;
#[cfg(test)]
mod stories;
