//! `DELETE /sessions/current`

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::auth::Signed;
use crate::api::cookie::Cookies;
use crate::api::problem::Refusal;
use crate::api::{ApiState, cookie};

/// Sign out.
///
/// Ends the session of the access token, and takes the cookie away.
#[utoipa::path(delete, path = "/sessions/current", tag = "Sessions",
    responses((status = 204, description = "Signed out.")))]
pub async fn end_current(
    State(state): State<ApiState>,
    Signed(identity): Signed,
) -> Result<(StatusCode, Cookies), Refusal> {
    state.accounts.end_session(identity, identity.device).await?;
    Ok((StatusCode::NO_CONTENT, cookie::clear(&state.options)))
}
