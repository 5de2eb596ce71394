//! Empty databases and queues to move to, and whoever moves.

use std::path::Path;
use std::sync::Arc;

use klatch_backing::{Kind, Servers};
use klatch_engines::drivers::postgres::Database;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{Ended, PATIENCE, Server, klatch};

/// Chooses the servers: the name of a stack, as for the stories.
const CHOICE: &str = "KLATCH_STACK";

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
            true => format!("kafka://{}/{name}", shared(Kind::Kafka).await),
            false => format!("amqp://guest:guest@{}?prefix={name}", shared(Kind::RabbitMq).await),
        };
        let place = Self { dir: tempfile::tempdir().unwrap(), sql: own };
        let data = place.dir.path().join("cluster");
        let relational = |database: &str, pool| format!("postgres://postgres@{sql}/{database}?pool={pool}");
        let (views, keys) = (relational(&name, 8), relational(&format!("{name}_keys"), 2));
        let event_log = match stack.contains("cassandra") {
            true => format!("cassandra://{}/{name}?replication=1&timeout_ms=10000", shared(Kind::Cassandra).await),
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

    /// Kills it as soon as it says this. False if it ended before.
    pub async fn dies_at(mut self, words: &str) -> bool {
        let is_there = self.says(words).await;
        let _ = self.child.kill().await;
        is_there
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
