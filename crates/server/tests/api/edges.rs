//! What all endpoints have in common: bad input, headers, ids of requests, the description.

use klatch_protocol::objects::{Problem, Slug};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{PASSWORD, read, refused, site};

#[tokio::test]
async fn what_is_not_understood_is_said_where() {
    let site = site().await;
    let post = || site.request(Method::POST, "/sessions").header("Content-Type", "application/json");
    for (body, word) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "invalid length"),
        ("{\"name\": 1, \"password\": \"x\"}", "invalid type"),
        ("{\"name\": \"ada\"}", "missing field `password`"),
        ("\u{feff}{}", "expected value"),
    ] {
        let problem = refused(post().body(body.to_owned()), Slug::InvalidRequest).await;
        assert!(problem.detail.as_ref().unwrap().contains(word), "{problem:?}");
        assert_eq!(problem.status, Some(400));
    }
    let form = site.request(Method::POST, "/sessions").body("name=ada&password=x");
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(refused(form, Slug::InvalidRequest).await.status, Some(415));
    let plain = site.request(Method::POST, "/sessions").body(json!({"name": "a", "password": "b"}).to_string());
    refused(plain.header("Content-Type", "text/plain"), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let large = json!({"name": "ada", "password": "x".repeat(70_000)});
    assert_eq!(refused(site.post("/sessions", large.clone()), Slug::TooLarge).await.status, Some(413));
    refused(ada.patch("/me", large.clone()), Slug::TooLarge).await;
    let keyed = ada.patch("/me", large).header("Idempotency-Key", uuid::Uuid::nil().to_string());
    refused(keyed, Slug::TooLarge).await;
}

#[tokio::test]
async fn addresses_that_are_none_are_problems_too() {
    let site = site().await;
    refused(site.request(Method::GET, "/nothing"), Slug::NotFound).await;
    refused(site.request(Method::POST, "/api/nothing/at/all"), Slug::NotFound).await;
    let wrong = refused(site.request(Method::DELETE, "/site"), Slug::InvalidRequest).await;
    assert_eq!(wrong.status, Some(405));
    let response = site.request(Method::DELETE, "/site").send().await.unwrap();
    assert!(response.headers()["allow"].to_str().unwrap().contains("PATCH"));
}

#[tokio::test]
async fn every_answer_keeps_browsers_careful() {
    let site = site().await;
    for path in ["/site", "/me", "/api/openapi.json", "/problems/not_found"] {
        let headers = site.request(Method::GET, path).send().await.unwrap().headers().clone();
        assert_eq!(
            (&headers["x-content-type-options"], &headers["referrer-policy"]),
            (&"nosniff".parse().unwrap(), &"no-referrer".parse().unwrap())
        );
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"), "{path}");
        assert!(headers.contains_key("cache-control") && headers.contains_key("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn a_request_keeps_the_id_that_its_client_gave_it() {
    let site = site().await;
    let chosen = site.request(Method::GET, "/site").header("X-Request-Id", "3f2a-77").send().await.unwrap();
    assert_eq!(chosen.headers()["x-request-id"], "3f2a-77");
    for bad in ["no good \"id\"", &"x".repeat(65), ""] {
        let made = site.request(Method::GET, "/site").header("X-Request-Id", bad).send().await.unwrap();
        assert_eq!(made.headers()["x-request-id"].len(), 36, "{bad}");
    }
}

#[tokio::test]
async fn the_description_tells_of_every_endpoint_and_of_problems() {
    let site = site().await;
    let document: Value = read(site.request(Method::GET, "/api/openapi.json"), StatusCode::OK).await;
    assert_eq!(document, klatch_server::api::document());
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let mut ids = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(path.starts_with("/api/v1/"), "{path}");
            assert!(operation["tags"][0].is_string() && operation["summary"].is_string(), "{method} {path}");
            assert_eq!(operation["responses"]["default"]["$ref"], "#/components/responses/Problem", "{method} {path}");
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    let mut described: Vec<_> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path, method)))
        .map(|(path, method)| format!("{} {}", method.to_uppercase(), path.trim_start_matches("/api/v1")))
        .collect();
    described.sort();
    assert_eq!(described, promised(), "docs/protocol/rest.md and the endpoints differ");
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids of operations are unique");
    check_references(&document, &document);
    let response =
        site.request(Method::GET, "/api/openapi.json").header("Accept-Encoding", "gzip").send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

/// The endpoints in the table of `docs/protocol/rest.md`.
fn promised() -> Vec<String> {
    let page = include_str!("../../../../docs/protocol/rest.md");
    let rows = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let endpoints = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut all: Vec<_> = endpoints.map(|endpoint| endpoint.split('?').next().unwrap().to_owned()).collect();
    all.sort();
    all.dedup();
    all
}

fn check_references(document: &Value, at: &Value) {
    match at {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
            }
            fields.values().for_each(|value| check_references(document, value));
        }
        Value::Array(items) => items.iter().for_each(|value| check_references(document, value)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_a_page_that_needs_nothing_from_elsewhere() {
    let site = site().await;
    let page = site.request(Method::GET, "/api/docs").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    let html = page.text().await.unwrap();
    assert!(
        !html.contains("http://") && !html.contains("https://") && !html.contains("<style") && !html.contains("style=")
    );
    for (path, kind) in [("/api/docs/docs.js", "text/javascript"), ("/api/docs/docs.css", "text/css")] {
        assert!(html.contains(path));
        let file = site.request(Method::GET, path).send().await.unwrap();
        assert_eq!(file.status(), StatusCode::OK);
        assert!(file.headers()["content-type"].to_str().unwrap().starts_with(kind));
    }
}

#[tokio::test]
async fn the_page_of_a_problem_is_where_its_type_says() {
    let site = site().await;
    let problem: Problem = refused(site.request(Method::GET, "/me"), Slug::Unauthorized).await;
    let page = site.request(Method::GET, &problem.kind).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("<h1>Sign in first"));
    let list = site.request(Method::GET, "/problems").send().await.unwrap().text().await.unwrap();
    assert!(list.contains(&problem.kind));
    refused(site.request(Method::GET, "/problems/none"), Slug::NotFound).await;
    refused(site.request(Method::GET, "/problems/..%2F..%2FCargo.toml"), Slug::NotFound).await;
}

#[tokio::test]
async fn secrets_are_in_no_answer_but_their_own() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let problem =
        refused(site.post("/sessions", json!({"name": "ada", "password": "a wrong secret"})), Slug::WrongPassword)
            .await;
    assert!(!format!("{problem:?}").contains("a wrong secret"));
    for path in ["/me", "/sessions", "/users", "/site"] {
        let text = ada.get(path).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("argon2") && !text.contains(PASSWORD) && !text.contains(&ada.session.access_token));
    }
}
