//! One server, of one or several nodes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::guard::Guard;
use crate::net::Net;

/// Within which a node that was killed is gone.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// PostgreSQL: user `postgres`, no password.
    PostgreSql,
    /// Apache Cassandra.
    Cassandra,
    /// Apache Kafka.
    Kafka,
    /// RabbitMQ: user and password `guest`.
    RabbitMq,
    /// Redis: one node stands alone, three are a cluster.
    Redis,
    /// Valkey, likewise.
    Valkey,
}

impl Kind {
    const ALL: [Self; 6] = [Self::PostgreSql, Self::Cassandra, Self::Kafka, Self::RabbitMq, Self::Redis, Self::Valkey];

    const fn script(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql.sh",
            Self::Cassandra => "cassandra.sh",
            Self::Kafka => "kafka.sh",
            Self::RabbitMq => "rabbitmq.sh",
            Self::Redis => "redis.sh",
            Self::Valkey => "valkey.sh",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::PostgreSql => 5432,
            Self::Cassandra => 9042,
            Self::Kafka => 9092,
            Self::RabbitMq => 5672,
            Self::Redis | Self::Valkey => 6379,
        }
    }
}

/// The nodes of a server that run until this is dropped or the process ends, in whatever way.
#[derive(Debug)]
pub struct Servers {
    /// Stops the nodes and removes the folder. The first to be dropped: it needs what is in the folder.
    _guard: Guard,
    kind: Kind,
    nodes: usize,
    net: Net,
    folder: TempDir,
}

impl Servers {
    /// A server of one node that all tests of this process share.
    pub fn shared(kind: Kind) -> &'static Self {
        static SHARED: [OnceLock<Servers>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
        SHARED[kind as usize].get_or_init(|| Self::start(kind, 1))
    }

    /// Starts a server of so many nodes, and returns when all of them are ready.
    ///
    /// # Panics
    /// With what the script says, if one does not become ready.
    pub fn start(kind: Kind, nodes: usize) -> Self {
        Self::prepared(kind, nodes, |_| {})
    }

    /// The same, where `prepare` adds settings ([`Self::configure`]) and files to the nodes' folders before they start.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn prepared(kind: Kind, nodes: usize, prepare: impl FnOnce(&Self)) -> Self {
        let (net, socket) = Net::take();
        let folder = tempfile::Builder::new().prefix("klatch-").tempdir().expect("a temporary folder");
        // As root, some servers run as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its owner may say who enters");
        let environment = [("NET", OsString::from(net.prefix()))];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_os_str()));
        let guard = Guard::of(&script(kind), folder.path(), &environment, socket);
        let servers = Self { kind, nodes, net, folder, _guard: guard };
        (1..=nodes).for_each(|node| fs::create_dir(servers.folder(node)).expect("a folder"));
        prepare(&servers);
        servers.revive();
        servers
    }

    /// Where a node listens, the first being number 1: host and port.
    pub fn address(&self, node: usize) -> String {
        format!("{}.{node}:{}", self.net.prefix(), self.kind.port())
    }

    /// Where all of them listen.
    pub fn addresses(&self) -> Vec<String> {
        (1..=self.nodes).map(|node| self.address(node)).collect()
    }

    /// Where a node keeps all it has.
    pub fn folder(&self, node: usize) -> PathBuf {
        self.folder.path().join(node.to_string())
    }

    /// Starts the nodes that do not run, and returns when all are ready.
    ///
    /// # Panics
    /// With what the script says, if one does not become ready.
    pub fn revive(&self) {
        let started = Command::new(script(self.kind))
            .arg("start")
            .arg(self.folder.path())
            .arg(self.nodes.to_string())
            .env("NET", self.net.prefix())
            // Several servers start at once on a busy machine; what has died is told from what is slow all the same.
            .env("PATIENCE", "600")
            .stdin(Stdio::null())
            .output()
            .expect("the scripts in deploy/local can be run");
        let said = [started.stdout, started.stderr].concat();
        assert!(started.status.success(), "{:?} did not start: {}", self.kind, String::from_utf8_lossy(&said));
    }

    /// Adds settings to a node's configuration, which every server has line by line in one file. They hold from its next start.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn configure(&self, node: usize, settings: &str) {
        let mut file =
            File::options().create(true).append(true).open(self.folder(node).join("settings")).expect("a file");
        writeln!(file, "{settings}").expect("it can be written");
    }

    /// Stops all nodes in order; their data stay.
    ///
    /// # Panics
    /// If the script cannot be run.
    pub fn stop(&self) {
        let mut stop = Command::new(script(self.kind));
        let stopped = stop.arg("stop").arg(self.folder.path()).stdin(Stdio::null()).status();
        assert!(stopped.expect("the scripts in deploy/local can be run").success(), "{:?} did not stop", self.kind);
    }

    /// Kills a node as `kill -9` does, and returns when it is gone: one that is about to go would not be started again.
    ///
    /// # Panics
    /// If it stays.
    pub fn kill(&self, node: usize) {
        let pid = self.signal(node, Signal::KILL);
        let deadline = Instant::now() + GONE_WITHIN;
        // Unreadable from when it has given back its memory, by which the scripts tell as well.
        while fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero())).is_ok() {
            assert!(Instant::now() < deadline, "{:?} was killed, and is still there", self.kind);
            sleep(Duration::from_millis(1));
        }
    }

    /// Stops a node in the middle of whatever it does, as SIGSTOP does.
    pub fn pause(&self, node: usize) {
        self.signal(node, Signal::STOP);
    }

    /// Lets a node go on that was paused.
    pub fn resume(&self, node: usize) {
        self.signal(node, Signal::CONT);
    }

    fn signal(&self, node: usize, signal: Signal) -> Pid {
        let pid = fs::read_to_string(self.folder(node).join("pid")).expect("the node was started");
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the node runs");
        pid
    }
}

fn script(kind: Kind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local").join(kind.script())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn ask(servers: &Servers, question: &str) -> String {
        let mut stream = TcpStream::connect(servers.address(1)).expect("it listens");
        writeln!(stream, "{question}\r\nquit\r").expect("it hears");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers and closes");
        answer
    }

    #[test]
    fn a_server_comes_back_with_its_data_and_leaves_nothing_behind() {
        let (one, other) = (Servers::start(Kind::Redis, 1), Servers::start(Kind::Redis, 1));
        assert_ne!(one.address(1), other.address(1));
        assert!(ask(&one, "set name Klatch").starts_with("+OK"));
        one.stop();
        assert!(TcpStream::connect(one.address(1)).is_err());
        one.revive();
        assert!(ask(&one, "get name").contains("Klatch"));
        one.kill(1);
        one.revive();
        assert!(ask(&one, "ping").starts_with("+PONG"));
        assert!(ask(&other, "get name").starts_with("$-1"), "each has its own data");

        let (address, folder) = (one.address(1), one.folder.path().to_owned());
        drop(one);
        assert!(TcpStream::connect(address).is_err());
        assert!(!folder.exists());
    }
}
