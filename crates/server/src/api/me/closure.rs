//! `POST /me/closure`

use axum::extract::State;
use axum::http::StatusCode;
use klatch_protocol::rest::Closure;

use crate::api::auth::Signed;
use crate::api::cookie::Cookies;
use crate::api::extract::Json;
use crate::api::problem::Refusal;
use crate::api::{ApiState, cookie};

/// Close one's account.
///
/// For good: nobody signs in with it again, its name stays taken, and the key that its messages were sealed with is destroyed, so
/// that nobody can read them any more.
#[utoipa::path(post, path = "/me/closure", tag = "Me", request_body = Closure,
    responses((status = 204, description = "It is closed.")))]
pub async fn close(
    State(state): State<ApiState>,
    Signed(identity): Signed,
    Json(body): Json<Closure>,
) -> Result<(StatusCode, Cookies), Refusal> {
    state.accounts.close(identity, &body.password).await?;
    state.sealer.forget(identity.user);
    Ok((StatusCode::NO_CONTENT, cookie::clear(&state.options)))
}
