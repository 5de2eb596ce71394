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
mod engines;
mod environment;
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
pub use engines::{doctor, migrate};
pub use environment::{SystemClock, SystemEntropy};
pub use lifecycle::{Decorate, Node, Overrides};
pub use roles::Role;
pub use tls::Certificate;
