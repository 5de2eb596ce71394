//! `GET /.well-known/jwks.json`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use klatch_protocol::rest::Jwks;

use crate::api::ApiState;

/// The public keys that access tokens are verified with.
pub async fn jwks(State(state): State<ApiState>) -> ([(HeaderName, &'static str); 1], Json<Jwks>) {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(state.accounts.signer().jwks()))
}
