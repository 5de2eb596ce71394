//! The commands of the shell, one file each.

mod backup;
mod check;
mod completions;
mod conversations;
mod dead_letters;
mod doctor;
pub mod import;
mod login;
mod logout;
mod migrate;
mod move_to;
mod partitions;
mod rebuild;
mod restore;
mod run;
mod send;
mod tail;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Config};
use crate::shell::output;

/// Klatch: real-time chat that people and companies run themselves.
///
/// `klatch run` starts a whole chat service in one process, with nothing else installed, on http://127.0.0.1:8470.
#[derive(Parser, Debug)]
#[command(name = "klatch", version, max_term_width = 110, after_help = output::BELOW_HELP)]
struct Klatch {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::Run),
    Login(login::Login),
    Logout(logout::Logout),
    Send(send::Send),
    Tail(tail::Tail),
    Conversations(conversations::Conversations),
    Users(users::Users),
    Import(import::Import),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Check(check::Check),
    Rebuild(rebuild::Rebuild),
    Migrate(migrate::Migrate),
    Move(move_to::Move),
    Doctor(doctor::Doctor),
    DeadLetters(dead_letters::DeadLetters),
    Partitions(partitions::Partitions),
    Completions(completions::Completions),
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let done = match Klatch::parse().command {
        Command::Run(run) => run.run(),
        Command::Login(login) => login.run(),
        Command::Logout(logout) => logout.run(),
        Command::Send(send) => send.run(),
        Command::Tail(tail) => tail.run(),
        Command::Conversations(conversations) => conversations.run(),
        Command::Users(users) => users.run(),
        Command::Import(import) => import.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Check(check) => check.run(),
        Command::Rebuild(rebuild) => rebuild.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Move(move_to) => move_to.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::DeadLetters(dead_letters) => dead_letters.run(),
        Command::Partitions(partitions) => partitions.run(),
        Command::Completions(completions) => completions.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::end(&error),
    }
}

/// The configuration file, where one is named.
#[derive(clap::Args, Debug)]
struct ConfigFile {
    /// A configuration file (TOML); see api/config.example.toml
    #[arg(long, env = "KLATCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Whose data a command of an operator is about.
#[derive(clap::Args, Debug)]
struct DataDirectory {
    #[command(flatten)]
    file: ConfigFile,
    /// The node's data directory [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataDirectory {
    /// The configuration that the node has.
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = config::load(self.file.config.as_deref(), std::env::vars())?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        Ok(config)
    }
}
