//! How often somebody may try.

use klatch_ports::presence::Rate;
use klatch_protocol::objects::Slug;
use klatch_server::accounts::Rates;
use klatch_server::api;
use klatch_server::api::address::Proxies;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;

use crate::world::{PASSWORD, Site, done, fragile, read, refused, start};

const THREE: Rate = Rate { burst: 3, per_minute: 6 };

fn sign_in(site: &Site, name: &str, password: &str) -> RequestBuilder {
    site.post("/sessions", json!({"name": name, "password": password, "cookie": false}))
}

async fn with(rates: Rates) -> Site {
    start(rates, api::Options::default()).await
}

/// The tests themselves are the proxy.
fn behind_a_proxy() -> api::Options {
    let proxies = Proxies { trusted: vec!["127.0.0.1/32".parse().unwrap()], ..Proxies::default() };
    api::Options { proxies, ..api::Options::default() }
}

#[tokio::test]
async fn passwords_of_one_name_are_tried_slowly() {
    let site = with(Rates { name: THREE, ..Rates::boundless() }).await;
    site.sign_up("ada").await;
    site.sign_up("bob").await;
    for _ in 0..3 {
        refused(sign_in(&site, "ada", "wrong password"), Slug::WrongPassword).await;
    }
    let problem = refused(sign_in(&site, "Ada ", PASSWORD), Slug::RateLimited).await;
    assert_eq!(problem.retry_after_ms, Some(10_000));
    let response = sign_in(&site, "ada", PASSWORD).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"10".parse().unwrap())
    );
    site.sign_in("bob").await;
    site.clock.advance(10_000);
    site.sign_in("ada").await;
    refused(sign_in(&site, "ada", PASSWORD), Slug::RateLimited).await;
}

#[tokio::test]
async fn guessing_from_elsewhere_locks_nobody_out_unless_many_do() {
    let options = behind_a_proxy();
    let five = Rate { burst: 5, per_minute: 6 };
    let site = start(Rates { name: THREE, name_anywhere: five, ..Rates::boundless() }, options).await;
    site.sign_up("ada").await;
    let from = |address: &str, password: &str| sign_in(&site, "ada", password).header("X-Forwarded-For", address);
    for _ in 0..3 {
        refused(from("192.0.2.1", "wrong password"), Slug::WrongPassword).await;
    }
    refused(from("192.0.2.1", PASSWORD), Slug::RateLimited).await;
    let _: serde_json::Value = read(from("192.0.2.2", PASSWORD), StatusCode::CREATED).await;
    refused(from("192.0.2.3", "wrong password"), Slug::WrongPassword).await;
    refused(from("192.0.2.4", PASSWORD), Slug::RateLimited).await;
}

#[tokio::test]
async fn the_password_that_proves_who_one_is_counts_too() {
    let site = with(Rates { name: THREE, ..Rates::boundless() }).await;
    let ada = site.sign_up("ada").await;
    let close = || ada.post("/me/closure", json!({"password": "wrong password"}));
    for _ in 0..3 {
        refused(close(), Slug::WrongPassword).await;
    }
    refused(close(), Slug::RateLimited).await;
    let change = json!({"current": PASSWORD, "new": "another good password"});
    refused(ada.put("/me/password", change.clone()), Slug::RateLimited).await;
    site.clock.advance(10_000);
    done(ada.put("/me/password", change)).await;
}

#[tokio::test]
async fn one_address_tries_slowly_whatever_the_name() {
    let site = with(Rates { address: THREE, ..Rates::boundless() }).await;
    for name in ["ada", "bob", "carol"] {
        refused(sign_in(&site, name, PASSWORD), Slug::WrongPassword).await;
    }
    refused(sign_in(&site, "dave", PASSWORD), Slug::RateLimited).await;
    let reset = site.post("/password-resets", json!({"token": "kp_guess", "password": PASSWORD}));
    refused(reset, Slug::RateLimited).await;
    let elsewhere = sign_in(&site, "dave", PASSWORD).header("X-Forwarded-For", "192.0.2.1");
    refused(elsewhere, Slug::RateLimited).await;
}

#[tokio::test]
async fn behind_a_proxy_each_client_has_an_address_of_its_own() {
    let options = behind_a_proxy();
    let site = start(Rates { address: THREE, ..Rates::boundless() }, options).await;
    let from = |address: &str| sign_in(&site, "ada", PASSWORD).header("X-Forwarded-For", format!("6.6.6.6, {address}"));
    for _ in 0..3 {
        refused(from("192.0.2.1"), Slug::WrongPassword).await;
    }
    refused(from("192.0.2.1"), Slug::RateLimited).await;
    refused(from("192.0.2.2"), Slug::WrongPassword).await;
}

#[tokio::test]
async fn accounts_are_made_slowly() {
    let site = with(Rates { sign_up: THREE, ..Rates::boundless() }).await;
    for name in ["ada", "bob", "carol"] {
        site.sign_up(name).await;
    }
    let body = json!({"name": "dave", "password": PASSWORD});
    refused(site.post("/accounts", body), Slug::RateLimited).await;
    site.clock.advance(10_000);
    site.sign_up("dave").await;
}

#[tokio::test]
async fn sessions_are_renewed_slowly_and_requests_are_counted_by_person() {
    let site = with(Rates { refresh: THREE, requests: THREE, ..Rates::boundless() }).await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let renew = || site.post("/sessions/refresh", json!({"refresh_token": ada.refresh_token()}));
    for _ in 0..3 {
        let _: serde_json::Value = read(renew(), StatusCode::OK).await;
    }
    refused(renew(), Slug::RateLimited).await;
    for _ in 0..3 {
        assert!(ada.is_signed_in().await);
    }
    refused(ada.get("/me"), Slug::RateLimited).await;
    assert!(bob.is_signed_in().await);
    site.clock.advance(10_000);
    assert!(ada.is_signed_in().await);
}

#[tokio::test]
async fn while_nobody_can_count_no_secret_is_tried_and_everybody_else_goes_on() {
    let (site, counters) = fragile(Rates::default(), api::Options::default()).await;
    let ada = site.sign_up("ada").await;
    counters.set_away(true);
    let problem = refused(sign_in(&site, "ada", PASSWORD), Slug::Unavailable).await;
    assert!(
        problem.retry_after_ms.is_some() && problem.detail.is_none(),
        "what failed is in the log, not in the answer"
    );
    refused(site.post("/accounts", json!({"name": "bob", "password": PASSWORD})), Slug::Unavailable).await;
    refused(ada.post("/me/closure", json!({"password": PASSWORD})), Slug::Unavailable).await;
    assert!(ada.is_signed_in().await);
    let renew = site.post("/sessions/refresh", json!({"refresh_token": ada.refresh_token()}));
    let _: serde_json::Value = read(renew, StatusCode::OK).await;
    counters.set_away(false);
    site.sign_in("ada").await;
}
