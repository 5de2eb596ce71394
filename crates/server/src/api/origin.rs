//! Whose page a request comes from. What a browser authorises by itself (a cookie, or a WebSocket's upgrade) is only done for
//! pages of this site.

use axum::http::{HeaderMap, header};
use klatch_protocol::objects::Slug;

use super::Options;
use super::problem::Refusal;

/// Lets a request pass that comes from a page of this site, or from no page at all.
///
/// # Errors
/// `wrong_origin`.
pub fn check(options: &Options, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_own = match text(header::ORIGIN) {
        Some(origin) => is_own(options, origin, host(headers)),
        // Every browser sends an origin with a POST or an upgrade; the newer ones also say how the two sites are related.
        None => !matches!(headers.get("sec-fetch-site").map(|v| v.as_bytes()), Some(b"cross-site" | b"same-site")),
    };
    if is_own { Ok(()) } else { Err(Refusal::new(Slug::WrongOrigin)) }
}

/// The site's own address: the configured one, or the one that the request was sent to.
pub fn base(options: &Options, headers: &HeaderMap) -> String {
    match (&options.public_url, host(headers)) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(host)) => format!("{}://{host}", if options.secure_cookies { "https" } else { "http" }),
        (None, None) => String::new(),
    }
}

fn is_own(options: &Options, origin: &str, host: Option<&str>) -> bool {
    let is_listed = |url: &String| url.trim_end_matches('/').eq_ignore_ascii_case(origin);
    if options.public_url.iter().chain(&options.origins).any(is_listed) {
        return true;
    }
    // Behind a proxy whose address nobody configured, the host is all there is to compare. A page in the clear is not one of a
    // site that speaks TLS: whoever is on the wire can write it.
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    (scheme == "https" || !options.secure_cookies) && host.is_some_and(|host| authority.eq_ignore_ascii_case(host))
}

/// What a trusted proxy said of it stands here already (`address`).
fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn passes(options: &Options, pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        check(options, &headers.collect()).is_ok()
    }

    #[test]
    fn only_pages_of_this_site_pass() {
        let plain = Options::default();
        assert!(passes(&plain, &[("origin", "http://chat.example:8080"), ("host", "chat.example:8080")]));
        assert!(!passes(&plain, &[("origin", "http://evil.example"), ("host", "chat.example")]));
        assert!(!passes(&plain, &[("origin", "http://chat.example:81"), ("host", "chat.example")]));
        assert!(!passes(&plain, &[("origin", "null"), ("host", "chat.example")]));
        assert!(!passes(&plain, &[("origin", "http://evil.example")]));
        assert!(passes(&plain, &[("host", "chat.example")]), "a program, not a page");
        assert!(!passes(&plain, &[("host", "chat.example"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn a_configured_address_counts_and_what_is_claimed_does_not() {
        let site = Options { public_url: Some("https://chat.example/".into()), ..Options::default() };
        assert!(passes(&site, &[("origin", "https://chat.example"), ("host", "10.0.0.7:8080")]));
        let (origin, host) = (("origin", "https://chat.example"), ("host", "10.0.0.7"));
        let forwarded = ("x-forwarded-host", "chat.example");
        assert!(!passes(&Options::default(), &[origin, host, forwarded]));
    }

    #[test]
    fn a_page_in_the_clear_is_not_one_of_a_site_that_speaks_tls() {
        let secure = Options { secure_cookies: true, ..Options::default() };
        assert!(passes(&secure, &[("origin", "https://chat.example"), ("host", "chat.example")]));
        assert!(!passes(&secure, &[("origin", "http://chat.example"), ("host", "chat.example")]));
    }
}
