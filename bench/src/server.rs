//! The server that is measured: a process, seen from outside.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use klatch_client::{Error, Rest, Tokens, new_id};
use klatch_protocol::objects::ConversationKind;
use klatch_protocol::rest::{InviteItem, NewConversation, NewInvite, SignUp};
use reqwest::Method;
use tempfile::TempDir;
use uuid::Uuid;

/// Clock ticks a second in `/proc`: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A server that runs until this is dropped.
pub struct Server {
    child: Child,
    /// Where people reach it.
    pub base: String,
    admin: String,
    /// Somebody who owns it.
    pub owner: Rest,
    http: reqwest::Client,
    _data: TempDir,
}

impl Server {
    /// Starts one, without limits on rates.
    pub async fn start(klatch: &Path) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let many = "1000000";
        let mut child = Command::new(klatch)
            .args(["run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env("KLATCH_LIMITS__COMMANDS_BURST", many)
            .env("KLATCH_LIMITS__COMMANDS_PER_MINUTE", many)
            .env("KLATCH_LIMITS__FRAMES_BURST", many)
            .env("KLATCH_LIMITS__FRAMES_PER_MINUTE", many)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} does not start; build it first", klatch.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let (mut base, mut admin, mut claim) = (None, None, None);
        while claim.is_none() {
            let line = lines.next().context("it ended before it was ready")??;
            if let Some(url) = line.strip_prefix("Klatch is ready: ") {
                base = Some(url.to_owned());
            } else if let Some(urls) = line.strip_prefix("Health and metrics: ") {
                admin = urls.split("/readyz").next().map(str::to_owned);
            } else if let Some((_, token)) = line.split_once("#token=") {
                claim = Some(token.to_owned());
            }
        }
        let base = base.context("its address")?;
        let owner = Rest::new(&base, Tokens::default())?;
        owner.sign_up(&sign_up("owner", claim)).await?;
        let admin = admin.context("its admin address")?;
        Ok(Self { child, base, admin, owner, http: reqwest::Client::new(), _data: data })
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
                    tokio::time::sleep(Duration::from_millis(problem.retry_after_ms.unwrap_or_default())).await;
                }
                answer => return answer.map(|_| rest).map_err(Into::into),
            }
        }
    }

    /// CPU that the server used so far: seconds.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<_> = stat.rsplit_once(") ").context("a line of /proc/stat")?.1.split(' ').collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Memory of the server: resident bytes.
    pub fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }

    /// A figure that the server counts.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.http.get(format!("{}/metrics", self.admin)).send().await?.text().await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.map_or(Ok(0.0), str::parse)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is done with, whatever it is at.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A channel that `founder` begins.
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
    Ok(founder.create(&wanted).await?.id)
}

fn sign_up(name: &str, invite: Option<String>) -> SignUp {
    SignUp {
        name: name.to_owned(),
        password: "correct horse battery".to_owned(),
        display_name: None,
        invite,
        device: None,
        cookie: false,
    }
}
