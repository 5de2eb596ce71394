//! What users see and what must never happen, through real sockets: one binary.
//!
//! - `stories`: what people do, named after it;
//! - `recovery`: loss of power, on a disk that forgets.

#[cfg(test)]
mod recovery;
#[cfg(test)]
mod stories;
