//! Whether the servers of a cluster answer, and what an operator should change about them.

use klatch_engines::commands::rabbitmq::RabbitMqCommands;
use klatch_engines::drivers::place::Place;
use klatch_engines::feed::rabbitmq::RabbitMqFeed;
use klatch_ports::Error;
use klatch_server::workers;

use super::distributed::{Servers, queue};
use super::migrate;
use crate::config::{Chosen, Config, Engine};
use crate::environment::Overrides;

/// How far a server's clock may be from ours: milliseconds. Order never depends on clocks; expiry and what people read do.
const SKEW_MAX_MS: u64 = 1_000;

/// What to change about each of the chosen servers, a sentence each, with the ports before it that it answers.
pub async fn findings(config: &Config, chosen: &Chosen, overrides: &Overrides) -> Vec<String> {
    let mut servers = Servers::default();
    let mut findings = Vec::new();
    for (ports, place) in places(chosen) {
        let found = look(config, chosen, overrides, place, &mut servers).await;
        let found = found.unwrap_or_else(|error| vec![format!("cannot be asked: {error:#}")]);
        findings.extend(found.into_iter().map(|sentence| format!("{}: {sentence}", ports.join(", "))));
    }
    findings
}

/// The servers that answer ports, each once.
fn places(chosen: &Chosen) -> Vec<(Vec<&'static str>, &Place)> {
    let mut places: Vec<(Vec<&'static str>, &Place)> = Vec::new();
    for (port, engine) in chosen.ports() {
        let Engine::Distributed(place) = engine else { continue };
        match places.iter_mut().find(|(_, known)| *known == place) {
            Some((ports, _)) => ports.push(port),
            None => places.push((vec![port], place)),
        }
    }
    places
}

async fn look(
    config: &Config,
    chosen: &Chosen,
    overrides: &Overrides,
    place: &Place,
    servers: &mut Servers,
) -> anyhow::Result<Vec<String>> {
    let whole = super::embedded::whole;
    let skewed = |theirs: i64| {
        let ours = overrides.clock.now().0;
        let apart = ours.abs_diff(u64::try_from(theirs).unwrap_or_default());
        (apart > SKEW_MAX_MS).then(|| format!("its clock and this machine's are {apart} ms apart: let both follow NTP"))
    };
    Ok(match place.scheme.as_str() {
        "postgres" => {
            let database = servers.database(place)?;
            let mut findings = database.health().await.map_err(whole)?;
            findings.extend(skewed(database.now_ms().await.map_err(whole)?));
            findings
        }
        "cassandra" => {
            let cluster = servers.cluster(place).await?;
            let mut findings = cluster.health().await.map_err(whole)?;
            findings.extend(skewed(cluster.now_ms().await.map_err(whole)?));
            findings
        }
        "kafka" => servers.kafka(place)?.health().await.map_err(whole)?,
        "amqp" => {
            let broker = servers.broker(place)?;
            let partitions = migrate::partitions(config, chosen, servers).await?;
            let mut queues = RabbitMqCommands::queues(&broker, partitions, queue(&config.limits));
            queues.extend(RabbitMqFeed::queues(&broker, &workers::NAMES));
            broker.health(&queues).await.map_err(whole)?
        }
        "redis" => servers.redis(place)?.health().await,
        other => return Err(Error::unavailable(format!("nobody knows {other}")).into()),
    })
}
