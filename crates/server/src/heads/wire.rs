//! How processes ask each other for heads.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use klatch_core::ids::{ConversationId, Seq, Timestamp};
use klatch_ports::Error;
use zeroize::Zeroizing;

use super::Memory;
use crate::environment::Clock;

/// LIMIT: conversations in one question.
pub const ASKED_MAX: usize = 1_000;
/// Within which an owner must answer.
const WITHIN: Duration = Duration::from_secs(1);
/// How far the clocks of two machines may be apart, and how long a question may travel: milliseconds.
const APART_MS: u64 = 60_000;
const TIME: &str = "klatch-time";
const PROOF: &str = "klatch-proof";

/// The other processes of this site.
pub struct Peers {
    client: Client<HttpConnector, Full<Bytes>>,
    secret: Zeroizing<[u8; 32]>,
    clock: Arc<dyn Clock>,
}

impl Peers {
    /// Those who have this secret.
    pub fn new(secret: Zeroizing<[u8; 32]>, clock: Arc<dyn Clock>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(WITHIN));
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector);
        Self { client, secret, clock }
    }

    /// Asks whoever listens at this address where these conversations stand, in their order.
    ///
    /// # Errors
    /// `Unavailable`: no answer in time, or one that makes no sense.
    pub async fn heads(&self, address: &str, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let answer =
            tokio::time::timeout(WITHIN, self.ask(address, conversations)).await.map_err(Error::unavailable)??;
        let (heads, rest) = answer.as_chunks::<8>();
        if heads.len() != conversations.len() || !rest.is_empty() {
            return Err(Error::unavailable(format!("{address} gave {} bytes as an answer", answer.len())));
        }
        Ok(heads.iter().map(|head| Seq(u64::from_be_bytes(*head))).collect())
    }

    async fn ask(&self, address: &str, conversations: &[ConversationId]) -> Result<Bytes, Error> {
        let question: Vec<u8> = conversations.iter().flat_map(|conversation| *conversation.as_bytes()).collect();
        let now = self.clock.now();
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{address}/heads"))
            .header(TIME, now.0)
            .header(PROOF, proof(&self.secret, now, &question).to_hex().as_str())
            .body(Full::from(question))
            .map_err(Error::unavailable)?;
        let answer = self.client.request(request).await.map_err(Error::unavailable)?;
        if answer.status() != StatusCode::OK {
            return Err(Error::unavailable(format!("{address} answered {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), ASKED_MAX * 8).collect().await.map_err(Error::unavailable)?;
        Ok(body.to_bytes())
    }

    /// Whether whoever asks has the secret, and asks now.
    fn trusts(&self, headers: &HeaderMap, question: &[u8]) -> bool {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let (Some(time), Some(shown)) = (text(TIME).and_then(|time| time.parse().ok()), text(PROOF)) else {
            return false;
        };
        let (then, now) = (Timestamp(time), self.clock.now());
        let is_now = now.ms_since(then).max(then.ms_since(now)) <= APART_MS;
        // The comparison of two hashes takes the same time whatever they are.
        is_now && blake3::Hash::from_hex(shown).is_ok_and(|shown| shown == proof(&self.secret, then, question))
    }
}

fn proof(secret: &[u8; 32], time: Timestamp, question: &[u8]) -> blake3::Hash {
    blake3::Hasher::new_keyed(secret).update(b"heads").update(&time.0.to_be_bytes()).update(question).finalize()
}

/// Answers the other processes of this site, and nobody else.
pub fn router(peers: Arc<Peers>, memory: Arc<Memory>) -> Router {
    Router::new().route("/heads", post(answer)).with_state((peers, memory))
}

async fn answer(
    State((peers, memory)): State<(Arc<Peers>, Arc<Memory>)>,
    headers: HeaderMap,
    question: Bytes,
) -> Response {
    if !peers.trusts(&headers, &question) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (ids, rest) = question.as_chunks::<16>();
    if ids.len() > ASKED_MAX || !rest.is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let conversations: Vec<_> = ids.iter().map(|id| ConversationId::from_bytes(*id)).collect();
    match memory.of(&conversations).await {
        Ok(heads) => heads.iter().flat_map(|head| head.0.to_be_bytes()).collect::<Vec<_>>().into_response(),
        Err(error) => {
            tracing::warn!(%error, "another process asked for heads, and the log is away");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
