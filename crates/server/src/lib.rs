//! The roles of a Klatch: `api`, `gateway`, `processor` and the workers. They know ports, not engines, and meet in
//! [`Services`](services::Services), in [`Conversations`](conversations::Conversations) and in the log.

pub mod accounts;
mod annotations;
pub mod api;
pub mod checking;
pub mod commanding;
pub mod conversations;
pub mod crash;
mod cursors;
pub mod environment;
pub mod gateway;
pub mod heads;
pub mod history;
pub mod inbox;
mod lanes;
pub mod mending;
pub mod moving;
pub mod partitioning;
pub mod pins;
pub mod presenting;
pub mod processor;
pub mod projection;
pub mod rebuilding;
pub mod replaying;
pub mod roster;
pub mod sealing;
pub mod services;
pub mod workers;
