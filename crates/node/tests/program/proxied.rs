//! Behind a proxy: what it says of clients counts, and what clients say of themselves does not.

use std::net::{IpAddr, Ipv4Addr};

use klatch_client::{Gateway, Rest};
use klatch_protocol::gateway::ServerFrame;
use klatch_protocol::objects::{ConversationKind, Problem, Slug};
use reqwest::header::{HOST, ORIGIN};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::front::{Front, Host};
use crate::world::{PASSWORD, Site, begin};

const PUBLIC: &str = "chat.example.org";
/// Wrong passwords for one name from one address, as docs/protocol/limits.md has it.
pub const TRIES: usize = 10;

async fn site(host: Host) -> (Site, Front) {
    let site = Site::with(&["--trusted-proxies", "127.0.0.1"]).await;
    let front = Front::open(host).await;
    front.lead(Some(site.base()));
    (site, front)
}

/// A client that has this address of this machine.
fn from(last: u8) -> Client {
    Client::builder().local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))).build().unwrap()
}

fn guess(client: &Client, base: &str) -> RequestBuilder {
    client.post(format!("{base}/api/v1/sessions")).json(&json!({"name": "owner", "password": "a wrong guess"}))
}

async fn slug(request: RequestBuilder) -> Slug {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    answer.json::<Problem>().await.unwrap().slug().unwrap()
}

/// Whether somebody who guesses, and claims another address each time, is stopped.
async fn is_stopped(base: &str) -> bool {
    let guesser = from(2);
    // All at once: a slow machine must not give the next guess back meanwhile.
    let guesses = (0..2 * TRIES).map(|n| slug(guess(&guesser, base).header("X-Forwarded-For", format!("192.0.2.{n}"))));
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().all(|slug| [Slug::WrongPassword, Slug::RateLimited].contains(slug)), "{answers:?}");
    let tried = answers.iter().filter(|slug| **slug == Slug::WrongPassword).count();
    assert!(tried >= TRIES, "{answers:?}");
    tried < answers.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_is_counted_by_the_address_that_the_proxy_saw() {
    let (_site, front) = site(Host::Passed).await;
    // What it claims changes nothing: the proxy puts what it saw behind it.
    assert!(is_stopped(&front.base()).await);
    assert_eq!(slug(guess(&from(3), &front.base())).await, Slug::WrongPassword);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_proxy_nobody_is_believed() {
    let site = Site::start().await;
    assert!(is_stopped(site.base()).await);
    // Nor about the address of the site: a page elsewhere cannot make itself this one's.
    let page = json!({"name": "owner", "password": PASSWORD, "cookie": true});
    let page = from(3).post(format!("{}/api/v1/sessions", site.base())).json(&page);
    let page = page.header(ORIGIN, format!("https://{PUBLIC}")).header("X-Forwarded-Host", PUBLIC);
    assert_eq!(slug(page).await, Slug::WrongOrigin);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_secure_and_only_pages_of_the_public_address_get_them() {
    for host in [Host::Passed, Host::Replaced] {
        let (_site, front) = site(host).await;
        let http = Client::new();
        let sign_in = |origin: &str| {
            let wanted = json!({"name": "owner", "password": PASSWORD, "cookie": true});
            let request = http.post(format!("{}/api/v1/sessions", front.base())).json(&wanted);
            request.header(HOST, PUBLIC).header(ORIGIN, origin)
        };
        let answer = sign_in(&format!("https://{PUBLIC}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{host:?}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
        for elsewhere in ["https://evil.example", &format!("http://{PUBLIC}"), "null"] {
            assert_eq!(slug(sign_in(elsewhere)).await, Slug::WrongOrigin, "{host:?} {elsewhere}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_goes_through_it() {
    for host in [Host::Passed, Host::Replaced] {
        let (site, front) = site(host).await;
        let rest = Rest::new(&front.base(), site.owner.tokens().await).unwrap();
        let tea = begin(&rest, ConversationKind::Channel, "tea", &[]).await;
        let (mut gateway, _) = Gateway::connect(rest.base(), &rest.tokens().await.access).await.unwrap();
        gateway.sync().await.unwrap();
        let ServerFrame::Conversations { items, .. } = gateway.next().await.unwrap().unwrap() else {
            panic!("no list")
        };
        assert_eq!(items[0].id, tea);

        // A browser at the public address gets in, and one that shows another page does not.
        let knock = async |origin: &str| {
            let address = format!("ws://{}/api/v1/gateway", front.address());
            let mut request = address.into_client_request().unwrap();
            request.headers_mut().insert(HOST, PUBLIC.parse().unwrap());
            request.headers_mut().insert(ORIGIN, origin.parse().unwrap());
            tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
        };
        let mut socket = knock(&format!("https://{PUBLIC}")).await.expect("it is this site's page");
        futures_util::SinkExt::send(&mut socket, Message::text("nothing")).await.unwrap();
        let answer = futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap();
        assert!(matches!(answer, Message::Close(Some(close)) if u16::from(close.code) == 4102));
        let refused = knock("https://evil.example").await.expect_err("it is another site's page");
        let tungstenite::Error::Http(answer) = refused else { panic!("{refused}") };
        assert_eq!(answer.status(), 403, "{host:?}");
    }
}
