//! Engines of [`klatch_ports::views`].

pub mod sqlite;
