//! Signing up and in.

use klatch_protocol::objects::{AccountRole, AccountState, Slug};
use klatch_protocol::rest::{SessionAnswer, SiteInfo};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{PASSWORD, read, refused, site};

#[tokio::test]
async fn whoever_signs_up_is_signed_in() {
    let site = site().await;
    let body = json!({"name": " Ada ", "password": PASSWORD, "display_name": "Ada Lovelace", "device": "desk",
        "cookie": false, "a field of tomorrow": [1]});
    let answer: SessionAnswer = read(site.post("/accounts", body), StatusCode::CREATED).await;
    let user = &answer.user;
    assert_eq!((user.name.as_str(), user.display_name.as_str(), user.about.as_str()), ("ada", "Ada Lovelace", ""));
    assert_eq!((user.role, user.state), (AccountRole::Member, AccountState::Active));
    assert_eq!((answer.session.device.as_str(), answer.session.current, answer.expires_in_s), ("desk", true, 600));
    let me: Value = read(site.request(Method::GET, "/me").bearer_auth(&answer.access_token), StatusCode::OK).await;
    assert_eq!(me["id"], json!(user.id));
    assert!(!format!("{answer:?}").contains(&answer.access_token), "tokens are not printed");
}

#[tokio::test]
async fn names_and_passwords_have_rules() {
    let site = site().await;
    site.sign_up("taken").await;
    for (name, password, slug) in [
        ("ad a", PASSWORD, Slug::InvalidName),
        ("", PASSWORD, Slug::InvalidName),
        ("everyone", PASSWORD, Slug::InvalidName),
        ("ada", "short", Slug::WeakPassword),
        ("ada", &"x".repeat(257), Slug::WeakPassword),
        ("ada.lovelace", "Ada.Lovelace", Slug::WeakPassword),
        ("TAKEN", PASSWORD, Slug::NameTaken),
    ] {
        let problem = refused(site.post("/accounts", json!({"name": name, "password": password})), slug).await;
        assert!(problem.detail.is_some());
    }
    let display = json!({"name": "ada", "password": PASSWORD, "display_name": "Ada\u{202e}"});
    refused(site.post("/accounts", display), Slug::InvalidName).await;
}

#[tokio::test]
async fn signing_in_tells_nothing_about_names() {
    let site = site().await;
    site.sign_up("ada").await;
    let again = site.sign_in("ADA").await;
    assert!(again.is_signed_in().await);
    let wrong = |name: &str| site.post("/sessions", json!({"name": name, "password": "wrong password"}));
    let known = refused(wrong("ada"), Slug::WrongPassword).await;
    let unknown = refused(wrong("nobody"), Slug::WrongPassword).await;
    let impossible = refused(wrong("no such name at all"), Slug::WrongPassword).await;
    assert!(known.detail == unknown.detail && known.detail == impossible.detail);
}

#[tokio::test]
async fn the_claim_makes_one_owner() {
    let site = site().await;
    let info: SiteInfo = read(site.request(Method::GET, "/site"), StatusCode::OK).await;
    assert!(info.needs_owner && info.name == "Klatch");
    let claim = site.accounts.make_claim().await.unwrap();
    let body = |name: &str| json!({"name": name, "password": PASSWORD, "invite": claim.expose(), "cookie": false});
    let answer: SessionAnswer = read(site.post("/accounts", body("ada")), StatusCode::CREATED).await;
    assert_eq!(answer.user.role, AccountRole::Owner);
    let info: SiteInfo = read(site.request(Method::GET, "/site"), StatusCode::OK).await;
    assert!(!info.needs_owner);
    refused(site.post("/accounts", body("eve")), Slug::InviteInvalid).await;

    let late = site.accounts.make_claim().await.unwrap();
    site.clock.advance(24 * 3_600_000);
    let body = json!({"name": "eve", "password": PASSWORD, "invite": late.expose()});
    refused(site.post("/accounts", body), Slug::InviteInvalid).await;
    assert!(!format!("{late:?}").contains(late.expose()));
}

#[tokio::test]
async fn a_sign_up_whose_answer_was_lost_can_be_repeated() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let invite: Value = read(owner.post("/invites", json!({"uses": 1})), StatusCode::CREATED).await;
    let key = Uuid::from_u128(42).to_string();
    let body =
        |password: &str| json!({"name": "ada", "password": password, "invite": invite["token"], "cookie": false});
    let first = site.post("/accounts", body(PASSWORD)).header("Idempotency-Key", &key);
    let first: SessionAnswer = read(first, StatusCode::CREATED).await;
    let again = site.post("/accounts", body(PASSWORD)).header("Idempotency-Key", &key);
    let again: SessionAnswer = read(again, StatusCode::CREATED).await;
    assert_eq!(again.user, first.user);
    assert_ne!(again.session.id, first.session.id);

    let guess = site.post("/accounts", body("another password")).header("Idempotency-Key", &key);
    refused(guess, Slug::NameTaken).await;
    let other = site.post("/accounts", body(PASSWORD)).header("Idempotency-Key", Uuid::from_u128(43).to_string());
    refused(other, Slug::NameTaken).await;
    refused(site.post("/accounts", body(PASSWORD)), Slug::NameTaken).await;
}

#[tokio::test]
async fn only_pages_of_this_site_sign_anybody_in() {
    let site = site().await;
    site.sign_up("ada").await;
    let sign_in = || site.post("/sessions", json!({"name": "ada", "password": PASSWORD}));
    refused(sign_in().header("Origin", "https://evil.example"), Slug::WrongOrigin).await;
    refused(
        site.post("/accounts", json!({"name": "eve", "password": PASSWORD})).header("Origin", "null"),
        Slug::WrongOrigin,
    )
    .await;
    let answer: SessionAnswer = read(sign_in().header("Origin", &site.base), StatusCode::CREATED).await;
    assert!(answer.refresh_token.is_none(), "it is in the cookie");
}
