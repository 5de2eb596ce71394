//! The processes of a cluster, and how they die.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use klatch_backing::{Guard, Net};
use klatch_engines::drivers::postgres::Database;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::links::{self, LINKS, PROCESSES, Way, known_as, past_links};

/// What stands in the environment of a cluster unless told otherwise.
pub const STACK: &str = "rabbitmq-postgresql";
/// In the folder of a process: where it is to die.
const CRASH: &str = "crash";
/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(20);
/// Within which a process that was armed has died: it may have to take its share from another one first.
const DIES_WITHIN: Duration = Duration::from_secs(45);
/// Within which the balancer sends somebody to a process that is back: it looks each second (`deploy/haproxy/haproxy.cfg`), and waits three for
/// an answer.
const SENT_TO_WITHIN: Duration = Duration::from_secs(15);

/// A cluster, which ends when this is dropped or the test's process ends.
pub struct Site {
    /// The first to be dropped: it needs what is in the folder.
    _guard: Guard,
    folder: TempDir,
    net: Net,
    stack: String,
    /// The server of which there are three nodes, if any.
    three: &'static str,
    /// The links between its parts, if it was started with links.
    pub ways: Vec<Way>,
    /// What makes the first owner.
    pub claim: String,
    /// The database in which processes find the views that start from now on.
    pub views: &'static str,
}

impl Site {
    /// A new site, of which all processes run.
    pub async fn start() -> Self {
        Self::with(false, "").await
    }

    /// A new site, where this server is three.
    pub async fn of_three(server: &'static str) -> Self {
        Self::with(false, server).await
    }

    /// A new site, between the parts of which there are links.
    pub async fn linked() -> Self {
        Self::with(true, "").await
    }

    async fn with(has_links: bool, three: &'static str) -> Self {
        let stack = stack();
        let (net, socket) = Net::take();
        let folder = tempfile::Builder::new().prefix("klatch-").tempdir().unwrap();
        // As root, some servers run as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let prefix = net.prefix();
        let environment = [("NET", prefix.as_ref()), ("CLUSTER", folder.path().as_os_str())];
        let guard = Guard::of(&script(), folder.path(), &environment, socket);
        let ways = if has_links { links::all(&prefix, &stack).await } else { Vec::new() };
        let mut site = Self { folder, net, stack, three, ways, claim: String::new(), views: "klatch", _guard: guard };
        let said = site.revive().await;
        let (_, link) = said.split_once("/claim#token=").expect("an owner is wanted");
        site.claim = link.lines().next().unwrap().trim().to_owned();
        site
    }

    /// Where people reach it, through the balancer.
    pub fn base(&self) -> String {
        format!("http://{}.20:8470", self.net.prefix())
    }

    /// The address of this number: `deploy/local/cluster.sh` says whose it is.
    pub fn address(&self, number: u8) -> String {
        format!("{}.{number}", self.net.prefix())
    }

    /// What it stands on.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The servers, each as [`Site::kill`] knows it, and the balancer.
    pub fn servers(&self) -> Vec<String> {
        let mut servers = vec!["redis/1", "postgresql/1", "haproxy/1"];
        servers.extend(["kafka", "cassandra", "rabbitmq"].iter().filter_map(|name| {
            self.folder.path().join(name).exists().then_some(match *name {
                "kafka" => "kafka/1",
                "cassandra" => "cassandra/1",
                _ => "rabbitmq/1",
            })
        }));
        servers.into_iter().map(ToOwned::to_owned).collect()
    }

    /// Whatever Klatch's processes say to servers goes over links.
    pub fn has_only_links(&self) {
        for (process, _) in PROCESSES {
            let past = past_links(&self.net.prefix(), self.pid(&format!("klatch/{process}")));
            assert!(past.is_empty(), "{process} is connected to servers at {past:?}, past its links");
        }
    }

    /// Kills a process as `kill -9` does: `klatch/front1`, `redis/1`, …; returns when it is gone.
    pub fn kill(&self, process: &str) {
        self.signal(process, Signal::KILL);
        while self.runs(process) {
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until nothing is left of a process that was killed, none of its children either.
    pub async fn is_over(&self, process: &str) {
        let file = fs::File::open(self.folder.path().join(process).join("pid")).unwrap();
        let over = async {
            while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                sleep(LOOK).await;
            }
        };
        timeout(DIES_WITHIN, over).await.unwrap_or_else(|_| panic!("children of {process} go on"));
    }

    /// Stops a process in the middle of whatever it does, as SIGSTOP does.
    pub fn pause(&self, process: &str) {
        self.signal(process, Signal::STOP);
    }

    /// Lets a process go on that was paused.
    pub fn wake(&self, process: &str) {
        self.signal(process, Signal::CONT);
    }

    /// Tells a process to stop, waits until it has, and starts it again, as an operator does for an upgrade: one that people reach is back
    /// when the balancer has sent it somebody. Until then the other one is all there is, and may not be told to stop.
    pub async fn restart(&self, process: &str) {
        self.signal(process, Signal::TERM);
        while self.runs(process) {
            sleep(LOOK).await;
        }
        self.revive().await;
        if process.starts_with("klatch/front") {
            let has_visitors = async {
                while !self.metrics(process).await.contains("klatch_http_requests_total{") {
                    sleep(LOOK).await;
                }
            };
            timeout(SENT_TO_WITHIN, has_visitors).await.unwrap_or_else(|_| panic!("{process} is sent nobody"));
        }
    }

    /// What one of Klatch's processes has counted since it began, as Prometheus reads it.
    pub async fn metrics(&self, process: &str) -> String {
        let (_, number) = PROCESSES.iter().find(|(name, _)| process.ends_with(name)).unwrap();
        let url = format!("http://{}:9470/metrics", self.address(*number));
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    /// Lets one of Klatch's processes die the `passes`-th time that it comes by this place (`crates/server/src/crash.rs`).
    pub fn arm(&self, process: &str, place: &str, passes: u64) {
        let file = self.folder.path().join(process).join(CRASH);
        let written = file.with_extension("written");
        fs::write(&written, format!("{place}:{passes}")).unwrap();
        fs::rename(written, file).unwrap();
    }

    /// Waits until a process has died that was armed, and looks whether it did there, and not otherwise. It may start again.
    pub async fn has_crashed(&self, process: &str, place: &str) {
        let dies = async {
            while self.runs(process) {
                sleep(LOOK).await;
            }
        };
        timeout(DIES_WITHIN, dies).await.unwrap_or_else(|_| panic!("{process} does not come by {place}"));
        let folder = self.folder.path().join(process);
        let log = fs::read_to_string(folder.join("log")).unwrap();
        let said = format!("crash point {place}");
        assert!(log.lines().any(|line| line == said), "{process} ended otherwise: {log}");
        fs::remove_file(folder.join(CRASH)).unwrap();
    }

    /// Whether a process runs: as long as it does, it has a program.
    fn runs(&self, process: &str) -> bool {
        fs::read_link(format!("/proc/{}/exe", self.pid(process))).is_ok()
    }

    fn pid(&self, process: &str) -> i32 {
        fs::read_to_string(self.folder.path().join(process).join("pid")).unwrap().trim().parse().unwrap()
    }

    fn signal(&self, process: &str, signal: Signal) {
        kill_process(Pid::from_raw(self.pid(process)).unwrap(), signal).unwrap();
    }

    /// What `klatch check` finds, as an operator runs it beside the cluster: each finding, and a summary.
    pub async fn check(&self) -> (Vec<Value>, Value) {
        let done = self.operator(&self.config(), &["check", "--json"]).output().await.unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let mut lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&done.stderr)));
        assert_eq!(done.status.code(), Some(i32::from(!lines.is_empty())), "{lines:#?}");
        (lines, summary)
    }

    /// The configuration of its processes, with the views in another database.
    pub fn with_views_in(&self, database: &str) -> PathBuf {
        let views = |line: &str| {
            line.starts_with("views = ")
                .then(|| format!("views = \"postgres://postgres@{}/{database}\"", self.address(1)))
        };
        self.adjusted(&format!("views-in-{database}"), views)
    }

    /// The configuration that its processes have, but for where they listen; and an operator's calls may take as long as they need.
    pub fn config(&self) -> PathBuf {
        self.adjusted("patient", |_| None)
    }

    /// The configuration of operators and of its processes, where lines may be others.
    fn adjusted(&self, name: &str, adjust: impl Fn(&str) -> Option<String>) -> PathBuf {
        let folder = self.folder.path().join("klatch");
        let config = fs::read_to_string(folder.join("klatch.toml")).unwrap();
        let line = |line: &str| {
            let line = adjust(line).unwrap_or_else(|| line.to_owned());
            match line
                .strip_suffix('"')
                .filter(|line| line.contains("://") && !line.contains("redis") && !line.contains("http"))
            {
                Some(address) => {
                    format!("{address}{}timeout_ms=60000\"\n", if address.contains('?') { '&' } else { '?' })
                }
                None => format!("{line}\n"),
            }
        };
        let file = folder.join(format!("{name}.toml"));
        // A command that starts just now reads the whole of it, not what is there in the midst of writing.
        let mut written = NamedTempFile::new_in(&folder).unwrap();
        written.write_all(config.lines().map(line).collect::<String>().as_bytes()).unwrap();
        written.persist(&file).unwrap();
        file
    }

    /// A command of an operator beside the cluster, who has its master key.
    pub fn operator(&self, config: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_klatch"));
        command.args(words).arg("--config").arg(config).arg("--data").arg(self.folder.path().join("klatch/data"));
        command.kill_on_drop(true);
        command
    }

    /// The database of this name.
    pub fn database(&self, name: &str) -> Database {
        // Longer than anything that is waited for in a test.
        let place = format!("postgres://postgres@{}/{name}?timeout_ms=60000", self.address(1));
        Database::at(place.parse().unwrap()).unwrap()
    }

    /// Starts whatever does not run, and returns what the script said when all of it is ready.
    pub async fn revive(&self) -> String {
        let mut start = Command::new(script());
        start.args(["start", &self.stack]).env("CLUSTER", self.folder.path()).env("NET", self.net.prefix());
        start
            .env("THREE", self.three)
            // Whatever fails to start ends, and is told at once.
            .env("PATIENCE", "600")
            .env("VIEWS", self.views)
            // Each process looks in its own folder, in which it runs.
            .env("KLATCH_CRASH_FILE", CRASH)
            .env("KLATCH", env!("CARGO_BIN_EXE_klatch"))
            .env("LISTEN", self.base().trim_start_matches("http://"));
        if !self.ways.is_empty() {
            start.env("LINKS", LINKS.to_string()).env("KNOWN_AS", known_as(&self.net.prefix()));
        }
        let done = start.stdin(Stdio::null()).output().await.unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(done.status.success(), "{}{}", said(&done.stdout), said(&done.stderr));
        said(&done.stdout)
    }
}

/// What the environment says that sites stand on.
pub fn stack() -> String {
    std::env::var("KLATCH_STACK").unwrap_or_else(|_| STACK.to_owned())
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/cluster.sh")
}
