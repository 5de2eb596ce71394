//! What docs/protocol/limits.md says of REST: what is beyond a limit is refused with its slug, and pages are cut to theirs.

use klatch_core::conversation::{History, Kind, Role};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_core::limits::CONVERSATIONS_PER_PERSON_MAX;
use klatch_ports::directory::BLOCKS_PER_ACCOUNT_MAX;
use klatch_ports::views::{Head, Projection, Row};
use klatch_protocol::objects::{Conversation, Slug};
use klatch_protocol::rest::{HistoryPage, InviteItem, Page};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::conversations::{begin, command, says};
use crate::world::{Site, read, refused, site};

/// Puts somebody into so many conversations, as if they had joined them.
async fn enter(site: &Site, user: Uuid, count: usize) {
    let projections = (0..count).map(|n| Projection {
        conversation: ConversationId(Uuid::from_u128(0x1000_0000 + n as u128)),
        after: Seq::ZERO,
        head: Head { seq: Seq(1), worthy: 0, at: Timestamp(1), message: Seq::ZERO },
        rows: vec![
            Row::Described { kind: Some(Kind::Group), name: None, topic: None, history: Some(History::All) },
            Row::Joined { user: UserId(user), role: Role::Member, joined: Seq(1) },
        ],
    });
    site.services.views.project(projections.collect()).await.unwrap();
}

#[tokio::test]
async fn somebody_is_in_only_so_many_conversations() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let tea = begin(&bob, json!({"kind": "channel", "name": "tea"})).await.id;
    let cake = begin(&bob, json!({"kind": "group", "name": "cake"})).await.id;
    enter(&site, ada.id(), CONVERSATIONS_PER_PERSON_MAX - 1).await;
    let join = || command(&ada, tea, json!({"kind": "join"}));
    let added = || command(&bob, cake, json!({"kind": "add", "user": ada.id()}));
    let create = |members: &[Uuid]| json!({"id": site.new_id(), "kind": "group", "members": members});
    let _: Conversation = read(ada.post("/conversations", create(&[])), StatusCode::CREATED).await;
    refused(join(), Slug::TooManyConversations).await;
    refused(added(), Slug::TooManyConversations).await;
    refused(ada.post("/conversations", create(&[])), Slug::TooManyConversations).await;
    refused(bob.post("/conversations", create(&[ada.id()])), Slug::TooManyConversations).await;
}

#[tokio::test]
async fn invites_and_blocks_have_room_for_only_so_many() {
    let site = site().await;
    let owner = site.owner("owner").await;
    let bob = site.sign_up("bob").await;
    for _ in 0..200 {
        let _: InviteItem = read(owner.post("/invites", json!({})), StatusCode::CREATED).await;
    }
    refused(owner.post("/invites", json!({})), Slug::TooMany).await;
    for n in 0..BLOCKS_PER_ACCOUNT_MAX {
        let other = UserId(Uuid::from_u128(n as u128));
        assert!(site.services.directory.block(UserId(owner.id()), other, Timestamp(1)).await.unwrap());
    }
    refused(owner.request(Method::PUT, &format!("/me/blocks/{}", bob.id())), Slug::TooMany).await;
}

#[tokio::test]
async fn pages_are_cut_to_what_may_be_on_one() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let tea = begin(&ada, json!({"kind": "group", "name": "tea"})).await.id;
    for n in 0..250 {
        says(&ada, tea, &n.to_string()).await;
        site.clock.advance(100);
    }
    let events = async |query: &str| {
        let path = format!("/conversations/{tea}/events{query}");
        read::<HistoryPage>(ada.get(&path), StatusCode::OK).await.events.len()
    };
    for (query, expected) in [("", 100), ("?limit=1000", 200), ("?limit=200", 200), ("?limit=0", 1), ("?limit=3", 3)] {
        assert_eq!(events(query).await, expected, "{query}");
    }
    enter(&site, ada.id(), 250).await;
    let list = async |query: &str| {
        let path = format!("/conversations{query}");
        read::<Page<serde_json::Value>>(ada.get(&path), StatusCode::OK).await.items.len()
    };
    for (query, expected) in [("", 50), ("?limit=1000", 200), ("?limit=0", 1)] {
        assert_eq!(list(query).await, expected, "{query}");
    }
    for query in ["limit=many", "limit=-1", "limit=1e9", "limit=99999999999999999999999"] {
        refused(ada.get(&format!("/conversations?{query}")), Slug::InvalidRequest).await;
        refused(ada.get(&format!("/conversations/{tea}/events?{query}")), Slug::InvalidRequest).await;
    }
}

#[tokio::test]
async fn an_id_is_a_uuid_v7_whatever_time_it_claims() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let tea = begin(&ada, json!({"kind": "group", "name": "tea"})).await.id;
    let send = |id: &str| {
        let body = json!({"id": id, "command": {"kind": "send", "body": {"type": "text", "text": "when?"}}});
        ada.post(&format!("/conversations/{tea}/commands"), body)
    };
    for bad in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "919108f7-52d1-4320-9bac-f847db4148a8",
        "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0",
        // The version, and no variant that has versions.
        "017f22e2-79b0-7cc3-08c4-dc0c0c07398f",
    ] {
        let problem = refused(send(bad), Slug::InvalidRequest).await;
        assert_eq!(problem.detail.as_deref(), Some("`id` must be a UUIDv7."), "{bad}");
    }
    refused(send("no id"), Slug::InvalidRequest).await;
    // The first and the last that there can be: clocks are off by years.
    for good in ["00000000-0000-7000-8000-000000000001", "ffffffff-ffff-7fff-bfff-ffffffffffff"] {
        let _: serde_json::Value = read(send(good), StatusCode::OK).await;
    }
}

#[tokio::test]
async fn what_is_no_text_or_ends_early_is_said_to_be() {
    let site = site().await;
    let post = site.request(Method::POST, "/sessions").header("Content-Type", "application/json");
    let problem = refused(post.body(b"{\"name\": \"\xff\xfe\"}".to_vec()), Slug::InvalidRequest).await;
    assert!(problem.detail.unwrap().contains("invalid unicode"));

    // Less comes than was announced, and then the client says no more.
    let address = site.base.strip_prefix("http://").unwrap();
    let head = format!("POST /api/v1/sessions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    for body in ["Content-Length: 100\r\n\r\n{\"name\"", "Transfer-Encoding: chunked\r\n\r\n50\r\n{\"name\""] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("problem+json"), "{answer}");
        assert!(answer.contains("/problems/invalid_request") && answer.contains("The body ended early."), "{answer}");
    }
    // More than may come, without a length that says so: it is not read to its end.
    let mut client = TcpStream::connect(address).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    client.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let count = client.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]);
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("/problems/too_large"), "{answer}");
}
