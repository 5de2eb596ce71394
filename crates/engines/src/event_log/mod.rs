//! What happened in this conversation?

pub mod cassandra;
pub mod fjall;
pub mod postgres;
