//! From HTTP to a WebSocket (RFC 6455, section 4.2).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use klatch_protocol::objects::Slug;

use super::{Gateway, connection};

/// `GET /api/v1/gateway`. Whoever serves it has checked that a browser which asks shows a page of this site.
pub async fn upgrade(State(gateway): State<Arc<Gateway>>, mut request: Request) -> Response {
    let headers = request.headers();
    let Some(accept) = accept(headers) else { return refuse(StatusCode::UPGRADE_REQUIRED, Slug::InvalidRequest) };
    if gateway.stop.is_cancelled() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, Slug::Stopping);
    }
    let Some(upgrading) = request.extensions_mut().remove::<hyper::upgrade::OnUpgrade>() else {
        return refuse(StatusCode::UPGRADE_REQUIRED, Slug::InvalidRequest);
    };
    gateway.tasks.spawn({
        let gateway = gateway.clone();
        async move {
            match upgrading.await {
                Ok(upgraded) => connection::serve(gateway, TokioIo::new(upgraded)).await,
                Err(error) => tracing::debug!(%error, "a connection was not upgraded"),
            }
        }
    });
    let headers =
        [(UPGRADE, "websocket".to_owned()), (CONNECTION, "Upgrade".to_owned()), (SEC_WEBSOCKET_ACCEPT, accept)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// The answer to the client's key, if this is a handshake.
fn accept(headers: &HeaderMap) -> Option<String> {
    let names = |name: HeaderName, wanted: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(wanted)))
    };
    let is_handshake =
        names(CONNECTION, "upgrade") && names(UPGRADE, "websocket") && names(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY)?.as_bytes();
    is_handshake.then(|| tungstenite::handshake::derive_accept_key(key))
}

fn refuse(status: StatusCode, slug: Slug) -> Response {
    (status, slug.title()).into_response()
}
