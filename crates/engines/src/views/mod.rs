//! What does this person's list look like?

pub mod sqlite;
