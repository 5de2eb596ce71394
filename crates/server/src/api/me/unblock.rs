//! `DELETE /me/blocks/{user}`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_core::ids::UserId;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// Take a block back.
#[utoipa::path(delete, path = "/me/blocks/{user}", tag = "Me", params(("user" = Uuid, Path, description = "The person.")),
    responses((status = 204, description = "Not blocked, at least not by oneself.")))]
pub async fn unblock(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(user): PathId,
) -> Result<StatusCode, Refusal> {
    state.accounts.unblock(identity.user, UserId(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}
