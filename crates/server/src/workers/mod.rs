//! The workers: each follows the feed from where it was, at least once, and does one thing.

pub mod eraser;
mod follow;
pub mod projector;

/// By which the places of all kinds of workers in the feed are known.
pub const NAMES: [&str; 2] = [<projector::Projector as follow::Worker>::NAME, <eraser::Eraser as follow::Worker>::NAME];
