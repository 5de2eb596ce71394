//! What users see and what must never happen, through real sockets: one binary.
//!
//! - `fixtures`: what the web client's reducer replays, as the server tells it;
//! - `operations`: what is done to a running site, and by programs that others write;
//! - `recovery`: loss of power, on a disk that forgets;
//! - `stories`: what people do, named after it.

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod stories;
