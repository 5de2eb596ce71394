//! What happened anywhere, for each kind of worker?

mod bundles;
pub mod fjall;
pub mod kafka;
pub mod rabbitmq;
