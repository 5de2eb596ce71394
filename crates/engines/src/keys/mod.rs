//! Engines of [`klatch_ports::keys`].

pub mod sqlite;
