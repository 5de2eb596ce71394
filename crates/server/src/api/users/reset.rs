//! `POST /users/{id}/password-reset`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use klatch_core::ids::UserId;
use klatch_protocol::rest::PasswordReset;

use crate::api::auth::Signed;
use crate::api::extract::PathId;
use crate::api::problem::Refusal;
use crate::api::{ApiState, origin};

/// Make a link to set a password.
///
/// For owners of the site, to be handed to whoever forgot theirs. It is good once, for a day; the link before it is not any more.
#[utoipa::path(post, path = "/users/{id}/password-reset", tag = "People",
    params(("id" = Uuid, Path, description = "Whose password.")),
    responses((status = 201, description = "The link, shown this once.", body = PasswordReset)))]
pub async fn make_reset(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    PathId(id): PathId,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<PasswordReset>), Refusal> {
    let (token, expires_at) = state.accounts.make_reset(identity, UserId(id)).await?;
    let link = format!("{}/reset#token={}", origin::base(&state.options, &headers), token.expose());
    Ok((StatusCode::CREATED, Json(PasswordReset { link, expires_at: expires_at.0 })))
}
