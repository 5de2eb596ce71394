//! `/sessions`: signing in and out, renewing, and the list of one's devices.

mod end;
mod end_current;
mod jwks;
mod list;
mod refresh;
mod sign_in;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use klatch_core::ids::DeviceId;
use klatch_ports::directory::Session;
use klatch_protocol::rest::{SessionAnswer, SessionItem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use jwks::jwks;

use super::{ApiState, cookie};
use crate::accounts::{ACCESS_TOKEN_S, SignedIn, user_object};

pub fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, sign_in::sign_in))
        .routes(routes!(refresh::refresh))
        .routes(routes!(end_current::end_current))
        .routes(routes!(end::end))
}

/// The answer to whoever signed in. The refresh token goes into the cookie or into the body, never into both.
pub fn session_answer(state: &ApiState, status: StatusCode, signed_in: SignedIn, in_cookie: bool) -> Response {
    let SignedIn { account, session, access_token, refresh_token } = signed_in;
    let current = session.device;
    let answer = SessionAnswer {
        access_token: access_token.expose().to_owned(),
        expires_in_s: ACCESS_TOKEN_S,
        session: session_item(session, current),
        user: user_object(account),
        refresh_token: (!in_cookie).then(|| refresh_token.expose().to_owned()),
    };
    let cookies = in_cookie.then(|| cookie::set(&state.options, &refresh_token));
    let mut response = (status, cookies, axum::Json(answer)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn session_item(session: Session, current: DeviceId) -> SessionItem {
    SessionItem {
        id: session.device.0,
        device: session.name,
        created_at: session.created_at.0,
        last_used_at: session.last_used_at.0,
        current: session.device == current,
    }
}
