//! The conversation as pure functions: no async, no I/O, no clock, no serialisation.
//!
//! Three verbs hold everything that Klatch knows about chat:
//!
//! - [`decide`](conversation::decide()): what a member wants → the event that follows, or a rejection;
//! - [`apply`](conversation::Conversation::apply): an event happened; this cannot fail;
//! - [`react`](conversation::react()): the event is durable; what should the world do?

pub mod conversation;
pub mod ids;
pub mod limits;
pub mod text;
