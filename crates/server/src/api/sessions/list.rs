//! `GET /sessions`

use axum::Json;
use axum::extract::State;
use klatch_protocol::rest::{Page, SessionItem};

use super::session_item;
use crate::api::ApiState;
use crate::api::auth::Signed;
use crate::api::problem::Refusal;

/// One's devices.
///
/// All sessions, last used first.
#[utoipa::path(get, path = "/sessions", tag = "Sessions",
    responses((status = 200, description = "All of them.", body = Page<SessionItem>)))]
pub async fn list(State(state): State<ApiState>, Signed(identity): Signed) -> Result<Json<Page<SessionItem>>, Refusal> {
    let sessions = state.accounts.sessions(identity.user).await?;
    Ok(Json(Page::whole(sessions.into_iter().map(|session| session_item(session, identity.device)).collect())))
}
