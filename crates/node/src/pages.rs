//! The web client, which lies in the binary.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/app/dist"]
#[allow_missing = true]
struct Files;

/// What a page may do: load what lies here, talk to this server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file of the web client, or its page for every other address: the client knows what to show there.
pub async fn page(request: Request) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return status(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    let is_asset = path.starts_with("assets/");
    let name = if Files::get(path).is_some() || is_asset { path } else { "index.html" };
    let Some(file) = Files::get(name) else {
        let missing = if is_asset { "There is nothing here." } else { NOT_BUILT };
        return status(StatusCode::NOT_FOUND, missing);
    };
    let tag = tag(&file.metadata.sha256_hash());
    if request.headers().get(IF_NONE_MATCH) == Some(&tag) {
        return with(StatusCode::NOT_MODIFIED, &tag, name, is_asset, Body::empty());
    }
    with(StatusCode::OK, &tag, name, is_asset, Body::from(file.data.into_owned()))
}

const NOT_BUILT: &str = "The web client was not built into this binary. Run `make web`, then build again.";

fn tag(hash: &[u8]) -> HeaderValue {
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hex}\"")).expect("hexadecimal digits are a header")
}

fn with(status: StatusCode, tag: &HeaderValue, name: &str, is_asset: bool, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(ETAG, tag.clone());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(if is_asset { FOR_EVER } else { "no-cache" }));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn status(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
