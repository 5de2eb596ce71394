//! Who is this, on which devices, with which sessions?

pub mod sqlite;
