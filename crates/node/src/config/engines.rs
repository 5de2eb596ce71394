//! Which engine answers each port, by URL.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which engine answers each port. Only the embedded ones exist so far.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Engines {
    /// The log of events, with the feed and the overlay: `fjall:` and a folder, relative to `data`.
    pub event_log: String,
    /// Lists, memberships and cursors: `sqlite:` and a file, relative to `data`.
    pub views: String,
    /// Accounts and sessions: `sqlite:` and a file, relative to `data`.
    pub directory: String,
    /// The keys of authors: `sqlite:` and a file, relative to `data`.
    pub keys: String,
    /// The queue of commands: `memory:`.
    pub queue: String,
    /// Who must hear this now: `memory:`.
    pub live: String,
    /// Who is here, and rate limits: `memory:`.
    pub presence: String,
    /// The file with the master key under which the keys of authors are wrapped, relative to `data`. Made at the first start.
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

impl Engines {
    pub(super) fn validate(&self) -> Result<(), String> {
        let choices = [
            ("event_log", &self.event_log, "fjall:"),
            ("views", &self.views, "sqlite:"),
            ("directory", &self.directory, "sqlite:"),
            ("keys", &self.keys, "sqlite:"),
            ("queue", &self.queue, "memory:"),
            ("live", &self.live, "memory:"),
            ("presence", &self.presence, "memory:"),
        ];
        for (port, chosen, known) in choices {
            let place = chosen.strip_prefix(known);
            if place.is_none() || (known != "memory:" && place == Some("")) {
                return Err(format!("`engines.{port}` is \"{chosen}\"; this version knows \"{known}\" there"));
            }
        }
        Ok(())
    }
}
