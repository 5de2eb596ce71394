//! Which engine answers each port, by URL.

use std::path::PathBuf;

use klatch_engines::drivers::place::Place;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which engine answers each port. An embedded engine (`fjall:`, `sqlite:`, `memory:`) serves one process; the others serve as many as
/// one likes. Their addresses are `scheme://user@host:port,host/path?option=value`; every one knows the options `password_file`,
/// `tls=true`, `tls_ca`, `tls_cert` and `tls_key`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Engines {
    /// The log of events, with the overlay: `fjall:` and a folder, relative to `data`; `postgres://host/database`;
    /// `cassandra://host,host/keyspace`.
    pub event_log: String,
    /// Lists, memberships and cursors: `sqlite:` and a file, relative to `data`; `postgres://host/database`.
    pub views: String,
    /// Accounts and sessions: `sqlite:` and a file, relative to `data`; `postgres://host/database`.
    pub directory: String,
    /// The keys of authors: `sqlite:` and a file, relative to `data`; `postgres://host/database`, a database of its own.
    pub keys: String,
    /// The queue of commands, and the feed of events for workers: `memory:`, with `fjall:` as the log;
    /// `kafka://host,host/prefix`; `amqp://user@host/vhost`.
    pub queue: String,
    /// Who must hear this now: `memory:`; `redis://host`.
    pub live: String,
    /// Who is here, and rate limits: `memory:`; `redis://host`.
    pub presence: String,
    /// The file with the master key under which the keys of authors are wrapped, relative to `data`. Made at the first start where the
    /// keys are embedded; otherwise made by `klatch migrate`, and all processes have the same.
    pub master_key: String,
}

impl Default for Engines {
    fn default() -> Self {
        Self {
            event_log: "fjall:log".to_owned(),
            views: "sqlite:views.db".to_owned(),
            directory: "sqlite:directory.db".to_owned(),
            keys: "sqlite:keys.db".to_owned(),
            queue: "memory:".to_owned(),
            live: "memory:".to_owned(),
            presence: "memory:".to_owned(),
            master_key: "master.key".to_owned(),
        }
    }
}

/// What answers a port.
#[derive(Clone, PartialEq, Debug)]
pub enum Engine {
    /// One that lives in this process, with its file or folder, relative to `data`.
    Embedded(PathBuf),
    /// One that is reached at this place; its scheme says which.
    Distributed(Place),
}

impl Engine {
    const fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }

    /// The file or folder of an embedded engine.
    pub const fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Embedded(path) => Some(path),
            Self::Distributed(_) => None,
        }
    }
}

/// What answers each port.
#[derive(Clone, PartialEq, Debug)]
pub struct Chosen {
    /// fjall, PostgreSQL or Cassandra.
    pub event_log: Engine,
    /// SQLite or PostgreSQL.
    pub views: Engine,
    /// SQLite or PostgreSQL.
    pub directory: Engine,
    /// SQLite or PostgreSQL.
    pub keys: Engine,
    /// Memory, Kafka or RabbitMQ.
    pub queue: Engine,
    /// Memory or Redis.
    pub live: Engine,
    /// Memory or Redis.
    pub presence: Engine,
}

impl Chosen {
    /// The ports that engines are chosen for, and the engines.
    pub const fn ports(&self) -> [(&'static str, &Engine); 7] {
        [
            ("event_log", &self.event_log),
            ("views", &self.views),
            ("directory", &self.directory),
            ("keys", &self.keys),
            ("queue", &self.queue),
            ("live", &self.live),
            ("presence", &self.presence),
        ]
    }

    /// The ports that an embedded engine answers.
    pub fn embedded(&self) -> Vec<&'static str> {
        self.ports().into_iter().filter(|(_, engine)| engine.is_embedded()).map(|(port, _)| port).collect()
    }
}

impl Engines {
    /// What these addresses mean. Files with secrets are read.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn choose(&self) -> Result<Chosen, String> {
        let choose = |port: &str, address: &str, embedded: &str, distributed: &[&str]| {
            engine(address, embedded, distributed)
                .map_err(|sentence| format!("`engines.{port}` is \"{}\": {sentence}", hide(address)))
        };
        let (sql, bus) = (&["postgres"], &["redis"]);
        let chosen = Chosen {
            event_log: choose("event_log", &self.event_log, "fjall:", &["postgres", "cassandra"])?,
            views: choose("views", &self.views, "sqlite:", sql)?,
            directory: choose("directory", &self.directory, "sqlite:", sql)?,
            keys: choose("keys", &self.keys, "sqlite:", sql)?,
            queue: choose("queue", &self.queue, "memory:", &["kafka", "amqp"])?,
            live: choose("live", &self.live, "memory:", bus)?,
            presence: choose("presence", &self.presence, "memory:", bus)?,
        };
        if chosen.queue.is_embedded() && !chosen.event_log.is_embedded() {
            return Err("the feed follows the log only where both are embedded; give `engines.queue` a broker (\"kafka://…\" or \
                        \"amqp://…\"), or `engines.event_log` a folder (\"fjall:…\")"
                .to_owned());
        }
        Ok(chosen)
    }
}

fn engine(address: &str, embedded: &str, distributed: &[&str]) -> Result<Engine, String> {
    if let Some(path) = address.strip_prefix(embedded) {
        let needs_path = embedded != "memory:";
        return match (needs_path, path) {
            (true, "") => Err(format!("a path must follow \"{embedded}\"")),
            (false, path) if !path.is_empty() => Err(format!("nothing follows \"{embedded}\"")),
            _ => Ok(Engine::Embedded(path.into())),
        };
    }
    let known = || {
        let others = distributed.iter().map(|scheme| format!("\"{scheme}://\""));
        std::iter::once(format!("\"{embedded}\"")).chain(others).collect::<Vec<_>>().join(", ")
    };
    let place: Place = address.parse().map_err(|sentence| format!("{sentence}; known here are {}", known()))?;
    if distributed.contains(&place.scheme.as_str()) {
        Ok(Engine::Distributed(place))
    } else {
        Err(format!("known here are {}", known()))
    }
}

/// An address without what stands before its hosts: that may be a password.
fn hide(address: &str) -> String {
    match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://…@{rest}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_that_cannot_work_are_refused_with_what_to_change() {
        let with = |change: fn(&mut Engines)| {
            let mut engines = Engines::default();
            change(&mut engines);
            engines.choose()
        };
        let refused = |change| with(change).unwrap_err();
        assert!(refused(|engines| engines.event_log = "postgres://db/klatch".to_owned()).contains("kafka://"));
        assert!(refused(|engines| engines.event_log = "cassandra://a,b,c/klatch".to_owned()).contains("kafka://"));
        assert!(refused(|engines| engines.views = "cassandra://db/klatch".to_owned()).contains("\"sqlite:\""));
        assert!(refused(|engines| engines.views = "sqlite:".to_owned()).contains("a path must follow"));
        assert!(refused(|engines| engines.live = "memory:x".to_owned()).contains("nothing follows"));
        let sentence = refused(|engines| engines.keys = "mysql://klatch:s3cret@db/keys".to_owned());
        assert!(sentence.contains("`engines.keys`") && !sentence.contains("s3cret"), "{sentence}");

        let chosen = with(|engines| {
            engines.event_log = "postgres://db/klatch".to_owned();
            engines.queue = "kafka://a,b,c".to_owned();
            engines.views = "postgresql://db/klatch".to_owned();
        });
        assert_eq!(chosen.unwrap().embedded(), ["directory", "keys", "live", "presence"]);
        let chosen = with(|engines| {
            engines.event_log = "cassandra://a,b,c/klatch".to_owned();
            engines.queue = "amqp://klatch@a/klatch".to_owned();
        });
        assert_eq!(chosen.unwrap().embedded(), ["views", "directory", "keys", "live", "presence"]);
    }
}
