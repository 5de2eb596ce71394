//! The role `processor`: decides commands. Every process of this role stands in line for every partition.

use std::sync::Arc;

use klatch_server::heads;
use klatch_server::processor::everywhere;
use tokio::net::TcpListener;

use super::Stage;

/// Starts a task for each partition; `listener` is where others ask where conversations stand.
///
/// # Errors
/// The listener cannot be used.
pub fn start(stage: &Stage, listener: Option<TcpListener>) -> anyhow::Result<()> {
    let address = listener.as_ref().map(TcpListener::local_addr).transpose()?.map(|address| address.to_string());
    let address = address.map(|listening| stage.config.http.peer_address.clone().unwrap_or(listening));
    let heads = Arc::new(heads::Memory::new(stage.services.clone(), address));
    if let (Some(listener), Some(peers)) = (listener, &stage.peers) {
        let (router, stop) = (heads::router(peers.clone(), heads.clone()), stage.stopping.clone());
        stage.core.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the listener for other processes failed");
            }
        });
    }
    let (services, tasks, stop) = (stage.services.clone(), stage.core.clone(), stage.stopping.clone());
    stage.core.spawn(everywhere::run(services, heads, tasks, stop));
    Ok(())
}
