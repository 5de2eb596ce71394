//! `PUT /me/blocks/{user}`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_core::ids::UserId;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// Block a person.
///
/// The two cannot write to each other directly, nor add each other to anything, until it is taken back.
#[utoipa::path(put, path = "/me/blocks/{user}", tag = "Me", params(("user" = Uuid, Path, description = "The person.")),
    responses((status = 204, description = "Blocked.")))]
pub async fn block(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(user): PathId,
) -> Result<StatusCode, Refusal> {
    state.accounts.block(identity.user, UserId(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}
