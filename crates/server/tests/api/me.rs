//! One's own account: profile, closing, blocks.

use klatch_core::ids::UserId;
use klatch_ports::keys::Key;
use klatch_protocol::objects::{AccountState, Slug, User};
use klatch_protocol::rest::Page;
use klatch_server::accounts::notices::AccountNotice;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::world::{PASSWORD, done, read, refused, site};

#[tokio::test]
async fn a_profile_is_changed_in_parts() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let mut ear = site.hear(ada.id()).await;
    let user: User = read(ada.patch("/me", json!({"display_name": "Ada 🦀"})), StatusCode::OK).await;
    assert_eq!((user.display_name.as_str(), user.about.as_str()), ("Ada 🦀", ""));
    let user: User =
        read(ada.patch("/me", json!({"about": "Notes on\nthe engine", "name": "eve"})), StatusCode::OK).await;
    assert_eq!((user.name.as_str(), user.display_name.as_str()), ("ada", "Ada 🦀"));
    assert_eq!(ear.notices().await, [AccountNotice::ProfileChanged; 2]);
    let same: User = read(ada.get("/me"), StatusCode::OK).await;
    assert_eq!(same, user);

    refused(ada.patch("/me", json!({"display_name": ""})), Slug::InvalidName).await;
    refused(ada.patch("/me", json!({"display_name": "x".repeat(81)})), Slug::InvalidName).await;
    refused(ada.patch("/me", json!({"about": "x".repeat(501)})), Slug::InvalidRequest).await;
    refused(ada.patch("/me", json!({"display_name": 7})), Slug::InvalidRequest).await;
    refused(site.request(Method::PATCH, "/me").json(&json!({})), Slug::Unauthorized).await;
}

#[tokio::test]
async fn a_closed_account_is_closed_for_good() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let bob = site.sign_up("bob").await;
    let (phone, mut ear) = (site.sign_in("ada").await, site.hear(ada.id()).await);
    assert!(phone.is_signed_in().await);
    refused(ada.post("/me/closure", json!({"password": "wrong password"})), Slug::WrongPassword).await;
    done(ada.post("/me/closure", json!({"password": PASSWORD}))).await;
    assert!(!ada.is_signed_in().await && !phone.is_signed_in().await);
    assert_eq!(ear.notices().await, [AccountNotice::AccountClosed, AccountNotice::ProfileChanged]);
    let key = site.services.keys.get(&[UserId(ada.id())]).await.unwrap();
    assert_eq!(key, [Some(Key::Destroyed)]);

    refused(site.post("/sessions", json!({"name": "ada", "password": PASSWORD})), Slug::WrongPassword).await;
    refused(site.post("/accounts", json!({"name": "ada", "password": PASSWORD})), Slug::NameTaken).await;
    let token = json!({"refresh_token": phone.refresh_token()});
    refused(site.post("/sessions/refresh", token), Slug::SignedOut).await;
    let seen: User = read(bob.get(&format!("/users/{}", ada.id())), StatusCode::OK).await;
    assert_eq!((seen.name.as_str(), seen.display_name.as_str(), seen.state), ("ada", "ada", AccountState::Closed));
}

#[tokio::test]
async fn what_could_not_be_erased_when_an_account_was_closed_is_erased_later() {
    let site = site().await;
    let ada = UserId(site.sign_up("ada").await.id());
    // The node dies after the account was closed, before its key was destroyed.
    site.services.directory.close(ada).await.unwrap();
    assert_eq!(site.services.keys.get(&[ada]).await.unwrap(), [None]);
    site.accounts.keep_house().await.unwrap();
    assert_eq!(site.services.keys.get(&[ada]).await.unwrap(), [Some(Key::Destroyed)]);
    assert_eq!(site.services.directory.closures(10).await.unwrap(), []);
}

#[tokio::test]
async fn the_last_owner_passes_the_site_on_first() {
    let site = site().await;
    let ada = site.owner("ada").await;
    refused(ada.post("/me/closure", json!({"password": PASSWORD})), Slug::LastOwner).await;
    assert!(ada.is_signed_in().await);
    site.owner("bob").await;
    done(ada.post("/me/closure", json!({"password": PASSWORD}))).await;
}

#[tokio::test]
async fn blocks_are_set_listed_and_taken_back() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let mut ear = site.hear(ada.id()).await;
    let path = format!("/me/blocks/{}", bob.id());
    for _ in 0..2 {
        done(ada.request(Method::PUT, &path)).await;
    }
    let page: Page<User> = read(ada.get("/me/blocks"), StatusCode::OK).await;
    assert_eq!(page.items, std::slice::from_ref(&bob.session.user));
    let page: Page<User> = read(bob.get("/me/blocks"), StatusCode::OK).await;
    assert_eq!(page.items, [], "whom others blocked is their affair");
    for _ in 0..2 {
        done(ada.delete(&path)).await;
    }
    let page: Page<User> = read(ada.get("/me/blocks"), StatusCode::OK).await;
    assert_eq!(page.items, []);
    assert_eq!(ear.notices().await, [AccountNotice::BlocksChanged; 4]);

    refused(ada.request(Method::PUT, &format!("/me/blocks/{}", ada.id())), Slug::NotAllowed).await;
    refused(ada.request(Method::PUT, &format!("/me/blocks/{}", Uuid::nil())), Slug::NotFound).await;
    refused(ada.request(Method::PUT, "/me/blocks/bob"), Slug::InvalidRequest).await;
    refused(site.request(Method::PUT, &path), Slug::Unauthorized).await;
}
