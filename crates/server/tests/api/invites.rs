//! Invites, and who may sign up.

use klatch_protocol::objects::Slug;
use klatch_protocol::rest::{InviteItem, Page, Registration, SessionAnswer, SiteInfo};
use klatch_server::accounts::Rates;
use klatch_server::api;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::world::{PASSWORD, Site, done, read, refused, site, start};

fn sign_up(site: &Site, name: &str, invite: Option<&str>) -> RequestBuilder {
    site.post("/accounts", json!({"name": name, "password": PASSWORD, "invite": invite, "cookie": false}))
}

#[tokio::test]
async fn an_invite_lets_in_as_many_as_it_has_uses() {
    let site = site().await;
    let (owner, ada) = (site.owner("owner").await, site.sign_up("ada").await);
    let set = owner.patch("/site", json!({"registration": "invite"}));
    let info: SiteInfo = read(set, StatusCode::OK).await;
    assert_eq!((info.registration, info.name.as_str()), (Registration::Invite, "Klatch"));
    refused(sign_up(&site, "bob", None), Slug::InviteRequired).await;

    refused(ada.post("/invites", json!({"uses": 2})), Slug::NotAllowed).await;
    refused(owner.post("/invites", json!({"uses": 0})), Slug::InvalidRequest).await;
    refused(owner.post("/invites", json!({"uses": -1})), Slug::InvalidRequest).await;
    let invite = owner.post("/invites", json!({"uses": 2, "expires_in_s": 60}));
    let invite: InviteItem = read(invite, StatusCode::CREATED).await;
    let token = invite.token.clone().unwrap();
    assert_eq!(invite.link, Some(format!("{}/signup#invite={token}", site.base)));
    for name in ["bob", "carol"] {
        let _: SessionAnswer = read(sign_up(&site, name, Some(&token)), StatusCode::CREATED).await;
    }
    refused(sign_up(&site, "dave", Some(&token)), Slug::InviteInvalid).await;
    refused(sign_up(&site, "dave", Some("ki_guess")), Slug::InviteInvalid).await;
    refused(sign_up(&site, "dave", Some("")), Slug::InviteInvalid).await;
}

#[tokio::test]
async fn invites_expire_and_are_taken_back() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let ada = site.sign_up("ada").await;
    let make = async |body| read::<InviteItem>(owner.post("/invites", body), StatusCode::CREATED).await;
    let endless: InviteItem = read(owner.request(Method::POST, "/invites"), StatusCode::CREATED).await;
    site.clock.advance(1);
    let short = make(json!({"expires_in_s": 60})).await;
    let page: Page<InviteItem> = read(owner.get("/invites"), StatusCode::OK).await;
    assert_eq!(page.items.iter().map(|invite| invite.id).collect::<Vec<_>>(), [short.id, endless.id]);
    assert!(page.items.iter().all(|invite| invite.token.is_none() && invite.link.is_none()), "shown once");
    assert_eq!((endless.uses_left, endless.expires_at), (None, None));
    refused(ada.get("/invites"), Slug::NotAllowed).await;

    let path = format!("/invites/{}", endless.id);
    refused(ada.delete(&path), Slug::NotAllowed).await;
    done(owner.delete(&path)).await;
    refused(owner.delete(&path), Slug::NotFound).await;
    refused(sign_up(&site, "bob", endless.token.as_deref()), Slug::InviteInvalid).await;
    site.clock.advance(60_000);
    refused(sign_up(&site, "bob", short.token.as_deref()), Slug::InviteInvalid).await;
    assert_eq!(make(json!({"expires_in_s": u64::MAX})).await.uses_left, None);
    refused(owner.delete(&format!("/invites/{}", Uuid::nil())), Slug::NotFound).await;
}

#[tokio::test]
async fn a_closed_site_takes_nobody_but_an_owner() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let invite: InviteItem = read(owner.post("/invites", json!({})), StatusCode::CREATED).await;
    let _: SiteInfo = read(owner.patch("/site", json!({"registration": "closed"})), StatusCode::OK).await;
    refused(sign_up(&site, "bob", None), Slug::RegistrationClosed).await;
    refused(sign_up(&site, "bob", invite.token.as_deref()), Slug::RegistrationClosed).await;
    let claim = site.accounts.make_claim().await.unwrap();
    let _: SessionAnswer = read(sign_up(&site, "bob", Some(claim.expose())), StatusCode::CREATED).await;
}

#[tokio::test]
async fn only_owners_change_the_site() {
    let site = site().await;
    let (owner, ada) = (site.owner("owner").await, site.sign_up("ada").await);
    refused(ada.patch("/site", json!({"name": "Mine"})), Slug::NotAllowed).await;
    refused(site.request(Method::PATCH, "/site").json(&json!({"name": "Mine"})), Slug::Unauthorized).await;
    refused(owner.patch("/site", json!({"name": ""})), Slug::InvalidName).await;
    refused(owner.patch("/site", json!({"registration": "whoever"})), Slug::InvalidRequest).await;
    let info: SiteInfo = read(owner.patch("/site", json!({"name": "Engines"})), StatusCode::OK).await;
    assert_eq!((info.name.as_str(), info.registration), ("Engines", Registration::Open));
    let seen: SiteInfo = read(site.request(Method::GET, "/site"), StatusCode::OK).await;
    assert_eq!(seen, info);
}

#[tokio::test]
async fn links_begin_with_the_address_that_people_open() {
    let options = api::Options { public_url: Some("https://chat.example/".to_owned()), ..api::Options::default() };
    let site = start(Rates::boundless(), options).await;
    let owner = site.owner("owner").await;
    let invite: InviteItem = read(owner.post("/invites", json!({})), StatusCode::CREATED).await;
    assert!(invite.link.unwrap().starts_with("https://chat.example/signup#invite=ki_"));
}
