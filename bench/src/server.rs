//! The server that is measured: a process, seen from outside.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use klatch_client::{Error, Rest, Tokens, new_id};
use klatch_protocol::objects::ConversationKind;
use klatch_protocol::rest::{InviteItem, NewConversation, NewInvite, SignUp};
use reqwest::Method;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use uuid::Uuid;

/// Clock ticks a second in `/proc`: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The owner's name.
pub const NAME: &str = "owner";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// A server that runs until this is dropped.
pub struct Server {
    process: Process,
    /// Where people reach it.
    pub base: String,
    admin: String,
    /// Somebody who owns it.
    pub owner: Rest,
    http: reqwest::Client,
    /// Its data, and what it says on standard error.
    folder: TempDir,
}

/// A server's process: ended when this is dropped.
struct Process {
    child: Child,
    /// Kept open: whoever prints into a closed pipe dies of it.
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Server {
    /// Starts one, without limits on rates.
    pub async fn start(klatch: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut process = Process::start(klatch, folder.path())?;
        let (base, admin) = process.addresses()?;
        let claim = loop {
            if let Some((_, token)) = process.line()?.split_once("#token=") {
                break Some(token.to_owned());
            }
        };
        let owner = Rest::new(&base, Tokens::default())?;
        owner.sign_up(&sign_up(NAME, claim)).await?;
        Ok(Self { process, base, admin, owner, http: reqwest::Client::new(), folder })
    }

    /// Stops it softly and starts it on the same data; how long it took until it said where it is.
    pub async fn again(self, klatch: &Path) -> anyhow::Result<(Self, Duration)> {
        let Self { process, owner, http, folder, .. } = self;
        process.stop()?;
        let begun = Instant::now();
        let mut process = Process::start(klatch, folder.path())?;
        let (base, admin) = process.addresses()?;
        let took = begun.elapsed();
        let owner = Rest::new(&base, owner.tokens().await)?;
        Ok((Self { process, base, admin, owner, http, folder }, took))
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
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.child.id()))?;
        let fields: Vec<_> = stat.rsplit_once(") ").context("a line of /proc/stat")?.1.split(' ').collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Memory ten seconds after the last message, as the rules of measuring have it: resident bytes.
    pub async fn settled(&self) -> anyhow::Result<f64> {
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.memory("VmRSS:")
    }

    /// Memory of the server by its name in `/proc`: bytes.
    pub fn memory(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a line of /proc/status")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }

    /// A figure that the server counts.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.http.get(format!("{}/metrics", self.admin)).send().await?.text().await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.map_or(Ok(0.0), str::parse)?)
    }
}

impl Process {
    fn start(klatch: &Path, folder: &Path) -> anyhow::Result<Self> {
        let many = "1000000";
        let log = folder.join("stderr");
        let mut child = Command::new(klatch)
            .args(["run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .env("KLATCH_LIMITS__COMMANDS_BURST", many)
            .env("KLATCH_LIMITS__COMMANDS_PER_MINUTE", many)
            .env("KLATCH_LIMITS__FRAMES_BURST", many)
            .env("KLATCH_LIMITS__FRAMES_PER_MINUTE", many)
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .spawn()
            .with_context(|| format!("{} does not start; build it first", klatch.display()))?;
        let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        Ok(Self { child, lines, log })
    }

    /// The next line that it prints.
    fn line(&mut self) -> anyhow::Result<String> {
        match self.lines.next() {
            Some(line) => Ok(line?),
            None => anyhow::bail!("it ended before it was ready: {}", std::fs::read_to_string(&self.log)?),
        }
    }

    /// The addresses of the site and of health and metrics, as it says them when it is ready.
    fn addresses(&mut self) -> anyhow::Result<(String, String)> {
        let mut base = None;
        loop {
            let line = self.line()?;
            if let Some(url) = line.strip_prefix("Klatch is ready: ") {
                base = Some(url.to_owned());
            } else if let Some(urls) = line.strip_prefix("Health and metrics: ") {
                let admin = urls.split("/readyz").next().context("its admin address")?.to_owned();
                return Ok((base.context("its address")?, admin));
            }
        }
    }

    /// Tells it to stop, and waits until it has.
    fn stop(mut self) -> anyhow::Result<()> {
        rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
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
        password: PASSWORD.to_owned(),
        display_name: None,
        invite,
        device: None,
        cookie: false,
    }
}
