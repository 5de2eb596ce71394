//! The workers: each follows the feed from where it was, at least once, and does one thing.

pub mod eraser;
mod follow;
pub mod projector;
