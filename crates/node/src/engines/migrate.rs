//! Preparing the engines that are servers: tables, topics and queues, and the master key.

use anyhow::{Context, bail};
use klatch_core::ids::Uuid;
use klatch_engines::commands::rabbitmq::RabbitMqCommands;
use klatch_engines::drivers::place::Place;
use klatch_engines::drivers::postgres::Schema;
use klatch_engines::feed::rabbitmq::RabbitMqFeed;
use klatch_engines::{directory, event_log, keys, mailboxes, overlay, owners, partitions, views};
use klatch_server::environment::uuid_v7;
use klatch_server::sealing::{SealError, Sealer};
use klatch_server::workers;

use super::distributed::{Servers, queue};
use super::embedded::whole;
use super::{make_directory, workspace};
use crate::config::{Chosen, Config, Engine, Limits};
use crate::environment::Overrides;
use crate::master_key;

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// What is missing is made.
    Make,
    /// What is missing is told.
    Tell,
}

/// What is missing, a sentence each.
///
/// # Errors
/// A sentence that says what to do.
pub async fn missing(config: &Config) -> anyhow::Result<Vec<String>> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    prepare(config, &chosen, &mut Servers::default(), Mode::Tell).await
}

/// Makes what is missing, and tells what that was. Where the keys are on a server that never had any, the master key is made as well.
///
/// # Errors
/// A sentence that says what to do.
pub async fn run(config: &Config, overrides: &Overrides) -> anyhow::Result<Vec<String>> {
    let first = uuid_v7(&*overrides.clock, &*overrides.entropy);
    prepare_for(config, overrides, first).await
}

/// The same, for a site whose workspace becomes `first` where there is none.
///
/// # Errors
/// A sentence that says what to do.
pub async fn prepare_for(config: &Config, overrides: &Overrides, first: Uuid) -> anyhow::Result<Vec<String>> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    let mut servers = Servers::default();
    let mut done = prepare(config, &chosen, &mut servers, Mode::Make).await?;
    let Engine::Distributed(place) = &chosen.keys else { return Ok(done) };
    make_directory(&config.data)?;
    let keys = servers.keys(place).await?;
    let file = config.data.join(&config.engines.master_key);
    let is_new = !file.exists();
    let master = master_key::load(&file, false, &*overrides.entropy)?;
    let workspace = workspace(&*keys, first).await?;
    if let Err(error) = Sealer::open_store(workspace, keys, overrides.entropy.clone(), &master).await {
        if is_new {
            std::fs::remove_file(&file).with_context(|| format!("{} cannot be removed again", file.display()))?;
        }
        if is_new && matches!(error, SealError::WrongMaster) {
            bail!("the keys were wrapped with another master key: put that file to {}", file.display());
        }
        return Err(error.into());
    }
    if is_new {
        done.push(format!("the master key {} is made: every process needs this very file", file.display()));
    }
    Ok(done)
}

async fn prepare(config: &Config, chosen: &Chosen, servers: &mut Servers, mode: Mode) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for (place, schemas) in schemas(chosen) {
        let database = servers.database(place)?;
        for schema in schemas {
            let steps = match mode {
                Mode::Make => database.migrate(schema).await.map_err(whole)?,
                Mode::Tell => (database.version(schema).await.map_err(whole)? + 1..=schema.migrations.len()).collect(),
            };
            all.extend(named(schema.name, steps));
        }
    }
    if let Engine::Distributed(place) = &chosen.event_log
        && place.scheme == "cassandra"
    {
        all.extend(keyspace(place, servers, mode).await?);
    }
    if let Engine::Distributed(place) = &chosen.queue {
        let partitions = partitions(config, chosen, servers).await?;
        all.extend(queues(&config.limits, partitions, place, servers, mode).await?);
    }
    if let Engine::Distributed(place) = &chosen.directory {
        let (partitions, database) = (config.limits.partitions, servers.database(place)?);
        let is_missing = match mode {
            Mode::Make => {
                let map = partitions::postgres::Postgres::open(database).await.map_err(whole)?;
                map.found(partitions).await.map_err(whole)?
            }
            Mode::Tell => said(chosen, servers).await?.is_none(),
        };
        all.extend(is_missing.then(|| format!("that there are {partitions} partitions of commands")));
    }
    Ok(all)
}

fn named(schema: &str, steps: Vec<usize>) -> impl Iterator<Item = String> {
    steps.into_iter().map(move |step| format!("the tables of `{schema}`, step {step}"))
}

/// The keyspace of the log on Cassandra, and the tables in it.
async fn keyspace(place: &Place, servers: &mut Servers, mode: Mode) -> anyhow::Result<Vec<String>> {
    let cluster = servers.cluster(place).await?;
    let mut all: Vec<String> = cluster.lacking_keyspace().await.map_err(whole)?.into_iter().collect();
    for schema in [&event_log::cassandra::SCHEMA, &overlay::cassandra::SCHEMA, &mailboxes::cassandra::SCHEMA] {
        let steps = match mode {
            Mode::Make => cluster.migrate(schema).await.map_err(whole)?,
            Mode::Tell => (cluster.version(schema).await.map_err(whole)? + 1..=schema.migrations.len()).collect(),
        };
        all.extend(named(schema.name, steps));
    }
    Ok(all)
}

/// The tables that are wanted on PostgreSQL, and where.
fn schemas<'a>(chosen: &'a Chosen) -> Vec<(&'a Place, Vec<&'static Schema>)> {
    let tables: [(&'a Engine, &[&'static Schema]); 4] = [
        (&chosen.event_log, &[&event_log::postgres::SCHEMA, &overlay::postgres::SCHEMA, &mailboxes::postgres::SCHEMA]),
        (&chosen.views, &[&views::postgres::Postgres::SCHEMA]),
        (
            &chosen.directory,
            &[&directory::postgres::Postgres::SCHEMA, &owners::postgres::SCHEMA, &partitions::postgres::SCHEMA],
        ),
        (&chosen.keys, &[&keys::postgres::SCHEMA]),
    ];
    let on_postgres = |(engine, schemas): (&'a Engine, &[&'static Schema])| match engine {
        Engine::Distributed(place) if place.scheme == "postgres" => Some((place, schemas.to_vec())),
        _ => None,
    };
    tables.into_iter().filter_map(on_postgres).collect()
}

/// How many partitions of commands there are: as many as a new site is to have, where that was not said yet.
///
/// # Errors
/// A sentence that says what to do.
pub(super) async fn partitions(config: &Config, chosen: &Chosen, servers: &mut Servers) -> anyhow::Result<usize> {
    Ok(said(chosen, servers).await?.unwrap_or(config.limits.partitions))
}

async fn said(chosen: &Chosen, servers: &mut Servers) -> anyhow::Result<Option<usize>> {
    let Engine::Distributed(place) = &chosen.directory else { return Ok(None) };
    let database = servers.database(place)?;
    match database.version(&partitions::postgres::SCHEMA).await.map_err(whole)? {
        0 => Ok(None),
        _ => partitions::postgres::Postgres::open(database).await.map_err(whole)?.said().await.map_err(whole),
    }
}

/// Makes the queues of so many partitions.
///
/// # Errors
/// A sentence that says what to do.
pub async fn queues_of(config: &Config, partitions: usize) -> anyhow::Result<Vec<String>> {
    let Engine::Distributed(place) = config.engines.choose().map_err(anyhow::Error::msg)?.queue else {
        return Ok(Vec::new());
    };
    queues(&config.limits, partitions, &place, &mut Servers::default(), Mode::Make).await
}

/// Topics, or queues and exchanges.
async fn queues(
    limits: &Limits,
    partitions: usize,
    place: &Place,
    servers: &mut Servers,
    mode: Mode,
) -> anyhow::Result<Vec<String>> {
    if place.scheme == "kafka" {
        let kafka = servers.kafka(place)?;
        return kafka.migrate(partitions, mode == Mode::Tell).await.map_err(whole);
    }
    let broker = servers.broker(place)?;
    if mode == Mode::Tell {
        let mut wanted = RabbitMqCommands::queues(&broker, partitions, queue(limits));
        wanted.extend(RabbitMqFeed::queues(&broker, &workers::NAMES));
        let mut missing = Vec::new();
        for queue in wanted {
            if !broker.has(&queue.name).await.map_err(whole)? {
                missing.push(format!("the queue {}", queue.name));
            }
        }
        return Ok(missing);
    }
    let mut made = RabbitMqCommands::migrate(&broker, partitions, queue(limits)).await.map_err(whole)?;
    made.extend(RabbitMqFeed::migrate(&broker, &workers::NAMES).await.map_err(whole)?);
    Ok(made.into_iter().map(|name| format!("the queue {name}")).collect())
}
