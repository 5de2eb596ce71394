//! `DELETE /sessions/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_core::ids::DeviceId;

use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;

/// Sign a device out.
///
/// It is signed out at once, and its connections are closed.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "Sessions", params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 204, description = "It has ended.")))]
pub async fn end(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
) -> Result<StatusCode, Refusal> {
    state.accounts.end_session(identity, DeviceId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
