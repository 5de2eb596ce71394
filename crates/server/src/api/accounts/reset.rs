//! `POST /password-resets`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_protocol::rest::NewPassword;

use crate::api::ApiState;
use crate::api::address::ClientAddress;
use crate::api::extract::Json;
use crate::api::problem::Refusal;

/// Set a password with a link.
///
/// Takes the token of a link that an owner made. It is good once; all sessions of the account end.
#[utoipa::path(post, path = "/password-resets", tag = "Sessions", security(()), request_body = NewPassword,
    responses((status = 204, description = "Sign in with the new password.")))]
pub async fn redeem(
    State(state): State<ApiState>,
    ClientAddress(address): ClientAddress,
    Json(body): Json<NewPassword>,
) -> Result<StatusCode, Refusal> {
    state.accounts.redeem_reset(&body.token, &body.password, address).await?;
    Ok(StatusCode::NO_CONTENT)
}
