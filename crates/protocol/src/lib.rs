//! Every byte that outlives the process: what lies in the log, what goes over the gateway, and what REST says.
//!
//! - [`log`]: the versioned, compact format of events, snapshots and commands (Protocol Buffers);
//! - [`objects`]: people, conversations, events and problems as JSON, the same on the gateway and in REST;
//! - [`gateway`]: the frames of the WebSocket;
//! - [`rest`]: requests and answers under `/api/v1`.

pub mod gateway;
pub mod log;
pub mod objects;
pub mod rest;
