//! Renewing a session, and everything that can happen to the answer on its way.

use klatch_protocol::objects::Slug;
use klatch_protocol::rest::SessionAnswer;
use klatch_server::accounts::Rates;
use klatch_server::accounts::notices::AccountNotice;
use klatch_server::api;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;

use crate::world::{PASSWORD, Site, read, refused, serve, site, start};

fn refresh(site: &Site, token: &str) -> RequestBuilder {
    site.post("/sessions/refresh", json!({"refresh_token": token}))
}

async fn refreshed(site: &Site, token: &str) -> SessionAnswer {
    read(refresh(site, token), StatusCode::OK).await
}

#[tokio::test]
async fn each_token_is_replaced_by_the_next() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let mut token = ada.refresh_token();
    for _ in 0..5 {
        site.clock.advance(500_000);
        let answer = refreshed(&site, &token).await;
        assert_eq!((answer.session.id, &answer.user), (ada.session.session.id, &ada.session.user));
        let next = answer.refresh_token.unwrap();
        assert_ne!(next, token);
        token = next;
    }
    assert!(!ada.is_signed_in().await, "its first access token is long over");
    refused(ada.get("/me"), Slug::TokenExpired).await;
}

#[tokio::test]
async fn two_tabs_at_once_stay_signed_in() {
    let site = site().await;
    let mut token = site.sign_up("ada").await.refresh_token();
    for _ in 0..10 {
        let (one, other) = tokio::join!(refreshed(&site, &token), refreshed(&site, &token));
        assert_eq!(one.refresh_token, other.refresh_token, "whichever comes last is the good one");
        token = one.refresh_token.unwrap();
        site.clock.advance(500_000);
    }
}

#[tokio::test]
async fn a_lost_answer_signs_nobody_out() {
    let site = site().await;
    let token = site.sign_up("ada").await.refresh_token();
    let lost = refreshed(&site, &token).await;
    site.clock.advance(60_000);
    let found = refreshed(&site, &token).await;
    assert_eq!(lost.refresh_token, found.refresh_token);
    site.clock.advance(500_000);
    refreshed(&site, &found.refresh_token.unwrap()).await;
}

#[tokio::test]
async fn a_server_that_dies_between_rotation_and_answer_signs_nobody_out() {
    let site = site().await;
    let token = site.sign_up("ada").await.refresh_token();
    refreshed(&site, &token).await;
    let again = serve(site.services.clone(), site.clock.clone(), Rates::boundless(), api::Options::default()).await;
    let answer = refreshed(&again, &token).await;
    refreshed(&again, &answer.refresh_token.unwrap()).await;
}

#[tokio::test]
async fn a_token_that_two_hold_ends_the_session() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let mut ear = site.hear(ada.id()).await;
    let stolen = ada.refresh_token();
    let own = refreshed(&site, &stolen).await.refresh_token.unwrap();
    let newest = refreshed(&site, &own).await.refresh_token.unwrap();
    assert!(ada.is_signed_in().await);
    refused(refresh(&site, &stolen), Slug::SignedOut).await;
    assert!(!ada.is_signed_in().await, "at once, not when the access token is over");
    refused(ada.get("/me"), Slug::SignedOut).await;
    refused(refresh(&site, &newest), Slug::SignedOut).await;
    let device = klatch_core::ids::DeviceId(ada.session.session.id);
    assert_eq!(ear.notices().await, [AccountNotice::SessionRevoked { device }]);

    let late = site.sign_in("ada").await.refresh_token();
    refreshed(&site, &late).await;
    site.clock.advance(60_001);
    refused(refresh(&site, &late), Slug::SignedOut).await;
}

#[tokio::test]
async fn what_is_no_token_ends_nothing() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let token = ada.refresh_token();
    let mut forged = token.clone().into_bytes();
    forged[40] ^= 1;
    for bad in ["", "kr_", "nonsense", &token[..token.len() - 1], std::str::from_utf8(&forged).unwrap()] {
        refused(refresh(&site, bad), Slug::SignedOut).await;
    }
    refused(site.post("/sessions/refresh", json!({})), Slug::Unauthorized).await;
    assert!(ada.is_signed_in().await);
    refreshed(&site, &token).await;
}

#[tokio::test]
async fn browsers_keep_the_token_in_a_cookie_that_no_script_reads() {
    let options = api::Options { secure_cookies: true, ..api::Options::default() };
    let site = start(Rates::boundless(), options).await;
    let own = site.base.replace("http://", "https://");
    let body = json!({"name": "ada", "password": PASSWORD});
    let response = site.post("/accounts", body).header("Origin", &own).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["klatch_refresh=kr_", "HttpOnly", "SameSite=Strict", "Path=/api/v1/sessions", "Secure", "Max-Age="] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    // Beside it, for the page to read: that there is one, and no more.
    let sign = response.headers().get_all("set-cookie").iter().nth(1).unwrap().to_str().unwrap().to_owned();
    assert!(sign.starts_with("klatch_signed_in=1; Path=/; Max-Age=") && !sign.contains("HttpOnly"), "{sign}");
    let answer: SessionAnswer = response.json().await.unwrap();
    assert_eq!(answer.refresh_token, None);

    let pair = cookie.split(';').next().unwrap().to_owned();
    let renew = || site.request(reqwest::Method::POST, "/sessions/refresh").header("Cookie", format!("a=b; {pair}"));
    refused(renew().header("Origin", "https://evil.example"), Slug::WrongOrigin).await;
    refused(renew().header("Sec-Fetch-Site", "cross-site"), Slug::WrongOrigin).await;
    let response = renew().header("Origin", &own).send().await.unwrap();
    let next = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(next.starts_with("klatch_refresh=kr_") && !next.starts_with(&pair));
    let answer: SessionAnswer = response.json().await.unwrap();
    assert_eq!(answer.refresh_token, None, "a script that gets in cannot take it away");

    site.clock.advance(60_001);
    let response = renew().header("Origin", &own).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().map(|one| one.to_str().unwrap()).collect();
    assert!(cookies[0].starts_with("klatch_refresh=;") && cookies[1].starts_with("klatch_signed_in=;"), "{cookies:?}");
}

#[tokio::test]
async fn a_cookie_authorises_nothing_else() {
    let site = site().await;
    let token = site.sign_up("ada").await.refresh_token();
    let with_cookie =
        |path: &str| site.request(reqwest::Method::GET, path).header("Cookie", format!("klatch_refresh={token}"));
    refused(with_cookie("/sessions"), Slug::Unauthorized).await;
    refused(with_cookie("/me"), Slug::Unauthorized).await;
}
