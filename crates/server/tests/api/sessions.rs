//! Sessions: listed and ended, at once.

use klatch_core::ids::DeviceId;
use klatch_protocol::objects::Slug;
use klatch_protocol::rest::{Jwks, Page, SessionItem};
use klatch_server::accounts::notices::AccountNotice;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{done, read, refused, site};

#[tokio::test]
async fn one_sees_ones_own_sessions_and_which_is_this() {
    let site = site().await;
    let desk = site.sign_up("ada").await;
    site.clock.advance(1_000);
    let phone = site.sign_in("ada").await;
    site.sign_up("bob").await;
    let page: Page<SessionItem> = read(desk.get("/sessions"), StatusCode::OK).await;
    let seen: Vec<_> = page.items.iter().map(|session| (session.id, session.current)).collect();
    assert_eq!(seen, [(phone.session.session.id, false), (desk.session.session.id, true)]);
    assert_eq!(page.next, None);
    refused(site.request(Method::GET, "/sessions"), Slug::Unauthorized).await;
}

#[tokio::test]
async fn a_session_that_is_ended_is_over_at_once() {
    let site = site().await;
    let (desk, phone) = (site.sign_up("ada").await, site.sign_in("ada").await);
    let bob = site.sign_up("bob").await;
    let mut ear = site.hear(desk.id()).await;
    assert!(phone.is_signed_in().await, "and so the server remembers it for a moment");
    let path = format!("/sessions/{}", phone.session.session.id);
    refused(bob.delete(&path), Slug::NotFound).await;
    done(desk.delete(&path)).await;
    assert!(!phone.is_signed_in().await);
    let device = DeviceId(phone.session.session.id);
    assert_eq!(ear.notices().await, [AccountNotice::SessionRevoked { device }], "open sockets are closed too");
    let refresh = json!({"refresh_token": phone.refresh_token()});
    refused(site.post("/sessions/refresh", refresh), Slug::SignedOut).await;
    refused(desk.delete(&path), Slug::NotFound).await;
    refused(desk.delete("/sessions/what"), Slug::InvalidRequest).await;
    assert!(desk.is_signed_in().await && bob.is_signed_in().await);
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let response = ada.delete("/sessions/current").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("klatch_refresh=; Path=/api/v1/sessions; Max-Age=0"));
    refused(ada.get("/me"), Slug::SignedOut).await;
}

#[tokio::test]
async fn what_is_no_access_token_opens_nothing() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let token = &ada.session.access_token;
    let cut = &token[..token.len() - 3];
    for header in ["", "Bearer", "Bearer ", "Basic YWRhOnB3", &format!("Bearer {cut}"), &format!("Token {token}")] {
        refused(site.request(Method::GET, "/me").header("Authorization", header), Slug::Unauthorized).await;
    }
    let refresh = site.request(Method::GET, "/me").bearer_auth(ada.refresh_token());
    refused(refresh, Slug::Unauthorized).await;
    let response = site.request(Method::GET, "/me").send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    site.clock.advance(600_000);
    refused(ada.get("/me"), Slug::TokenExpired).await;
}

#[tokio::test]
async fn others_can_verify_access_tokens_by_the_public_key() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let keys: Jwks = read(site.request(Method::GET, "/.well-known/jwks.json"), StatusCode::OK).await;
    let key = &keys.keys[0];
    assert_eq!(
        (key.kty.as_str(), key.crv.as_str(), key.alg.as_str(), key.usage.as_str()),
        ("OKP", "Ed25519", "EdDSA", "sig")
    );
    let header = jsonwebtoken::decode_header(&ada.session.access_token).unwrap();
    assert_eq!(header.kid.as_ref(), Some(&key.kid));
    let decoding = jsonwebtoken::DecodingKey::from_ed_components(&key.x).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(&ada.session.access_token, &decoding, &validation).unwrap().claims;
    assert_eq!(claims["sub"], json!(ada.id()));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 600);
}

#[tokio::test]
async fn a_device_too_many_makes_the_one_that_rested_longest_give_way() {
    let site = site().await;
    let first = site.sign_up("ada").await;
    assert!(first.is_signed_in().await);
    let mut ear = site.hear(first.id()).await;
    for _ in 0..50 {
        site.clock.advance(1);
        site.sign_in("ada").await;
    }
    assert!(!first.is_signed_in().await);
    let device = DeviceId(first.session.session.id);
    assert_eq!(ear.notices().await, [AccountNotice::SessionRevoked { device }]);
    refused(first.delete(&format!("/sessions/{}", Uuid::nil())), Slug::SignedOut).await;
}
