//! `DELETE /invites/{id}`

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// Take an invite back.
#[utoipa::path(delete, path = "/invites/{id}", tag = "Invites", params(("id" = Uuid, Path, description = "The invite.")),
    responses((status = 204, description = "It lets nobody in any more.")))]
pub async fn remove(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
) -> Result<StatusCode, Refusal> {
    state.accounts.remove_invite(identity, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
