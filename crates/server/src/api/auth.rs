//! Who asks: `Authorization: Bearer`, and nothing else. A cookie never authorises anything but the renewal of a session.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use klatch_protocol::objects::Slug;

use super::ApiState;
use super::problem::Refusal;
use crate::accounts::{Attempt, Identity};

/// Somebody who is signed in.
pub struct Signed(pub Identity);

impl FromRequestParts<ApiState> for Signed {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers).ok_or_else(|| Refusal::new(Slug::Unauthorized))?;
        let identity = state.accounts.authenticate(token).await?;
        state.accounts.count_if_possible(Attempt::Request(identity.user)).await?;
        Ok(Self(identity))
    }
}

/// The access token of a request.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
