//! Who decides next for this conversation?

pub mod kafka;
pub mod rabbitmq;
