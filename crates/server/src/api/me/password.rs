//! `PUT /me/password`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_protocol::rest::PasswordChange;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::Json;
use crate::api::problem::Refusal;

/// Set one's password.
///
/// All other sessions end.
#[utoipa::path(put, path = "/me/password", tag = "Me", request_body = PasswordChange,
    responses((status = 204, description = "It is set.")))]
pub async fn set_password(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Json(body): Json<PasswordChange>,
) -> Result<StatusCode, Refusal> {
    state.accounts.change_password(identity, &body.current, &body.new).await?;
    Ok(StatusCode::NO_CONTENT)
}
