//! From HTTP to a WebSocket (RFC 6455, section 4.2). What is no handshake is refused as the API refuses: with a problem.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use klatch_protocol::objects::Slug;
use tokio::sync::Semaphore;

use super::{Gateway, connection};
use crate::api::Refusal;

/// The one version of RFC 6455.
const VERSION: &str = "13";
/// Bytes of the client's key.
const KEY_BYTES: usize = 16;
/// When whoever was not let in may ask again.
const AGAIN_MS: u64 = 1_000;

/// Where connections come in: as many as there is room for, those that have not said hello among them.
#[derive(Clone)]
pub struct Door {
    gateway: Arc<Gateway>,
    room: Arc<Semaphore>,
}

impl Door {
    /// The door of this gateway, with room for so many at a time.
    pub fn new(gateway: Arc<Gateway>, connections_max: usize) -> Self {
        Self { gateway, room: Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS))) }
    }
}

/// `GET /api/v1/gateway`. Whoever serves it has checked that a browser which asks shows a page of this site, and writes the bodies of
/// refusals.
pub async fn upgrade(State(Door { gateway, room }): State<Door>, mut request: Request) -> Response {
    let accept = match accept(request.headers()) {
        Ok(accept) => accept,
        Err(no_handshake) => return no_handshake.into_response(),
    };
    if gateway.stop.is_cancelled() {
        return Refusal::new(Slug::Stopping).retry_after_ms(AGAIN_MS).into_response();
    }
    let Ok(place) = room.try_acquire_owned() else {
        let sentence = "This node has as many connections as it may.";
        return Refusal::new(Slug::Unavailable).detail(sentence).retry_after_ms(AGAIN_MS).into_response();
    };
    let Some(upgrading) = request.extensions_mut().remove::<hyper::upgrade::OnUpgrade>() else {
        return NoHandshake::Unasked.into_response();
    };
    gateway.tasks.spawn({
        let gateway = gateway.clone();
        async move {
            match upgrading.await {
                Ok(upgraded) => connection::serve(gateway, upgraded).await,
                Err(error) => tracing::debug!(%error, "a connection was not upgraded"),
            }
            drop(place);
        }
    });
    let headers =
        [(UPGRADE, "websocket".to_owned()), (CONNECTION, "Upgrade".to_owned()), (SEC_WEBSOCKET_ACCEPT, accept)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Why a request is no handshake.
enum NoHandshake {
    /// It does not ask for a WebSocket, or something on the way took the wish away.
    Unasked,
    /// It asks for another version.
    Version,
    /// Its key is none.
    Key,
}

impl IntoResponse for NoHandshake {
    fn into_response(self) -> Response {
        let upgrade = StatusCode::UPGRADE_REQUIRED;
        match self {
            Self::Unasked => {
                let sentence = "This address is a WebSocket: it wants `Connection: Upgrade` and `Upgrade: websocket`.";
                let headers = [(UPGRADE, "websocket"), (CONNECTION, "Upgrade")];
                (headers, Refusal::invalid(sentence).status(upgrade)).into_response()
            }
            Self::Version => {
                let sentence = "`Sec-WebSocket-Version` must be 13.";
                let refusal = Refusal::new(Slug::VersionUnsupported).detail(sentence).status(upgrade);
                ([(SEC_WEBSOCKET_VERSION, VERSION)], refusal).into_response()
            }
            Self::Key => Refusal::invalid("`Sec-WebSocket-Key` must be 16 bytes in Base64.").into_response(),
        }
    }
}

/// The answer to the client's key, if this is a handshake.
fn accept(headers: &HeaderMap) -> Result<String, NoHandshake> {
    let names = |name: HeaderName, wanted: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(wanted))
    };
    if !(names(CONNECTION, "upgrade") && names(UPGRADE, "websocket")) {
        return Err(NoHandshake::Unasked);
    }
    if !names(SEC_WEBSOCKET_VERSION, VERSION) {
        return Err(NoHandshake::Version);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| key.as_bytes().trim_ascii()).unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |key| key.len()) != KEY_BYTES {
        return Err(NoHandshake::Key);
    }
    Ok(tungstenite::handshake::derive_accept_key(key))
}
