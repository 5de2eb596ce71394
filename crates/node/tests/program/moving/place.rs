//! Empty databases and queues to move to, and whoever moves.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use klatch_backing::{Kind, Servers};
use klatch_engines::drivers::postgres::{Database, step};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{Ended, PATIENCE, Server, ended, klatch};

/// Chooses the servers: the name of a stack, as for the stories.
const CHOICE: &str = "KLATCH_STACK";

/// How long an answer of a server is waited for: a busy machine is no outage.
const TIMEOUT: &str = "timeout_ms=10000";

/// Partitions of the queue.
pub const PARTITIONS: usize = 2;

/// A place that nothing is at.
pub struct Place {
    dir: TempDir,
    /// The database server, where nobody else uses it.
    sql: Option<Arc<Servers>>,
}

/// One after the other, beside the runtime: each takes seconds to be ready.
async fn shared(kind: Kind) -> String {
    tokio::task::spawn_blocking(move || Servers::shared(kind).address(1)).await.unwrap()
}

impl Place {
    /// RabbitMQ, PostgreSQL and Redis, or what the environment asks for.
    pub async fn make() -> Self {
        Self::with(shared(Kind::PostgreSql).await, None).await
    }

    /// The same, but with a database server that may die.
    pub async fn mortal() -> Self {
        let sql = tokio::task::spawn_blocking(|| Servers::start(Kind::PostgreSql, 1)).await.unwrap();
        Self::with(sql.address(1), Some(Arc::new(sql))).await
    }

    async fn with(sql: String, own: Option<Arc<Servers>>) -> Self {
        let redis = shared(Kind::Redis).await;
        let name = format!("test_{}", Uuid::now_v7().simple());
        let all = Database::at(format!("postgres://postgres@{sql}/postgres?pool=1").parse().unwrap()).unwrap();
        for database in [name.clone(), format!("{name}_keys")] {
            all.query(&format!("CREATE DATABASE {database}"), &[]).await.unwrap();
        }
        let stack = std::env::var(CHOICE).unwrap_or_default();
        let queue = match stack.starts_with("kafka") {
            true => format!("kafka://{}/{name}?{TIMEOUT}", shared(Kind::Kafka).await),
            false => format!("amqp://guest:guest@{}?prefix={name}&{TIMEOUT}", shared(Kind::RabbitMq).await),
        };
        let place = Self { dir: tempfile::tempdir().unwrap(), sql: own };
        let data = place.dir.path().join("cluster");
        let relational = |database: &str, pool| format!("postgres://postgres@{sql}/{database}?pool={pool}&{TIMEOUT}");
        let (views, keys) = (relational(&name, 8), relational(&format!("{name}_keys"), 2));
        let event_log = match stack.contains("cassandra") {
            true => format!("cassandra://{}/{name}?replication=1&{TIMEOUT}", shared(Kind::Cassandra).await),
            false => views.clone(),
        };
        place.write(
            "cluster.toml",
            &format!(
                "data = \"{}\"\n[limits]\npartitions = {PARTITIONS}\n[http]\nlisten = \"127.0.0.1:0\"\n[engines]\n\
                 event_log = \"{event_log}\"\nviews = \"{views}\"\ndirectory = \"{views}\"\nkeys = \"{keys}\"\n\
                 queue = \"{queue}\"\nlive = \"redis://{redis}?prefix={name}\"\npresence = \"redis://{redis}?prefix={name}\"\n",
                data.display(),
            ),
        );
        place
    }

    /// The configuration of a node with embedded engines, which has no data yet.
    pub fn laptop(&self) -> String {
        self.write("laptop.toml", &format!("data = \"{}\"\n", self.laptop_data()))
    }

    /// Where that has its data.
    pub fn laptop_data(&self) -> String {
        path(&self.dir.path().join("laptop"))
    }

    /// Whoever copies accounts to it waits from now on, until its database server dies.
    pub async fn holds_accounts(&self) {
        // Longer than anything that is waited for in a test.
        let place = self.engine("directory").replace(TIMEOUT, "timeout_ms=120000");
        let database = Database::at(place.parse().unwrap()).unwrap();
        let (tell, told) = oneshot::channel();
        let tell = Arc::new(Mutex::new(Some(tell)));
        tokio::spawn(async move {
            let job = database.locking(|transaction| {
                let tell = tell.clone();
                Box::pin(async move {
                    step(transaction, "LOCK TABLE directory.accounts IN ACCESS EXCLUSIVE MODE", &[]).await?;
                    if let Some(tell) = tell.lock().unwrap().take() {
                        tell.send(()).unwrap();
                    }
                    std::future::pending::<()>().await;
                    Ok(())
                })
            });
            // It ends with its server.
            let _ = job.await;
        });
        told.await.expect("accounts have a table");
    }

    /// The processes that have not said that they stopped, by their names.
    pub async fn attending(&self) -> Vec<String> {
        let database = Database::at(self.engine("directory").parse().unwrap()).unwrap();
        let rows = database.query("SELECT process FROM directory.attending", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Its database server is killed.
    pub fn dies(&self) {
        self.sql.as_ref().expect("it is mortal").kill(1);
    }

    /// And it starts again.
    pub async fn comes_back(&self) {
        let sql = self.sql.clone().expect("it is mortal");
        tokio::task::spawn_blocking(move || sql.revive()).await.unwrap();
    }

    /// Another file beside the configuration.
    pub fn write(&self, name: &str, text: &str) -> String {
        let file = self.dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        path(&file)
    }

    /// The configuration of a process there.
    pub fn file(&self) -> String {
        path(&self.dir.path().join("cluster.toml"))
    }

    /// The address of an engine there.
    pub fn engine(&self, port: &str) -> String {
        let text = std::fs::read_to_string(self.file()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(port)?.strip_prefix(" = ")).expect("it is chosen");
        line.trim_matches('"').to_owned()
    }

    /// A process of the cluster, with all roles.
    pub async fn start(&self) -> Server {
        Server::start(&["--config", &self.file()]).await
    }
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What lets a process die just at a named place (`crates/server/src/crash.rs`).
pub struct Doom(TempDir);

impl Doom {
    /// Nobody dies yet.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The program, which has its doom.
    pub fn command(&self) -> Command {
        let mut command = klatch();
        command.env("KLATCH_CRASH_FILE", self.file());
        command
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("doom")
    }

    /// Whoever has it dies when it comes by there.
    pub fn comes_at(&self, point: &str) {
        // In one step: it may be read at any time.
        let written = self.0.path().join("written");
        std::fs::write(&written, format!("{point}:1")).unwrap();
        std::fs::rename(written, self.file()).unwrap();
    }

    /// Whoever is started next does not.
    pub fn is_over(&self) {
        std::fs::remove_file(self.file()).unwrap();
    }
}

/// `klatch move`.
pub struct Mover {
    child: Child,
    says: Lines<BufReader<ChildStderr>>,
    said: String,
}

impl Mover {
    /// From a node.
    pub fn begin(data: &str, to: &Place) -> Self {
        Self::with(&["--data", data, "--to", &to.file()])
    }

    /// From a cluster to a node.
    pub fn back(from: &Place, to: &str) -> Self {
        Self::with(&["--config", &from.file(), "--to", to])
    }

    /// With these words.
    pub fn with(words: &[&str]) -> Self {
        let mut child = klatch().args(["move", "--json"]).args(words).spawn().unwrap();
        let says = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, says, said: String::new() }
    }

    /// With these words, until it comes by this place (`crates/server/src/crash.rs`), where it dies: a test that killed it could be too late.
    pub async fn dies(words: &[&str], point: &str) {
        let doom = Doom::new();
        doom.comes_at(point);
        let mut command = doom.command();
        command.args(["move", "--json"]).args(words);
        let ended = ended(command).await;
        assert!(ended.err.contains(&format!("crash point {point}")), "{ended:?}");
    }

    /// Waits until it says this. False if it ends before.
    pub async fn says(&mut self, words: &str) -> bool {
        while let Some(line) = timeout(PATIENCE, self.says.next_line()).await.expect("it goes on").unwrap() {
            self.said += &line;
            self.said += "\n";
            if line.contains(words) {
                return true;
            }
        }
        false
    }

    /// How it ends.
    pub async fn ends(mut self) -> Ended {
        while self.says("\0").await {}
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).await.unwrap();
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        Ended { code: status.code(), out, err: self.said }
    }
}
