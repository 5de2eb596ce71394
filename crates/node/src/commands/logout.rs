//! `klatch logout`: ends the session and forgets the tokens.

use clap::Args;
use klatch_client::Error;
use reqwest::Method;

use crate::shell::output;
use crate::shell::server::{Server, block_on};

/// Sign out of a server
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  klatch logout --server https://chat.example.org")]
pub struct Logout {
    #[command(flatten)]
    server: Server,
}

impl Logout {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (credentials, _) = self.server.entry()?;
        let rest = self.server.open()?;
        let ended =
            block_on(async { Ok(rest.write::<(), Option<()>>(Method::DELETE, "/sessions/current", None).await) })?;
        // Forgotten in any case: whoever signs out here wants to be signed out here.
        credentials.set(self.server.url(), None)?;
        match ended {
            Ok(_) | Err(Error::Refused(_)) => output::line(&format!("Signed out of {}.", self.server.url())),
            Err(error) => {
                let error = anyhow::Error::from(error);
                Err(error.context("the tokens were forgotten here, but the session was not ended at the server"))
            }
        }
    }
}
