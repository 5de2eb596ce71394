//! Writes that are repeated with their key take effect once.

use klatch_protocol::objects::Slug;
use klatch_protocol::rest::{InviteItem, Page};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::world::{PASSWORD, done, read, refused, site};

fn keyed(request: RequestBuilder, key: u128) -> RequestBuilder {
    request.header("Idempotency-Key", Uuid::from_u128(key).to_string())
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let make = || keyed(owner.post("/invites", json!({"uses": 1})), 1);
    let first: InviteItem = read(make(), StatusCode::CREATED).await;
    let response = make().send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["idempotent-replayed"]),
        (StatusCode::CREATED, &"true".parse().unwrap())
    );
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.json::<InviteItem>().await.unwrap(), first, "with its token, which is shown to nobody else");
    let page: Page<InviteItem> = read(owner.get("/invites"), StatusCode::OK).await;
    assert_eq!(page.items.len(), 1);

    site.clock.advance(24 * 3_600_000);
    let owner = site.sign_in("owner").await;
    let anew: InviteItem = read(keyed(owner.post("/invites", json!({"uses": 1})), 1), StatusCode::CREATED).await;
    assert_ne!(anew.id, first.id, "after a day");
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let _: InviteItem = read(keyed(owner.post("/invites", json!({"uses": 1})), 1), StatusCode::CREATED).await;
    refused(keyed(owner.post("/invites", json!({"uses": 2})), 1), Slug::IdempotencyReused).await;
    refused(keyed(owner.patch("/me", json!({"uses": 1})), 1), Slug::IdempotencyReused).await;
    let other = site.owner("other").await;
    let _: InviteItem = read(keyed(other.post("/invites", json!({"uses": 2})), 1), StatusCode::CREATED).await;
    refused(owner.post("/invites", json!({})).header("Idempotency-Key", "mine"), Slug::InvalidRequest).await;
    refused(keyed(site.post("/invites", json!({})), 1), Slug::Unauthorized).await;
}

#[tokio::test]
async fn a_refusal_is_decided_anew() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let change =
        |current: &str| keyed(ada.put("/me/password", json!({"current": current, "new": "another good password"})), 1);
    refused(change("wrong password"), Slug::WrongPassword).await;
    done(change(PASSWORD)).await;
    done(change(PASSWORD)).await;
    refused(change("another good password"), Slug::IdempotencyReused).await;
}

#[tokio::test]
async fn of_many_at_once_one_takes_effect() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let tries = (0..10).map(|_| keyed(owner.post("/invites", json!({})), 1).send());
    for response in futures_util::future::join_all(tries).await {
        let status = response.unwrap().status();
        assert!(matches!(status, StatusCode::CREATED | StatusCode::SERVICE_UNAVAILABLE), "{status}");
    }
    let page: Page<InviteItem> = read(owner.get("/invites"), StatusCode::OK).await;
    assert_eq!(page.items.len(), 1);
}
