//! What a node writes to its log: never what people wrote, never a secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the node writes to standard error.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How much, as `tracing` filters say it: `info`, `warn,klatch_server=debug`, …
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info,fjall=warn,lsm_tree=warn,scylla=warn".to_owned(), format: LogFormat::Text }
    }
}
