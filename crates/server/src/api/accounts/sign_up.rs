//! `POST /accounts`

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use klatch_protocol::rest::{SessionAnswer, SignUp};
use uuid::Uuid;

use crate::accounts;
use crate::api::address::ClientAddress;
use crate::api::extract::Json;
use crate::api::problem::Refusal;
use crate::api::sessions::session_answer;
use crate::api::{ApiState, origin};

/// Sign up.
///
/// Makes an account and signs in. A request that is repeated with its `Idempotency-Key` signs in to the account it made.
#[utoipa::path(post, path = "/accounts", tag = "Sessions", security(()), request_body = SignUp,
    responses((status = 201, description = "Signed in.", body = SessionAnswer)))]
pub async fn sign_up(
    State(state): State<ApiState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(body): Json<SignUp>,
) -> Result<Response, Refusal> {
    origin::check(&state.options, &headers)?;
    let key =
        headers.get("idempotency-key").and_then(|key| key.to_str().ok()).and_then(|key| Uuid::try_parse(key).ok());
    let wanted = accounts::SignUp {
        name: &body.name,
        password: &body.password,
        display_name: body.display_name.as_deref(),
        invite: body.invite.as_deref(),
        device: body.device.as_deref(),
        key,
    };
    let signed_in = state.accounts.sign_up(wanted, address).await?;
    Ok(session_answer(&state, StatusCode::CREATED, signed_in, body.cookie))
}
