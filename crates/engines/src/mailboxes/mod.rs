//! What is to be told to one device?

pub mod cassandra;
pub mod postgres;
pub mod sqlite;
