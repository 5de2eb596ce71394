//! `/api/docs`: the description of the API as a page. Its script renders the document that this same server generates, so it needs
//! nothing from elsewhere.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::ApiState;
use super::page::page;

pub fn router() -> Router<ApiState> {
    Router::new()
        .route("/api/docs", get(async || page(include_str!("docs.html").to_owned())))
        .route("/api/docs/docs.js", get(async || file("text/javascript; charset=utf-8", include_str!("docs.js"))))
        .route("/api/docs/docs.css", get(async || file("text/css; charset=utf-8", include_str!("docs.css"))))
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, text)
}
