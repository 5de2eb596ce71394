//! The refresh token of a browser: in a cookie that no script can read, sent to nothing but `/api/v1/sessions`, and by no page of
//! another site. Beside it lies a sign that it is there, which holds no secret: the page reads it, and asks for a session only
//! where there may be one.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::AppendHeaders;

use super::Options;
use crate::accounts::Secret;

const NAME: &str = "klatch_refresh";
const PATH: &str = "/api/v1/sessions";
const SIGN: &str = "klatch_signed_in";
/// As long as a session may rest: 180 days.
const MAX_AGE_S: u64 = klatch_ports::directory::SESSION_IDLE_MS / 1_000;

/// The headers that set the cookie and its sign, or take them away.
pub type Cookies = AppendHeaders<[(HeaderName, HeaderValue); 2]>;

/// Sets the cookie.
pub fn set(options: &Options, token: &Secret) -> Cookies {
    cookies(options, token.expose(), "1", MAX_AGE_S)
}

/// Takes the cookie away.
pub fn clear(options: &Options) -> Cookies {
    cookies(options, "", "", 0)
}

fn cookies(options: &Options, token: &str, sign: &str, max_age_s: u64) -> Cookies {
    let ends = format!("Max-Age={max_age_s}; SameSite=Strict{}", if options.secure_cookies { "; Secure" } else { "" });
    let header = |cookie: String| HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    let mut secret = header(format!("{NAME}={token}; Path={PATH}; {ends}; HttpOnly"));
    secret.set_sensitive(true);
    let sign = header(format!("{SIGN}={sign}; Path=/; {ends}"));
    AppendHeaders([(header::SET_COOKIE, secret), (header::SET_COOKIE, sign)])
}

/// The token in the cookie of a request.
pub fn get(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, token)| token)
}
