//! What several engines share: connections, and how they are kept.

pub mod fjall;
mod fuse;
pub mod sqlite;

pub use fuse::Fuse;
