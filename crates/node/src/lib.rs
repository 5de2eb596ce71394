//! The program: configuration, the choice of engines, the roles as a table, start and stop, and the commands of the shell. It
//! knows every crate and no rule of chat.

mod admin;
pub mod backup;
pub mod checks;
pub mod commands;
mod compaction;
pub mod config;
mod engines;
mod environment;
pub mod import;
mod lifecycle;
mod listener;
mod master_key;
pub mod operator;
mod pages;
mod roles;
pub mod shell;
mod telemetry;
mod tls;

pub use compaction::Pace;
pub use environment::{SystemClock, SystemEntropy};
pub use lifecycle::{Decorate, Node, Overrides};
pub use roles::Role;
pub use tls::Certificate;
