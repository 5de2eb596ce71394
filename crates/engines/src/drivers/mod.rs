//! What several engines share: connections, and how they are kept.

pub mod fjall;
pub mod sqlite;
