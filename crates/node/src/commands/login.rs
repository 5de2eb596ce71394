//! `klatch login`: signs in, and keeps the tokens for the commands after it.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
use clap::Args;
use klatch_protocol::rest::SignIn;

use crate::shell::credentials::Entry;
use crate::shell::output;
use crate::shell::server::{Server, block_on, credentials};

/// Sign in to a server
///
/// The tokens (not the password) are kept in ~/.config/klatch/credentials.json, readable by you alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  klatch login\n  klatch login --server https://chat.example.org\n  \
    klatch login --name ada < password-file")]
pub struct Login {
    /// The name to sign in with; asked for unless given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    server: Server,
}

impl Login {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let rest = self.server.stranger()?;
        let (name, password) = ask(self.name)?;
        let device = Some(device());
        let answer = block_on(async {
            let wanted = SignIn { name, password, device, cookie: false };
            let answer = rest.sign_in(&wanted).await?;
            Ok(Entry::new(answer.user.name, rest.tokens().await))
        })?;
        let credentials = credentials()?;
        let name = answer.name.clone();
        credentials
            .set(self.server.url(), Some(answer))
            .with_context(|| format!("{} cannot be written", credentials.path().display()))?;
        output::line(&format!("Signed in at {} as @{name}.", self.server.url()))
    }
}

/// Name and password: from a terminal without showing the password, or from standard input, a line each.
fn ask(name: Option<String>) -> anyhow::Result<(String, String)> {
    if !std::io::stdin().is_terminal() {
        let mut lines = std::io::stdin().lock().lines();
        let mut next = |what| lines.next().transpose()?.with_context(|| format!("standard input holds no {what}"));
        let name = name.map_or_else(|| next("name"), Ok)?;
        return Ok((name, next("password")?));
    }
    let terminal = console::Term::stderr();
    let name = if let Some(name) = name {
        name
    } else {
        terminal.write_str("Name: ")?;
        terminal.read_line()?
    };
    terminal.write_str("Password: ")?;
    let password = terminal.read_secure_line()?;
    if name.trim().is_empty() || password.is_empty() {
        bail!("name and password are both needed");
    }
    Ok((name, password))
}

/// What this device is called in the list of sessions.
fn device() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(host) => format!("klatch on {}", host.trim()),
        Err(_) => "klatch".to_owned(),
    }
}
