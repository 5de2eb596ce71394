//! Where a node listens.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use klatch_server::api::address::{Forwarding, Proxies};
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
    /// The address at which the other processes of a cluster ask this one where conversations stand, if it is a processor. Keep it to
    /// the network of the cluster. Without it, they ask the log.
    pub peer_listen: Option<SocketAddr>,
    /// What the others are told instead, as `host:port`, where they reach `peer_listen` by another address: as in a container.
    pub peer_address: Option<String>,
    /// A file with the certificate chain (PEM).
    pub tls_cert: Option<PathBuf>,
    /// A file with the certificate's private key (PEM).
    pub tls_key: Option<PathBuf>,
    /// The proxies and balancers in front of this node: addresses, or networks as in `10.0.0.0/8`. They speak TLS to people, unless
    /// `public_url` begins with `http:`, and are believed about who their clients are. Nobody else is.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they say who their clients are. The other one is not read: they may pass on what a client claims in it.
    pub forwarded_by: ForwardedBy,
    /// Whether they begin every connection with a header of the PROXY protocol (version 1 or 2), as HAProxy does with `send-proxy-v2`.
    /// One of theirs that does not is closed.
    pub proxy_protocol: bool,
    /// The address under which people reach the site, for links. Unless given: the one that it listens on.
    pub public_url: Option<String>,
}

/// The header in which proxies say who their clients are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedBy {
    /// `X-Forwarded-For`, and `X-Forwarded-Host`.
    #[default]
    XForwardedFor,
    /// `Forwarded`, as RFC 7239 has it.
    Forwarded,
}

/// An address, or a network: `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network = text.parse().or_else(|_| address()).map(Self);
        network.map_err(|_| format!("\"{text}\" is neither an address nor a network such as 10.0.0.0/8"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8470)),
            admin_listen: None,
            peer_listen: None,
            peer_address: None,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            forwarded_by: ForwardedBy::default(),
            proxy_protocol: false,
            public_url: None,
        }
    }
}

impl Http {
    /// Whether people reach it by TLS, so that cookies must not travel without.
    pub fn is_secure(&self) -> bool {
        let is_clear = self.public_url.as_ref().is_some_and(|url| url.starts_with("http:"));
        self.tls_cert.is_some() || (!self.trusted_proxies.is_empty() && !is_clear)
    }

    /// Whom it believes about where requests come from.
    pub fn proxies(&self) -> Proxies {
        let trusted = self.trusted_proxies.iter().map(|network| network.0).collect();
        let forwarding = match self.forwarded_by {
            ForwardedBy::XForwardedFor => Forwarding::XForwardedFor,
            ForwardedBy::Forwarded => Forwarding::Forwarded,
        };
        Proxies { trusted, forwarding }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err("`http.tls_cert` and `http.tls_key` go together; give both or neither".to_owned());
        }
        if let Some(address) = &self.peer_address {
            let is_one =
                address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            if !is_one || self.peer_listen.is_none() {
                let sentence = format!(
                    "`http.peer_address` is `{address}`: it is a host and a port that lead to `http.peer_listen`; give both"
                );
                return Err(sentence);
            }
        } else if self.peer_listen.is_some_and(|address| address.ip().is_unspecified()) {
            return Err("`http.peer_listen` is where others reach this process: name one of its addresses, or say in \
                        `http.peer_address` where they do"
                .to_owned());
        }
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            return Err(
                "`http.proxy_protocol` is about proxies: say in `http.trusted_proxies` where they are".to_owned()
            );
        }
        if !self.listen.ip().is_loopback() && !self.is_secure() {
            return Err(format!(
                "listening on {} would send passwords over the network in the clear; give `--tls-cert` and `--tls-key`, \
                 or `--trusted-proxies` with the address of the proxy that speaks TLS in front of it",
                self.listen
            ));
        }
        Ok(())
    }
}
