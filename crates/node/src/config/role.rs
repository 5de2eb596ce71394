//! Which parts of the program a process runs.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the binary that can run alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// REST and the web client.
    Api,
    /// The WebSocket.
    Gateway,
    /// Decides commands and writes the log.
    Processor,
    /// Follows the log: projections, erasing.
    Worker,
}

impl Role {
    /// All of them: what a node runs unless told otherwise.
    pub const ALL: [Self; 4] = [Self::Api, Self::Gateway, Self::Processor, Self::Worker];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Gateway => "gateway",
            Self::Processor => "processor",
            Self::Worker => "worker",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(format!("there are the roles {known}"))
    }
}
