//! What happened anywhere, for each kind of worker?

pub mod fjall;
