//! Where a node listens.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the node listens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// The address of the site: web client, REST and gateway. Beyond loopback it needs TLS, or a proxy that has it.
    pub listen: SocketAddr,
    /// The address of `/healthz`, `/readyz` and `/metrics`. Nobody is asked for a password there: keep it to yourself.
    pub admin_listen: Option<SocketAddr>,
    /// A file with the certificate chain (PEM).
    pub tls_cert: Option<PathBuf>,
    /// A file with the certificate's private key (PEM).
    pub tls_key: Option<PathBuf>,
    /// A proxy in front of this node speaks TLS to people. Addresses of people are then taken from its `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// The address under which people reach the site, for links. Unless given: the one that it listens on.
    pub public_url: Option<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8470)),
            admin_listen: None,
            tls_cert: None,
            tls_key: None,
            behind_proxy: false,
            public_url: None,
        }
    }
}

impl Http {
    /// Whether people reach it by TLS, so that cookies must not travel without.
    pub fn is_secure(&self) -> bool {
        self.tls_cert.is_some() || self.behind_proxy
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err("`http.tls_cert` and `http.tls_key` go together; give both or neither".to_owned());
        }
        if !self.listen.ip().is_loopback() && !self.is_secure() {
            return Err(format!(
                "listening on {} would send passwords over the network in the clear; give `--tls-cert` and `--tls-key`, \
                 or `--behind-proxy` if a proxy speaks TLS in front of it",
                self.listen
            ));
        }
        Ok(())
    }
}
