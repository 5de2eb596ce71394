//! The server that is measured: a process, seen from outside.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use klatch_client::{Error, Rest, Tokens, new_id};
use klatch_protocol::objects::{ConversationKind, Slug};
use klatch_protocol::rest::{InviteItem, NewConversation, NewInvite, SignUp};
use reqwest::Method;
use tempfile::TempDir;
use tokio::time::sleep;
use uuid::Uuid;

use crate::process::Process;

/// The owner's name.
pub const NAME: &str = "owner";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// Before another try of what was too much at once.
const REST: Duration = Duration::from_millis(50);

/// A server that runs until this is dropped.
pub struct Server {
    process: Process,
    /// Where people reach it.
    pub base: String,
    /// Somebody who owns it.
    pub owner: Rest,
    /// Its data, and what it says on standard error.
    folder: TempDir,
}

impl Server {
    /// Starts one, without limits on rates.
    pub async fn start(klatch: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (mut process, base) = start(klatch, folder.path())?;
        let claim = loop {
            if let Some((_, token)) = process.line()?.split_once("#token=") {
                break Some(token.to_owned());
            }
        };
        let owner = owner(&base, claim).await?;
        Ok(Self { process, base, owner, folder })
    }

    /// Stops it softly and starts it on the same data; how long it took until it said where it is.
    pub async fn again(self, klatch: &Path) -> anyhow::Result<(Self, Duration)> {
        let Self { process, owner, folder, .. } = self;
        process.stop()?;
        let begun = Instant::now();
        let (process, base) = start(klatch, folder.path())?;
        let took = begun.elapsed();
        let owner = Rest::new(&base, owner.tokens().await)?;
        Ok((Self { process, base, owner, folder }, took))
    }

    /// Somebody new.
    pub async fn user(&self, name: &str) -> anyhow::Result<Rest> {
        let invite: InviteItem = self.owner.write(Method::POST, "/invites", Some(&NewInvite::default())).await?;
        let rest = Rest::new(&self.base, Tokens::default())?;
        let wanted = sign_up(name, invite.token);
        loop {
            match rest.sign_up(&wanted).await {
                // So many new people from one address are let in one by one.
                Err(Error::Refused(problem)) if problem.retry_after_ms.is_some() => {
                    sleep(Duration::from_millis(problem.retry_after_ms.unwrap_or_default())).await;
                }
                answer => return answer.map(|_| rest).map_err(Into::into),
            }
        }
    }

    /// CPU that the server used so far: seconds.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        self.process.cpu()
    }

    /// Memory ten seconds after the last message, as the rules of measuring have it: resident bytes.
    pub async fn settled(&self) -> anyhow::Result<f64> {
        sleep(Duration::from_secs(10)).await;
        self.memory("VmRSS:")
    }

    /// Memory of the server by its name in `/proc`: bytes.
    pub fn memory(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a line of /proc/status")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }

    /// A figure that the server counts.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        self.process.metric(name).await
    }
}

fn start(klatch: &Path, folder: &Path) -> anyhow::Result<(Process, String)> {
    let process =
        Process::start(klatch, &["--data".as_ref(), folder.join("data").as_os_str()], &folder.join("stderr"))?;
    let base = process.base.clone().context("its address")?;
    Ok((process, base))
}

/// Whoever claims a site.
pub async fn owner(base: &str, claim: Option<String>) -> anyhow::Result<Rest> {
    let owner = Rest::new(base, Tokens::default())?;
    owner.sign_up(&sign_up(NAME, claim)).await?;
    Ok(owner)
}

/// A channel that `founder` begins, as soon as they may.
pub async fn channel(founder: &Rest, name: &str) -> anyhow::Result<Uuid> {
    let wanted = NewConversation {
        id: new_id(),
        kind: ConversationKind::Channel,
        name: name.to_owned(),
        topic: String::new(),
        history: None,
        members: Vec::new(),
        with: None,
    };
    loop {
        match founder.create(&wanted).await {
            Err(error) if error.slug() == Some(Slug::RateLimited) => sleep(REST).await,
            created => return Ok(created?.id),
        }
    }
}

fn sign_up(name: &str, invite: Option<String>) -> SignUp {
    SignUp {
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        invite,
        device: None,
        cookie: false,
    }
}
