//! What happened in this conversation?

pub mod fjall;
