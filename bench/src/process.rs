//! A process of Klatch, seen from outside.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal};

/// Clock ticks a second in `/proc`: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process, ended when this is dropped.
pub struct Process {
    child: Child,
    /// Kept open: whoever prints into a closed pipe dies of it.
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
    /// Where people reach it, if they do.
    pub base: Option<String>,
    admin: String,
}

impl Process {
    /// Starts one without limits on rates, on ports that are free, and waits until it says that it is ready. What it says on standard error
    /// is added to `log`.
    pub fn start(klatch: &Path, arguments: &[&OsStr], log: &Path) -> anyhow::Result<Self> {
        let many = "1000000";
        let mut child = Command::new(klatch)
            .args(["run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(arguments)
            .env("KLATCH_HTTP__PEER_LISTEN", "127.0.0.1:0")
            .env("KLATCH_LIMITS__COMMANDS_BURST", many)
            .env("KLATCH_LIMITS__COMMANDS_PER_MINUTE", many)
            .env("KLATCH_LIMITS__FRAMES_BURST", many)
            .env("KLATCH_LIMITS__FRAMES_PER_MINUTE", many)
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log)?)
            .spawn()
            .with_context(|| format!("{} does not start; build it first", klatch.display()))?;
        let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut this = Self { child, lines, log: log.to_owned(), base: None, admin: String::new() };
        loop {
            let line = this.line()?;
            if let Some(url) = line.strip_prefix("Klatch is ready: ") {
                this.base = Some(url.to_owned());
            } else if let Some(urls) = line.strip_prefix("Health and metrics: ") {
                urls.split("/readyz").next().context("its admin address")?.clone_into(&mut this.admin);
                return Ok(this);
            }
        }
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> anyhow::Result<String> {
        match self.lines.next() {
            Some(line) => Ok(line?),
            None => anyhow::bail!("it ended before it was ready: {}", std::fs::read_to_string(&self.log)?),
        }
    }

    /// Its number in `/proc`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU that it used so far: seconds.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        let fields: Vec<_> = stat.rsplit_once(") ").context("a line of /proc/stat")?.1.split(' ').collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// A figure that it counts, with its labels as they are printed; nothing counted is 0.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = reqwest::get(format!("{}/metrics", self.admin)).await?.text().await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.map_or(Ok(0.0), str::parse)?)
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
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
