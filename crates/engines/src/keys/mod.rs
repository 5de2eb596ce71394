//! The keys of authors, and the few secrets of a node.

pub mod postgres;
pub mod sqlite;
