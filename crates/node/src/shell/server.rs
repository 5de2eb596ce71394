//! Which server a command is about, and who one is there.

use std::time::Duration;

use anyhow::{Context, bail};
use klatch_client::{Rest, Tokens};

use super::credentials::{Credentials, Entry};
use super::output::NotSignedIn;

/// Between two tries to reach a server again, at first and at last.
pub const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Which server.
#[derive(clap::Args, Clone, Debug)]
pub struct Server {
    /// The server's address
    #[arg(long = "server", env = "KLATCH_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8470")]
    url: String,
}

impl Server {
    /// The address, always written in one way.
    pub fn url(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// A client that nobody is signed in with yet.
    ///
    /// # Errors
    /// The address is none.
    pub fn stranger(&self) -> anyhow::Result<Rest> {
        let address = reqwest::Url::parse(self.url()).with_context(|| format!("\"{}\" is no address", self.url))?;
        let is_near = match address.host_str() {
            Some("localhost") => true,
            Some(host) => {
                host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            None => bail!("\"{}\" names no host", self.url),
        };
        if address.scheme() != "https" && !(address.scheme() == "http" && is_near) {
            bail!("{} would send passwords and messages over the network in the clear; use https://", self.url);
        }
        Ok(Rest::new(self.url(), Tokens::default())?)
    }

    /// A client for whoever is signed in.
    ///
    /// # Errors
    /// Nobody is.
    pub fn open(&self) -> anyhow::Result<Rest> {
        let (credentials, entry) = self.entry()?;
        let rest = Rest::new(self.stranger()?.base(), entry.tokens())?;
        Ok(rest.kept(credentials.keep(self.url())))
    }

    /// Who is signed in, and where that is written.
    ///
    /// # Errors
    /// Nobody is.
    pub fn entry(&self) -> anyhow::Result<(Credentials, Entry)> {
        let credentials = credentials()?;
        let entry = credentials
            .get(self.url())
            .with_context(|| format!("{} cannot be read", credentials.path().display()))?
            .ok_or_else(|| NotSignedIn(self.url().to_owned()))?;
        Ok((credentials, entry))
    }
}

/// The user's credentials.
///
/// # Errors
/// There is no place for them.
pub fn credentials() -> anyhow::Result<Credentials> {
    Credentials::of_user().context("neither XDG_CONFIG_HOME nor HOME says where your configuration lies; set one")
}

/// Runs what a command does with a server.
///
/// # Errors
/// What it fails with.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?.block_on(work)
}
