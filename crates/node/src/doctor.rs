//! Looking at what a cluster stands on, for its operator.

use crate::config::{Chosen, Config, Engine};
use crate::dead_letters;
use crate::engines::{health, migrate};
use crate::environment::Overrides;
use crate::shell::output;

/// What an operator should change, a sentence each, with the port before it that it is about.
///
/// # Errors
/// A sentence that says what to do: the configuration cannot be meant.
pub async fn findings(config: &Config, overrides: &Overrides) -> anyhow::Result<Vec<String>> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    let mut findings = health::findings(config, &chosen, overrides).await;
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
