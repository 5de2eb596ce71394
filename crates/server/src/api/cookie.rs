//! The refresh token of a browser: in a cookie that no script can read, sent to nothing but `/api/v1/sessions`, and by no page of
//! another site.

use axum::http::{HeaderMap, HeaderValue, header};

use super::Options;
use crate::accounts::Secret;

const NAME: &str = "klatch_refresh";
const PATH: &str = "/api/v1/sessions";
/// As long as a session may rest: 180 days.
const MAX_AGE_S: u64 = klatch_ports::directory::SESSION_IDLE_MS / 1_000;

/// The header that sets the cookie.
pub fn set(options: &Options, token: &Secret) -> HeaderValue {
    let secure = if options.secure_cookies { "; Secure" } else { "" };
    let cookie =
        format!("{NAME}={}; Path={PATH}; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Strict{secure}", token.expose());
    let mut value = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The header that takes the cookie away.
pub fn clear(options: &Options) -> HeaderValue {
    let secure = if options.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{NAME}=; Path={PATH}; Max-Age=0; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
}

/// The token in the cookie of a request.
pub fn get(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, token)| token)
}
