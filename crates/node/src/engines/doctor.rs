//! Looking at the servers of a cluster: whether they answer, and what an operator should change about them.

use klatch_engines::commands::rabbitmq::RabbitMqCommands;
use klatch_engines::drivers::place::Place;
use klatch_engines::feed::rabbitmq::RabbitMqFeed;
use klatch_ports::Error;
use klatch_server::workers;

use super::distributed::{Servers, queue};
use super::migrate;
use crate::config::{Chosen, Config, Engine};
use crate::dead_letters;
use crate::lifecycle::Overrides;
use crate::shell::output;

/// How far a server's clock may be from ours: milliseconds. Order never depends on clocks; expiry and what people read do.
const SKEW_MAX_MS: u64 = 1_000;

/// What an operator should change, a sentence each, with the port before it that it is about.
///
/// # Errors
/// A sentence that says what to do: the configuration cannot be meant.
pub async fn findings(config: &Config, overrides: &Overrides) -> anyhow::Result<Vec<String>> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    let mut servers = Servers::default();
    let mut findings = Vec::new();
    for (ports, place) in places(&chosen) {
        let found = look(config, &chosen, overrides, place, &mut servers).await;
        let found = found.unwrap_or_else(|error| vec![format!("cannot be asked: {error:#}")]);
        findings.extend(found.into_iter().map(|sentence| format!("{}: {sentence}", ports.join(", "))));
    }
    findings.extend(shared_with_keys(&chosen));
    if let Engine::Distributed(_) = &chosen.queue {
        findings.extend(buried(config).await);
    }
    if findings.is_empty() {
        let missing = migrate::missing(config).await?;
        findings.extend(missing.into_iter().map(|what| format!("{what} is missing: run `klatch migrate`")));
    }
    if let Engine::Distributed(_) = &chosen.keys {
        let file = config.data.join(&config.engines.master_key);
        if !file.exists() {
            let file = file.display();
            findings
                .push(format!("keys: {file} is not there: every process needs the file that `klatch migrate` made"));
        }
    }
    Ok(findings)
}

/// What lies among the dead letters.
async fn buried(config: &Config) -> Option<String> {
    let (count, oldest) = match dead_letters::list(config, 1).await {
        Ok(listed) => listed,
        Err(error) => return Some(format!("queue: whether there are dead letters cannot be asked: {error:#}")),
    };
    let oldest = oldest.first()?;
    let (since, reason) = (output::clock(oldest.at), output::plain(&oldest.reason));
    Some(format!(
        "queue: {count} dead letters, the oldest of {since} (UTC), not decided because of \"{reason}\": repair what is damaged, then \
         `klatch dead-letters replay`; `klatch dead-letters` lists them"
    ))
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

/// A write-ahead log belongs to a server: whoever backs up the log's server backs up the keys, unless they lie elsewhere.
fn shared_with_keys(chosen: &Chosen) -> Option<String> {
    let Engine::Distributed(keys) = &chosen.keys else { return None };
    let others = [&chosen.event_log, &chosen.views, &chosen.directory];
    let is_shared = others.into_iter().any(|engine| match engine {
        Engine::Distributed(place) => {
            place.scheme == keys.scheme && place.hosts.iter().any(|host| keys.hosts.contains(host))
        }
        Engine::Embedded(_) => false,
    });
    is_shared.then(|| {
        "keys: they share a server with what they open, and so its backups; give them a server of their own".to_owned()
    })
}
