//! `klatch completions`: what a shell needs to complete commands.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::{Shell, generate};

use super::Klatch;
use crate::shell::output;

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  klatch completions bash > ~/.local/share/bash-completion/completions/klatch\n  \
    klatch completions zsh > ~/.zfunc/_klatch\n  klatch completions fish > ~/.config/fish/completions/klatch.fish")]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Kind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let shell = match self.shell {
            Kind::Bash => Shell::Bash,
            Kind::Zsh => Shell::Zsh,
            Kind::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        generate(shell, &mut Klatch::command(), "klatch", &mut script);
        output::line(String::from_utf8_lossy(&script).trim_end())
    }
}
