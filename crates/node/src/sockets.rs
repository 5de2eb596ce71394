//! The sockets on which people and operators reach a node: kept while it starts anew, so that whoever connects meanwhile waits and is
//! not refused.

use std::net;
use std::os::fd::AsFd;

use tokio::net::TcpListener;

use crate::config::{Config, Role};
use crate::listener::bind;

/// Sockets that listen.
pub struct Sockets {
    /// For people.
    pub front: Option<TcpListener>,
    /// For health and metrics.
    pub admin: Option<TcpListener>,
    /// For other processes of a cluster.
    pub peers: Option<TcpListener>,
}

impl Sockets {
    /// Those that this configuration wants.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let http = &config.http;
        let has_front = config.runs(Role::Api) || config.runs(Role::Gateway);
        let peers = http.peer_listen.filter(|_| config.runs(Role::Processor));
        Ok(Self {
            front: opened(has_front.then_some(http.listen)).await?,
            admin: opened(http.admin_listen).await?,
            peers: opened(peers).await?,
        })
    }

    /// The same sockets once more, which listen until both are closed.
    ///
    /// # Errors
    /// The process has too many files open.
    pub fn keep(&self) -> std::io::Result<Self> {
        let again = |socket: &Option<TcpListener>| socket.as_ref().map(again).transpose();
        Ok(Self { front: again(&self.front)?, admin: again(&self.admin)?, peers: again(&self.peers)? })
    }
}

async fn opened(address: Option<net::SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    match address {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
}

fn again(socket: &TcpListener) -> std::io::Result<TcpListener> {
    TcpListener::from_std(net::TcpListener::from(socket.as_fd().try_clone_to_owned()?))
}
