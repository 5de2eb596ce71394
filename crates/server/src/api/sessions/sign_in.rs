//! `POST /sessions`

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use klatch_protocol::rest::{SessionAnswer, SignIn};

use super::session_answer;
use crate::api::address::ClientAddress;
use crate::api::extract::Json;
use crate::api::problem::Refusal;
use crate::api::{ApiState, origin};

/// Sign in.
///
/// Tries are limited by name and by address.
#[utoipa::path(post, path = "/sessions", tag = "Sessions", security(()), request_body = SignIn,
    responses((status = 201, description = "Signed in.", body = SessionAnswer)))]
pub async fn sign_in(
    State(state): State<ApiState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, Refusal> {
    origin::check(&state.options, &headers)?;
    let signed_in = state.accounts.sign_in(&body.name, &body.password, body.device.as_deref(), address).await?;
    Ok(session_answer(&state, StatusCode::CREATED, signed_in, body.cookie))
}
