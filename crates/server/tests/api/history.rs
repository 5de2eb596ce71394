//! History: its parts, its overlay, who may read how far back; pins; imports.

use klatch_protocol::objects::{Body, EventBody, MemberRole, Slug};
use klatch_protocol::rest::{HistoryPage, ImportAnswer, MessagePlace, PinsPage};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::conversations::{begin, command, does, says};
use crate::world::{Person, read, refused, site};

async fn page(person: &Person<'_>, conversation: Uuid, query: &str) -> HistoryPage {
    read(person.get(&format!("/conversations/{conversation}/events?{query}")), StatusCode::OK).await
}

fn seqs(page: &HistoryPage) -> Vec<u64> {
    page.events.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn history_is_read_in_contiguous_parts() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let group = begin(&ada, json!({"kind": "group"})).await.id;
    for n in 2..=30 {
        site.clock.advance(1_000);
        assert_eq!(says(&ada, group, &format!("message {n}")).await.seq, n);
    }
    for (query, expected) in [
        ("", (1..=30).collect::<Vec<_>>()),
        ("limit=3", vec![28, 29, 30]),
        ("before=28&limit=3", vec![25, 26, 27]),
        ("before=3&limit=5", vec![1, 2]),
        ("before=1", vec![]),
        ("before=99&limit=2", vec![29, 30]),
        ("after=28", vec![29, 30]),
        ("after=0&limit=2", vec![1, 2]),
        ("after=30", vec![]),
        ("around=10&limit=5", vec![8, 9, 10, 11, 12]),
        ("limit=0", vec![30]),
    ] {
        let page = page(&ada, group, query).await;
        assert_eq!((seqs(&page), page.head, page.first), (expected, 30, 1), "{query}");
    }
    let at = page(&ada, group, "after=9&limit=1").await.events[0].at;
    assert_eq!(seqs(&page(&ada, group, &format!("at={at}&limit=2")).await), [10, 11]);
    for bad in ["before=1&after=2", "limit=x", "before=-1"] {
        refused(ada.get(&format!("/conversations/{group}/events?{bad}")), Slug::InvalidRequest).await;
    }
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_sent_again() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let group = begin(&ada, json!({"kind": "group"})).await.id;
    let path = format!("/conversations/{group}/events");
    let first = ada.get(&path).send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    let same = ada.get(&path).header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    says(&ada, group, "news").await;
    let other = ada.get(&path).header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK);
    assert_ne!(other.headers()["etag"], tag);
}

#[tokio::test]
async fn the_overlay_says_what_became_of_messages() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let group = begin(&ada, json!({"kind": "group", "members": [bob.id()]})).await.id;
    let (one, two) = (says(&ada, group, "one").await, says(&ada, group, "two").await);
    let body = json!({"type": "text", "text": "one, better"});
    does(&ada, group, json!({"kind": "edit", "target": one.id, "body": body})).await;
    does(&bob, group, json!({"kind": "react", "target": one.id, "emoji": "👍"})).await;
    does(&ada, group, json!({"kind": "delete", "target": two.id})).await;
    let page = page(&bob, group, "").await;
    let row = &page.overlay[&one.seq];
    let edited = row.edited.as_ref().unwrap();
    assert_eq!(edited.body, Some(Body::Text { text: "one, better".to_owned(), emote: false }));
    assert_eq!((row.reactions[0].count, row.reactions[0].me), (1, true));
    assert!(page.overlay[&two.seq].deleted.is_some());
    let deleted = page.events.iter().find(|event| event.seq == two.seq).unwrap();
    assert!(matches!(&deleted.kind, EventBody::Sent { body: None, erased: true, .. }));

    let place: MessagePlace =
        read(bob.get(&format!("/conversations/{group}/messages/{}", one.id)), StatusCode::OK).await;
    assert_eq!((place.id, place.seq), (one.id, one.seq));
    refused(bob.get(&format!("/conversations/{group}/messages/{}", Uuid::nil())), Slug::NoSuchMessage).await;
    refused(bob.get(&format!("/conversations/{group}/messages/one")), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn whoever_joined_later_reads_from_there_where_history_is_closed() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let group = begin(&ada, json!({"kind": "group", "history": "since_joined"})).await.id;
    let before = says(&ada, group, "before").await;
    let pin = json!({"kind": "pin", "target": before.id});
    does(&ada, group, pin).await;
    let joined = does(&ada, group, json!({"kind": "add", "user": bob.id()})).await.seq;
    let after = says(&ada, group, "after").await;
    for query in ["", "before=99", "after=0", "around=1", "at=0"] {
        let page = page(&bob, group, query).await;
        assert_eq!((seqs(&page), page.first), (vec![joined, after.seq], joined), "{query}");
    }
    refused(bob.get(&format!("/conversations/{group}/messages/{}", before.id)), Slug::NoSuchMessage).await;
    let pins: PinsPage = read(bob.get(&format!("/conversations/{group}/pins")), StatusCode::OK).await;
    assert_eq!(pins.items, []);
    let pins: PinsPage = read(ada.get(&format!("/conversations/{group}/pins")), StatusCode::OK).await;
    assert_eq!(pins.items.len(), 1);
}

#[tokio::test]
async fn pins_are_listed_until_they_are_taken_off() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let group = begin(&ada, json!({"kind": "group", "members": [bob.id()]})).await.id;
    let mut sent = Vec::new();
    for n in 0..4 {
        sent.push(says(&ada, group, &format!("message {n}")).await);
    }
    for message in [&sent[2], &sent[0], &sent[3]] {
        does(&ada, group, json!({"kind": "pin", "target": message.id})).await;
    }
    refused(command(&bob, group, json!({"kind": "pin", "target": sent[1].id})), Slug::NotAllowed).await;
    does(&ada, group, json!({"kind": "unpin", "target": sent[3].id})).await;
    let pins: PinsPage = read(bob.get(&format!("/conversations/{group}/pins")), StatusCode::OK).await;
    assert_eq!(pins.items.iter().map(|event| event.id).collect::<Vec<_>>(), [sent[0].id, sent[2].id]);
    assert!(pins.overlay[&sent[0].seq].pinned.is_some());
}

#[tokio::test]
async fn what_was_said_elsewhere_is_imported_once_and_in_order() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let channel = begin(&ada, json!({"kind": "channel", "name": "ubuntu"})).await.id;
    does(&bob, channel, json!({"kind": "join"})).await;
    let path = format!("/conversations/{channel}/import");
    let item = |n: u128, name: &str, text: &str, replies: &[u128]| {
        json!({"id": Uuid::from_u128(n), "author": {"network": "irc", "name": name}, "at": 1_000_000_000_000_u64 + n as u64,
            "body": {"type": "text", "text": text}, "replies": replies.iter().map(|n| Uuid::from_u128(*n)).collect::<Vec<_>>()})
    };
    let items: Vec<Value> = (1..=100)
        .map(|n| {
            item(n, if n % 2 == 0 { "Ada_L" } else { "bob" }, &format!("line {n}"), if n > 1 { &[1] } else { &[] })
        })
        .collect();
    refused(bob.post(&path, json!({"items": items})), Slug::NotAllowed).await;
    let first: ImportAnswer = read(ada.post(&path, json!({"items": items})), StatusCode::OK).await;
    let placed: Vec<_> = first.outcomes.iter().map(|outcome| outcome.seq.unwrap()).collect();
    assert!(placed.windows(2).all(|pair| pair[1] == pair[0] + 1), "in order");
    let again: ImportAnswer = read(ada.post(&path, json!({"items": items})), StatusCode::OK).await;
    assert!(again.outcomes.iter().all(|outcome| outcome.repeated));
    assert_eq!(again.outcomes.iter().map(|outcome| outcome.seq.unwrap()).collect::<Vec<_>>(), placed);

    let mixed = json!({"items": [item(200, "bob", &"x".repeat(17_000), &[]), item(201, "bob", "fine", &[]), item(202, "bob", "x", &[999])]});
    let mixed: ImportAnswer = read(ada.post(&path, mixed), StatusCode::OK).await;
    let slugs: Vec<_> = mixed.outcomes.iter().map(|o| o.problem.as_ref().and_then(|problem| problem.slug())).collect();
    assert_eq!(slugs, [Some(Slug::BodyTooLong), None, Some(Slug::NoSuchMessage)]);

    let page = page(&bob, channel, &format!("around={}&limit=2", placed[50])).await;
    let event = &page.events[0];
    assert_eq!(event.origin.as_ref().map(|origin| origin.network.as_str()), Some("irc"));
    assert!(event.claimed_at.is_some_and(|at| at < event.at));
    let many: Vec<Value> = (1..=501).map(|n| item(n, "bob", "x", &[])).collect();
    refused(ada.post(&path, json!({"items": many})), Slug::InvalidRequest).await;
    let nameless = json!({"items": [item(300, "", "x", &[])]});
    refused(ada.post(&path, nameless), Slug::InvalidName).await;
}

#[tokio::test]
async fn whoever_left_reads_nothing_and_owners_pass_the_role_on() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let group = begin(&ada, json!({"kind": "group", "members": [bob.id()]})).await.id;
    refused(command(&ada, group, json!({"kind": "leave"})), Slug::LastOwner).await;
    refused(command(&bob, group, json!({"kind": "remove", "user": ada.id()})), Slug::NotAllowed).await;
    does(&ada, group, json!({"kind": "set_role", "user": bob.id(), "role": MemberRole::Owner})).await;
    does(&ada, group, json!({"kind": "leave"})).await;
    refused(ada.get(&format!("/conversations/{group}/events")), Slug::NotFound).await;
}
