//! The roles of a Klatch: `api`, `gateway`, `processor` and the workers. They know ports, not engines, and meet in
//! [`Services`](services::Services), in [`Conversations`](conversations::Conversations) and in the log.

pub mod environment;
pub mod services;
