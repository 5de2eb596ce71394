//! The commands of the shell, one file each.

mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Klatch: real-time chat that people and companies run themselves.
///
/// `klatch run` starts a whole chat service in one process, with nothing else installed, on http://127.0.0.1:8470.
#[derive(Parser, Debug)]
#[command(name = "klatch", version, max_term_width = 110)]
struct Klatch {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::Run),
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let done = match Klatch::parse().command {
        Command::Run(run) => run.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klatch: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The configuration file, where one is named.
#[derive(clap::Args, Debug)]
struct ConfigFile {
    /// A configuration file (TOML); see api/config.example.toml
    #[arg(long, env = "KLATCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}
