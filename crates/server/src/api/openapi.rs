//! The description of the API (OpenAPI 3.1), generated from its endpoints and completed with what all of them have in common.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use klatch_protocol::objects::{Problem, Slug};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;
use utoipa::{PartialSchema, ToSchema};

/// How one begins to read it.
const ABOUT: &str = "The API of a Klatch. Everything live goes over the gateway, a WebSocket at `/api/v1/gateway`; this is the \
                     rest. `POST /api/v1/sessions` gives an access token for `Authorization: Bearer`, good for ten minutes. \
                     Whatever is refused is answered with a [problem](/problems) (RFC 9457) whose `type` is a page that explains it. Unknown \
                     fields are ignored, by both sides.";

/// What the endpoints are about, in the order in which they are read.
const TAGS: [(&str, &str); 7] = [
    ("Sessions", "Signing up, in and out."),
    ("Me", "One's own account."),
    ("People", "Everybody."),
    ("Conversations", "What one is in, and what can be joined."),
    ("History", "What was said."),
    ("Invites", "Links with which people sign up."),
    ("Site", "The site itself."),
];

/// The document, the same for every site that runs this version.
pub fn document() -> Value {
    complete(super::description())
}

/// Serves the document.
pub(super) async fn serve(document: Bytes) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, document)
}

/// What is generated says what differs between endpoints; this adds what does not.
pub(super) fn complete(description: OpenApi) -> Value {
    let mut document = serde_json::to_value(description).unwrap_or_default();
    document["info"] = json!({
        "title": "Klatch", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    });
    document["servers"] = json!([{"url": "/"}]);
    document["tags"] =
        TAGS.iter().map(|(name, description)| json!({"name": name, "description": description})).collect();
    document["security"] = json!([{"bearer": []}]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}});
    components["schemas"][&*Problem::name()] = serde_json::to_value(Problem::schema()).unwrap_or_default();
    components["responses"] = json!({"Problem": {
        "description": problems(),
        "content": {"application/problem+json": {"schema": {"$ref": format!("#/components/schemas/{}", Problem::name())}}},
    }});
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let id = format!(
                "{method}{}",
                path.trim_start_matches("/api/v1").replace(['/', '-'], "_").replace(['{', '}'], "")
            );
            operation["operationId"] = Value::String(id);
            operation["responses"]["default"] = json!({"$ref": "#/components/responses/Problem"});
        }
    }
    document
}

/// Every slug with its title, so that the document alone tells what can be refused.
fn problems() -> String {
    let line = |slug: &Slug| format!("- `{}` ({}): {}", slug.as_str(), slug.status(), slug.title());
    let lines: Vec<String> = Slug::ALL.iter().map(line).collect();
    format!("Why it was refused; `type` is `/problems/` and one of these:\n\n{}", lines.join("\n"))
}
