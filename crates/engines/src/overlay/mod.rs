//! What changed about messages?

pub mod cassandra;
pub mod fjall;
pub mod postgres;
