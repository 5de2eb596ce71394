//! A node as a process of its own: this very program, run again to be one.

use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use klatch_forgetful::Disk;
use klatch_node::checks::{Finding, check};
use klatch_node::config::{Config, Limits};
use klatch_node::{Decorate, Node, Overrides, Pace};
use klatch_server::accounts::{self, Rates, Work};
use klatch_testkit::PATIENCE;
use tokio::signal::unix::{SignalKind, signal};

use super::checker::Findings;
use super::proof::EarlyLog;

const DATA: &str = "KLATCH_TEST_DATA";
const CRASH: &str = "KLATCH_TEST_CRASH_POINT";
const EARLY: &str = "KLATCH_TEST_EARLY";
const COMPACTS: &str = "KLATCH_TEST_COMPACTS";

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// A node that runs as a process of its own.
pub struct NodeProcess {
    child: Child,
    /// Kept open: whoever prints into a closed pipe dies of it.
    lines: Lines<BufReader<ChildStdout>>,
    /// Where people reach it.
    pub base: String,
    /// Where its operator asks how it is.
    pub admin: String,
    /// What makes an owner, at the first start.
    pub claim: Option<String>,
}

/// How a node shall die, or be wrong on purpose.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// What ends it.
    pub end: End,
    /// It acknowledges before the log has synced: the harness must notice.
    pub is_early: bool,
    /// It compacts its log without a pause.
    pub compacts: bool,
    /// Of files whose paths end so, syncs are left out: the harness must notice.
    pub never_syncs: Option<&'static str>,
}

/// What ends a node, once people write as fast as they can.
#[derive(Clone, Copy, Debug, Default)]
pub enum End {
    /// Somebody pulls the plug.
    #[default]
    Plug,
    /// At this place of the program, when it is passed for the so-manieth time.
    Point(&'static str, u64),
    /// Before the so-manieth sync of the log's journal: the group was written, and is not durable.
    BeforeSync(u32),
    /// Before the so-manieth operation on the disk.
    Operation(u64),
}

impl End {
    /// Whether somebody who ended like this ended in this way.
    pub fn explains(self, status: ExitStatus) -> bool {
        let signal = if matches!(self, Self::Point(..)) { SIGABRT } else { SIGKILL };
        status.signal() == Some(signal)
    }
}

impl NodeProcess {
    /// Starts a node on this disk, and waits until it is ready.
    ///
    /// # Errors
    /// What it said instead.
    pub fn start(disk: &Disk, fate: &Fate) -> Result<Self, String> {
        let mut command = disk.command(std::env::current_exe().expect("this program"));
        command.args(["--exact", "recovery::child::is_a_node", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(DATA, disk.root()).stdout(Stdio::piped());
        if let End::Point(name, passes) = fate.end {
            command.env(CRASH, format!("{name}:{passes}"));
        }
        if fate.is_early {
            command.env(EARLY, "yes");
        }
        if fate.compacts {
            command.env(COMPACTS, "yes");
        }
        let mut child = command.spawn().expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut said = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            // What runs tests may have begun the line with the name of the test.
            if let Some((_, ready)) = line.split_once("ready ") {
                let mut words = ready.split(' ').map(str::to_owned);
                let (base, admin) = (words.next().expect("its address"), words.next().expect("its operator's"));
                let claim = words.next().filter(|claim| !claim.is_empty());
                return Ok(Self { child, lines, base, admin, claim });
            }
            said.push(line);
        }
        let status = child.wait().expect("it has ended");
        Err(format!("{status}: {}", said.join("\n")))
    }

    /// Lets the named place of its fate end it from now on.
    pub fn arm(&self) {
        tell(self.child.id(), "-USR1");
    }

    /// Kills it, as SIGKILL does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    /// Waits until it is dead: how, and when.
    pub async fn death(mut self) -> (ExitStatus, Instant) {
        let pid = self.child.id();
        let death = tokio::task::spawn_blocking(move || (self.child.wait().expect("it has ended"), Instant::now()));
        let Ok(death) = tokio::time::timeout(PATIENCE, death).await else {
            tell(pid, "-KILL");
            panic!("the node does not die");
        };
        death.expect("one can wait for it")
    }

    /// Stops it softly; then it compares all that it keeps with a replay, as `klatch check` does, and says what is wrong.
    pub fn stop(mut self) -> Findings {
        tell(self.child.id(), "-TERM");
        let said: Vec<_> = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().expect("it has ended");
        let found = |line: &String| line.split_once("finding ").map(|(_, finding)| finding.to_owned());
        let mut findings: Findings = said.iter().filter_map(found).collect();
        if !said.iter().any(|line| line.ends_with("checked")) {
            findings.push(format!("it did not stop as it should ({status}): {said:?}"));
        }
        findings
    }
}

fn tell(pid: u32, signal: &str) {
    std::process::Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill is there");
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // A test that fails leaves nobody behind; one that went well has ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: what runs in the processes that the tests of this folder start.
#[test]
#[ignore = "it is what the other tests start, as a process of its own"]
fn is_a_node() {
    let Ok(data) = std::env::var(DATA) else { return };
    let mut config = Config { data: data.into(), limits: boundless(), ..Config::default() };
    config.http.listen.set_port(0);
    config.http.admin_listen = Some(config.http.listen);
    let overrides = Overrides {
        accounts: accounts::Options { work: Work::least(), rates: Rates::boundless() },
        decorate_log: std::env::var_os(EARLY).map(|_| EarlyLog::around as Decorate),
        compaction: std::env::var_os(COMPACTS).map_or_else(Pace::default, |_| without_pause()),
        ..Overrides::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("signals");
        tokio::spawn(arm_when_told());
        let node = match Node::start(config.clone(), overrides.clone(), None).await {
            Ok(node) => node,
            Err(error) => return println!("it does not start: {error:#}"),
        };
        let claim = node.claim().await.expect("the directory answers");
        let admin = node.admin_address().expect("it was asked for");
        println!(
            "ready http://{} http://{admin} {}",
            node.address().expect("people reach it"),
            claim.as_ref().map_or("", |claim| claim.expose())
        );
        terminate.recv().await;
        node.stop().await;
        let tell = |Finding { kind, conversation, seq, detail }| {
            println!("finding {kind} {conversation:?} {seq:?}: {detail}");
            Ok(())
        };
        match check(&config, &overrides, tell).await {
            Ok(_) => println!("checked"),
            Err(error) => println!("finding nothing can be checked: {error:#}"),
        }
    });
}

async fn arm_when_told() {
    let mut told = signal(SignalKind::user_defined1()).expect("signals");
    told.recv().await;
    if let Ok(point) = std::env::var(CRASH) {
        let (name, passes) = point.split_once(':').expect("NAME:PASSES");
        klatch_server::crash::arm(name, passes.parse().expect("a number"));
    }
}

fn without_pause() -> Pace {
    Pace { look: Duration::from_millis(20), pause: Duration::ZERO, patience: Duration::ZERO }
}

fn boundless() -> Limits {
    let many = 1_000_000_000;
    Limits {
        commands_burst: many,
        commands_per_minute: many,
        frames_burst: many,
        frames_per_minute: many,
        ..Limits::default()
    }
}
