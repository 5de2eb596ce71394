//! People: found by name, by id, in pages.

use klatch_core::ids::UserId;
use klatch_protocol::objects::{AccountRole, AccountState, Slug, User};
use klatch_protocol::rest::Page;
use klatch_server::accounts::Newcomer;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::world::{Person, read, refused, site};

#[tokio::test]
async fn people_are_found_in_pages() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    for name in ["bob", "carol", "adam", "adele"] {
        site.sign_up(name).await;
    }
    let names = |page: &Page<User>| page.items.iter().map(|user| user.name.clone()).collect::<Vec<_>>();
    let first: Page<User> = read(ada.get("/users?query=AD&limit=2"), StatusCode::OK).await;
    assert_eq!(names(&first), ["ada", "adam"]);
    let after = first.next.unwrap();
    let rest: Page<User> = read(ada.get(&format!("/users?query=ad&limit=2&after={after}")), StatusCode::OK).await;
    assert_eq!((names(&rest), rest.next), (vec!["adele".to_owned()], None));
    let all: Page<User> = read(ada.get("/users"), StatusCode::OK).await;
    assert_eq!(all.items.len(), 5);
    let odd: Page<User> = read(ada.get("/users?query=%25&limit=0"), StatusCode::OK).await;
    assert_eq!(odd.items, []);
    refused(site.request(Method::GET, "/users"), Slug::Unauthorized).await;
    refused(ada.get("/users?limit=many"), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn people_are_found_by_id() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let user: User = read(ada.get(&format!("/users/{}", bob.id())), StatusCode::OK).await;
    assert_eq!(user, bob.session.user);
    refused(ada.get(&format!("/users/{}", Uuid::nil())), Slug::NotFound).await;
    refused(ada.get("/users/bob"), Slug::InvalidRequest).await;
    refused(site.request(Method::GET, &format!("/users/{}", bob.id())), Slug::Unauthorized).await;

    let path = format!("/users?id={},{},{}", bob.id(), Uuid::nil(), ada.id());
    let page: Page<User> = read(ada.get(&path), StatusCode::OK).await;
    assert_eq!(page.items, [bob.session.user.clone(), ada.session.user.clone()]);
    let none: Page<User> = read(ada.get("/users?id="), StatusCode::OK).await;
    assert_eq!(none.items, []);
    refused(ada.get("/users?id=bob"), Slug::InvalidRequest).await;
    let many = vec![Uuid::nil().to_string(); 201].join(",");
    refused(ada.get(&format!("/users?id={many}")), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn people_from_elsewhere_are_people_nobody_signs_in_as() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let person = |name: &str| Newcomer { network: "irc".to_owned(), name: name.to_owned() };
    let people = [person("ada"), person("Bob|away"), person("ada")];
    let ids = site.accounts.import_people(&people).await.unwrap();
    assert_eq!(ids[0], ids[2]);
    assert_eq!(site.accounts.import_people(&people).await.unwrap(), ids);
    let page: Page<User> = read(ada.get("/users?query=ad"), StatusCode::OK).await;
    let imported = page.items.iter().find(|user| UserId(user.id) == ids[0]).unwrap();
    assert_eq!((imported.name.as_str(), imported.state), ("ada-irc", AccountState::Imported));
    assert_eq!(imported.origin.as_ref().unwrap().network, "irc");
    let body = serde_json::json!({"name": "bob-away", "password": "whatever else"});
    refused(site.post("/sessions", body.clone()), Slug::WrongPassword).await;
    refused(site.post("/accounts", body), Slug::NameTaken).await;
}

#[tokio::test]
async fn owners_make_owners_and_one_remains() {
    let site = site().await;
    let (owner, ada) = (site.owner("owner").await, site.sign_up("ada").await);
    let path = |person: &Person<'_>| format!("/users/{}", person.id());
    refused(ada.patch(&path(&ada), json!({"role": "owner"})), Slug::NotAllowed).await;
    refused(owner.patch(&path(&owner), json!({"role": "member"})), Slug::LastOwner).await;
    let user: User = read(owner.patch(&path(&ada), json!({"role": "owner"})), StatusCode::OK).await;
    assert_eq!((user.id, user.role), (ada.id(), AccountRole::Owner));
    let user: User = read(ada.patch(&path(&owner), json!({"role": "member"})), StatusCode::OK).await;
    assert_eq!(user.role, AccountRole::Member);
    refused(owner.get("/invites"), Slug::NotAllowed).await;
    refused(ada.patch(&format!("/users/{}", Uuid::nil()), json!({"role": "owner"})), Slug::NotFound).await;
    refused(ada.patch(&path(&owner), json!({"role": "king"})), Slug::InvalidRequest).await;
}
