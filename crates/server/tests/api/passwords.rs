//! Setting passwords: one's own, and by a link of the owner's.

use klatch_protocol::objects::Slug;
use klatch_protocol::rest::PasswordReset;
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::world::{PASSWORD, done, read, refused, site};

const NEW: &str = "another good password";

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let site = site().await;
    let (desk, phone) = (site.sign_up("ada").await, site.sign_in("ada").await);
    assert!(phone.is_signed_in().await);
    let change = |current: &str, new: &str| desk.put("/me/password", json!({"current": current, "new": new}));
    refused(change("wrong password", NEW), Slug::WrongPassword).await;
    refused(change(PASSWORD, "short"), Slug::WeakPassword).await;
    assert!(phone.is_signed_in().await);
    done(change(PASSWORD, NEW)).await;
    assert!(desk.is_signed_in().await && !phone.is_signed_in().await);
    refused(site.post("/sessions", json!({"name": "ada", "password": PASSWORD})), Slug::WrongPassword).await;
    let body = json!({"name": "ada", "password": NEW});
    assert_eq!(site.post("/sessions", body).send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_owner_makes_a_link_that_is_good_once() {
    let site = site().await;
    let (owner, ada) = (site.owner("owner").await, site.sign_up("ada").await);
    let path = format!("/users/{}/password-reset", ada.id());
    refused(ada.post(&path, json!({})), Slug::NotAllowed).await;
    refused(owner.post(&format!("/users/{}/password-reset", Uuid::nil()), json!({})), Slug::NotFound).await;
    let old: PasswordReset = read(owner.post(&path, json!({})), StatusCode::CREATED).await;
    let new: PasswordReset = read(owner.post(&path, json!({})), StatusCode::CREATED).await;
    let token = |reset: &PasswordReset| {
        let (address, token) = reset.link.split_once("#token=").unwrap();
        assert_eq!(address, format!("{}/reset", site.base));
        token.to_owned()
    };
    let redeem =
        |token: &str, password: &str| site.post("/password-resets", json!({"token": token, "password": password}));
    refused(redeem(&token(&old), NEW), Slug::ResetInvalid).await;
    refused(redeem(&token(&new), "short"), Slug::WeakPassword).await;
    refused(redeem("kp_guess", NEW), Slug::ResetInvalid).await;
    done(redeem(&token(&new), NEW)).await;
    refused(redeem(&token(&new), NEW), Slug::ResetInvalid).await;
    assert!(!ada.is_signed_in().await, "whoever knew the old one is out");

    let late: PasswordReset = read(owner.post(&path, json!({})), StatusCode::CREATED).await;
    site.clock.advance(24 * 3_600_000);
    refused(redeem(&token(&late), NEW), Slug::ResetInvalid).await;
    assert!(!format!("{late:?}").contains(&token(&late)));
}
