//! A node as a process of its own: this very program, run again to be one.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use klatch_forgetful::Disk;
use klatch_node::config::{Config, Limits};
use klatch_node::{Decorate, Node, Overrides};
use klatch_server::accounts::{self, Rates, Work};

use super::proof::EarlyLog;

const DATA: &str = "KLATCH_TEST_DATA";
const CRASH: &str = "KLATCH_TEST_CRASH_POINT";
const EARLY: &str = "KLATCH_TEST_EARLY";

/// A node that runs as a process of its own.
pub struct NodeProcess {
    child: Child,
    /// Kept open: whoever prints into a closed pipe dies of it.
    _lines: Lines<BufReader<ChildStdout>>,
    /// Where people reach it.
    pub base: String,
    /// What makes an owner, at the first start.
    pub claim: Option<String>,
}

/// How a node shall die by itself, or be wrong on purpose.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// At this place, when it is passed for the so-manieth time.
    pub crash_point: Option<(&'static str, u64)>,
    /// Before the so-manieth operation on the disk.
    pub dies_after: Option<u64>,
    /// It acknowledges before the log has synced: the harness must notice.
    pub is_early: bool,
}

impl Fate {
    /// Whether nobody needs to kill it.
    pub fn dies_by_itself(&self) -> bool {
        self.crash_point.is_some() || self.dies_after.is_some()
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
        if let Some((name, passes)) = fate.crash_point {
            command.env(CRASH, format!("{name}:{passes}"));
        }
        if fate.is_early {
            command.env(EARLY, "yes");
        }
        let mut child = command.spawn().expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut said = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            // What runs tests may have begun the line with the name of the test.
            if let Some((_, ready)) = line.split_once("ready ") {
                let (base, claim) = ready.split_once(' ').unwrap_or((ready, ""));
                let claim = Some(claim.to_owned()).filter(|claim| !claim.is_empty());
                let base = base.to_owned();
                return Ok(Self { child, _lines: lines, base, claim });
            }
            said.push(line);
        }
        let status = child.wait().expect("it has ended");
        Err(format!("{status}: {}", said.join("\n")))
    }

    /// Kills it, as SIGKILL does, if it is not dead.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// Whether it has died by itself.
    pub fn is_dead(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_some()
    }

    /// Stops it softly.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
        self.child.wait().expect("it has ended");
    }
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
    if let Ok(point) = std::env::var(CRASH) {
        let (name, passes) = point.split_once(':').expect("NAME:PASSES");
        klatch_server::crash::arm(name, passes.parse().expect("a number"));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let many = 1_000_000_000;
        let limits = Limits {
            commands_burst: many,
            commands_per_minute: many,
            frames_burst: many,
            frames_per_minute: many,
            ..Limits::default()
        };
        let mut config = Config { data: data.into(), limits, ..Config::default() };
        config.http.listen.set_port(0);
        let overrides = Overrides {
            accounts: accounts::Options { work: Work::least(), rates: Rates::boundless() },
            decorate_log: std::env::var_os(EARLY).map(|_| EarlyLog::around as Decorate),
            ..Overrides::default()
        };
        let node = match Node::start(config, overrides, None).await {
            Ok(node) => node,
            Err(error) => return println!("it does not start: {error:#}"),
        };
        let claim = node.claim().await.expect("the directory answers");
        println!("ready http://{} {}", node.address(), claim.as_ref().map_or("", |claim| claim.expose()));
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals");
        terminate.recv().await;
        node.stop().await;
    });
}
