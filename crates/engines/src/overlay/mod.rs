//! What changed about messages?

pub mod fjall;
