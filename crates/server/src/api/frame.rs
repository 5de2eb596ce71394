//! What lies around every request: from where it comes, its id, its line in the log, the headers that keep browsers careful, the body of a refusal,
//! and the net under a panic.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use klatch_protocol::objects::Slug;
use tracing::Instrument;

use super::ApiState;
use super::problem::{self, Refusal};
use crate::environment::uuid_v7;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// LIMIT: a request's id that a client chose is a word of at most this many letters.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// What answers of the API may do when a browser shows them as a page: nothing.
const ANSWER_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Runs a request.
pub async fn frame(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    state.options.proxies.settle(&mut request);
    let id = request_id(&state, request.headers());
    let (method, began) = (method(&request), state.services.clock.now());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id, method, route);
    let answer = async {
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a request panicked");
            Refusal::new(Slug::Internal).into_response()
        });
        let response = problem::finish(response, &id);
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    };
    let mut response = answer.instrument(span).await;
    let took_ms = state.services.clock.now().ms_since(began);
    let status = response.status().as_str().to_owned();
    metrics::counter!("klatch_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("klatch_http_request_ms", "route" => route).record(took_ms as f64);
    careful(response.headers_mut());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The method, of those there are: what is counted by method must not grow by what clients make up.
fn method(request: &Request) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// The id that the client chose, if it is one, so that both sides' logs can be put together.
fn request_id(state: &ApiState, headers: &HeaderMap) -> String {
    let is_word = |id: &&str| {
        (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let chosen = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(is_word);
    chosen.map_or_else(|| uuid_v7(&*state.services.clock, &*state.services.entropy).to_string(), str::to_owned)
}

/// Headers that keep browsers careful, where the answer has not set its own.
fn careful(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, ANSWER_POLICY),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
