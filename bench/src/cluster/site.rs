//! The processes of a cluster, on servers of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use klatch_backing::{Kind, Servers};
use klatch_client::Rest;
use tempfile::TempDir;

use crate::process::Process;
use crate::server::owner;

/// What a cluster stands on.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stack {
    /// RabbitMQ, PostgreSQL, Redis.
    #[value(name = "rabbitmq")]
    RabbitMq,
    /// Kafka, Cassandra for the log, PostgreSQL for the rest, Redis.
    Kafka,
}

impl Stack {
    /// Its servers, as they are called in `klatch_calls_total`.
    pub const fn servers(self) -> &'static [&'static str] {
        match self {
            Self::RabbitMq => &["rabbitmq", "postgres", "redis"],
            Self::Kafka => &["kafka", "cassandra", "postgres", "redis"],
        }
    }
}

/// So many processes of each kind, until this is dropped.
pub struct Site {
    processes: Vec<Process>,
    /// Whoever owns it.
    pub owner: Rest,
    _folder: TempDir,
    _servers: Vec<Servers>,
}

impl Site {
    /// Starts the servers, and `copies` each of fronts, processors and workers, with so many partitions.
    pub async fn start(klatch: &Path, stack: Stack, copies: usize, partitions: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (servers, config) = tokio::task::spawn_blocking(move || engines(stack, partitions)).await?;
        let (file, data) = (folder.path().join("klatch.toml"), folder.path().join("data"));
        std::fs::write(&file, config)?;
        let common: [&OsStr; 4] = ["--config".as_ref(), file.as_os_str(), "--data".as_ref(), data.as_os_str()];
        let migrate = Command::new(klatch).arg("migrate").args(common).output()?;
        ensure!(migrate.status.success(), "{}", String::from_utf8_lossy(&migrate.stderr));
        let claim = String::from_utf8(migrate.stdout)?;
        let claim = claim.split_once("#token=").and_then(|(_, rest)| rest.lines().next()).context("a claim")?;
        let mut processes = Vec::new();
        for roles in ["api,gateway", "processor", "worker"] {
            for copy in 0..copies {
                let arguments = [&common[..], &["--roles".as_ref(), roles.as_ref()]].concat();
                let log = folder.path().join(format!("{roles}{copy}.log"));
                processes.push(Process::start(klatch, &arguments, &log)?);
            }
        }
        let base = processes[0].base.as_deref().context("a front")?;
        let owner = owner(base, Some(claim.trim().to_owned())).await?;
        Ok(Self { processes, owner, _folder: folder, _servers: servers })
    }

    /// Where people reach each front.
    pub fn bases(&self) -> Vec<String> {
        self.processes.iter().filter_map(|process| process.base.clone()).collect()
    }

    /// CPU of its fronts, processors and workers so far: seconds.
    pub fn cpu(&self) -> anyhow::Result<[f64; 3]> {
        let mut kinds = [0.0; 3];
        for (number, process) in self.processes.iter().enumerate() {
            kinds[number * kinds.len() / self.processes.len()] += process.cpu()?;
        }
        Ok(kinds)
    }

    /// What all of them counted together.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut sum = 0.0;
        for process in &self.processes {
            sum += process.metric(name).await?;
        }
        Ok(sum)
    }
}

/// Servers of one node each, and the configuration that names them.
fn engines(stack: Stack, partitions: usize) -> (Vec<Servers>, String) {
    let (sql, redis) = (Servers::start(Kind::PostgreSql, 1), Servers::start(Kind::Redis, 1));
    let (relational, bus) = (format!("postgres://postgres@{}/postgres", sql.address(1)), redis.address(1));
    let mut servers = vec![sql, redis];
    let mut add = |kind| {
        servers.push(Servers::start(kind, 1));
        servers[servers.len() - 1].address(1)
    };
    let (queue, event_log) = match stack {
        Stack::RabbitMq => (format!("amqp://guest:guest@{}", add(Kind::RabbitMq)), relational.clone()),
        Stack::Kafka => {
            let queue = format!("kafka://{}", add(Kind::Kafka));
            (queue, format!("cassandra://{}/klatch?replication=1", add(Kind::Cassandra)))
        }
    };
    let config = format!(
        "[engines]\nevent_log = \"{event_log}\"\nqueue = \"{queue}\"\nviews = \"{relational}\"\ndirectory = \"{relational}\"\n\
         keys = \"{relational}\"\nlive = \"redis://{bus}\"\npresence = \"redis://{bus}\"\n[limits]\npartitions = {partitions}\n"
    );
    (servers, config)
}
