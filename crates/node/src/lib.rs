//! The program: configuration, the choice of engines, the roles as a table, start and stop, and the commands of the shell. It
//! knows every crate and no rule of chat.

mod admin;
mod attendance;
pub mod backup;
pub mod checks;
pub mod commands;
mod compaction;
pub mod config;
pub mod dead_letters;
pub mod doctor;
mod engines;
mod environment;
mod holding;
pub mod import;
mod lifecycle;
mod listener;
mod master_key;
pub mod moving;
pub mod operator;
mod pages;
pub mod partitions;
mod proxy_protocol;
pub mod rebuilds;
mod roles;
mod serving;
pub mod shell;
mod sockets;
mod telemetry;
mod tls;

pub use compaction::Pace;
pub use config::Role;
pub use engines::migrate;
pub use environment::{Decorate, Overrides, SystemClock, SystemEntropy};
pub use lifecycle::Node;
pub use tls::Certificate;
