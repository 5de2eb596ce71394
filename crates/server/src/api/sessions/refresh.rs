//! `POST /sessions/refresh`

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use klatch_protocol::objects::Slug;
use klatch_protocol::rest::{Refresh, SessionAnswer};

use super::session_answer;
use crate::api::extract::OptionalJson;
use crate::api::problem::Refusal;
use crate::api::{ApiState, cookie, origin};

/// Renew a session.
///
/// Takes the refresh token from the body, or from the cookie where the body has none. A token stays valid until its successor is
/// first used, at most 60 s; one that is used later than that ends the session.
#[utoipa::path(post, path = "/sessions/refresh", tag = "Sessions", security(()), request_body = Option<Refresh>,
    responses((status = 200, description = "Renewed.", body = SessionAnswer)))]
pub async fn refresh(
    State(state): State<ApiState>,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson<Refresh>,
) -> Result<Response, Refusal> {
    if let Some(token) = &body.refresh_token {
        let signed_in = state.accounts.refresh(token).await?;
        return Ok(session_answer(&state, StatusCode::OK, signed_in, false));
    }
    origin::check(&state.options, &headers)?;
    let Some(token) = cookie::get(&headers) else {
        return Ok((cookie::clear(&state.options), Refusal::new(Slug::Unauthorized)).into_response());
    };
    match state.accounts.refresh(token).await {
        Ok(signed_in) => Ok(session_answer(&state, StatusCode::OK, signed_in, true)),
        Err(error) if error.slug() == Slug::SignedOut => {
            Ok((cookie::clear(&state.options), Refusal::from(error)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
