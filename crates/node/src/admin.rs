//! The admin listener: whether this node lives, whether it can serve, and what it counted. For the operator alone.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use klatch_server::gateway::Gateway;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::engines::Embedded;

/// The admin listener's router.
pub fn router(
    embedded: Arc<Embedded>,
    gateway: Option<Arc<Gateway>>,
    leaving: CancellationToken,
    metrics: Option<PrometheusHandle>,
) -> Router {
    let store = embedded.clone();
    let ready = move || async move {
        if leaving.is_cancelled() {
            // By this status HAProxy tells a node that leaves, whose clients it lets be, from one that is gone.
            (StatusCode::NOT_FOUND, "stopping\n")
        } else if store.fuse.is_blown() {
            (StatusCode::SERVICE_UNAVAILABLE, "the disk failed: writes are refused until the node is started again\n")
        } else if store.store.as_ref().is_some_and(|store| store.is_full()) {
            (StatusCode::SERVICE_UNAVAILABLE, "the disk is almost full: writes are refused until there is room\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    let render = move || async move {
        if let Some(gateway) = &gateway {
            metrics::gauge!("klatch_gateway_connections").set(gateway.connections() as f64);
        }
        if let Some(store) = &embedded.store {
            metrics::gauge!("klatch_log_syncs").set(store.syncs() as f64);
        }
        metrics.map_or_else(String::new, |metrics| metrics.render())
    };
    Router::new().route("/healthz", get(async || "alive\n")).route("/readyz", get(ready)).route("/metrics", get(render))
}
