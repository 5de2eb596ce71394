//! Whoever knocks at the gateway and is not let in is told why, as everywhere: by a problem with a slug.

use klatch_protocol::objects::{Problem, Slug};
use klatch_testkit::{NodeOptions, TestNode, eventually};
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode};

/// What a handshake has (RFC 6455, section 1.3).
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "keep-alive, Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// A handshake in which this header is another, or is not there.
fn knock(node: &TestNode, name: &str, value: Option<&str>) -> RequestBuilder {
    let request = Client::new().get(format!("{}/api/v1/gateway", node.base()));
    let kept = HANDSHAKE.into_iter().filter(|(known, _)| *known != name);
    let all = kept.chain(value.map(|value| (name, value)));
    all.fold(request, |request, (name, value)| request.header(name, value))
}

async fn refused(request: RequestBuilder, status: StatusCode, slug: Slug) -> (Problem, HeaderMap) {
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), status);
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "application/problem+json");
    let problem: Problem = answer.json().await.expect("a problem");
    assert_eq!((problem.slug(), problem.status), (Some(slug), Some(status.as_u16())), "{problem:?}");
    assert_eq!(problem.kind, format!("/problems/{}", slug.as_str()));
    assert_eq!(problem.instance.as_deref(), headers["x-request-id"].to_str().ok());
    (problem, headers)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_told_what_is_one() {
    let node = TestNode::start().await;
    let upgrade = StatusCode::UPGRADE_REQUIRED;
    for (name, value) in
        [("connection", None), ("connection", Some("keep-alive")), ("upgrade", None), ("upgrade", Some("h2c"))]
    {
        let (problem, headers) = refused(knock(&node, name, value), upgrade, Slug::InvalidRequest).await;
        assert!(problem.detail.is_some_and(|detail| detail.contains("Upgrade: websocket")), "{name} {value:?}");
        assert_eq!(headers["upgrade"], "websocket");
    }
    for version in [None, Some("8"), Some("x")] {
        let request = knock(&node, "sec-websocket-version", version);
        let (_, headers) = refused(request, upgrade, Slug::VersionUnsupported).await;
        assert_eq!(headers["sec-websocket-version"], "13", "RFC 6455, section 4.4");
    }
    for key in [None, Some(""), Some("dGhlIHNhbXBsZQ=="), Some("no base64, no base64")] {
        let request = knock(&node, "sec-websocket-key", key);
        let (problem, _) = refused(request, StatusCode::BAD_REQUEST, Slug::InvalidRequest).await;
        assert!(problem.detail.is_some_and(|detail| detail.contains("Sec-WebSocket-Key")), "{key:?}");
    }
    let post = Client::new().post(format!("{}/api/v1/gateway", node.base()));
    let (_, headers) = refused(post, StatusCode::METHOD_NOT_ALLOWED, Slug::InvalidRequest).await;
    assert!(headers["allow"].to_str().expect("text").contains("GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_is_told_so() {
    let node = TestNode::start().await;
    for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        refused(knock(&node, name, Some(value)), StatusCode::FORBIDDEN, Slug::WrongOrigin).await;
    }
    let own = knock(&node, "origin", Some(&node.base())).send().await.expect("an answer");
    assert_eq!(own.status(), StatusCode::SWITCHING_PROTOCOLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_too_many_is_told_to_come_again() {
    let mut options = NodeOptions::default();
    options.limits.connections = 2;
    options.is_together = true;
    let node = TestNode::with(options).await;
    let ada = node.user("ada").await;
    let hers = [ada.silent_device().await, ada.silent_device().await];
    let one_more = || knock(&node, "", None);
    let (problem, headers) = refused(one_more(), StatusCode::SERVICE_UNAVAILABLE, Slug::Unavailable).await;
    assert!(problem.retry_after_ms.is_some() && headers.contains_key("retry-after"));
    drop(hers);
    eventually("room again", async || {
        let answer = one_more().send().await.expect("an answer");
        (answer.status() == StatusCode::SWITCHING_PROTOCOLS).then_some(())
    })
    .await;
}
