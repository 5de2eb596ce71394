//! The configuration: defaults that run, a TOML file, environment variables, flags, each over the one before. Parsed once; nothing
//! outside this crate knows that there is a file or an environment.

mod engines;
mod file;
mod http;
mod limits;
mod log;
mod role;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use engines::{Chosen, Engine, Engines};
pub use file::load;
pub use http::{ForwardedBy, Http, Network};
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use role::Role;

/// The configuration of a node. Every key can be left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The directory that holds everything this node keeps. Made at the first start.
    pub data: PathBuf,
    /// What this node calls itself to people, until its owner renames it.
    pub name: String,
    /// The roles that this process runs.
    pub roles: Vec<Role>,
    /// Where it listens.
    pub http: Http,
    /// Which engine answers each port.
    pub engines: Engines,
    /// What must not be exceeded.
    pub limits: Limits,
    /// What it writes to its log.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            name: "Klatch".to_owned(),
            roles: Role::ALL.to_vec(),
            http: Http::default(),
            engines: Engines::default(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }
}

impl Config {
    /// Whether this can run.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn validate(&self) -> Result<(), String> {
        if self.roles.is_empty() {
            return Err("`roles` is empty, so there is nothing to do; leave it out to run all of them".to_owned());
        }
        let (embedded, missing) =
            (self.engines.choose()?.embedded(), Role::ALL.into_iter().find(|role| !self.runs(*role)));
        if let (Some(port), Some(role)) = (embedded.first(), missing) {
            return Err(format!(
                "an embedded engine lives in one process, so that must run all roles: add \"{role}\" to `roles`, or give \
                 `engines.{port}` a server"
            ));
        }
        self.http.validate()?;
        self.limits.validate()
    }

    /// Whether this process has a role.
    pub fn runs(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
