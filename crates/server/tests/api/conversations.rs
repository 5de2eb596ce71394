//! Conversations over REST: made, joined, listed, commanded.

use klatch_core::ids::{ConversationId, Seq};
use klatch_protocol::objects::{Conversation, ConversationKind, MemberRole, NotifyLevel, ReadCursor, Slug};
use klatch_protocol::rest::{ChannelItem, CommandAnswer, MemberItem, Page};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Person, done, read, refused, site};

/// Begins a conversation.
pub async fn begin(person: &Person<'_>, mut body: Value) -> Conversation {
    body["id"] = json!(person.site.new_id());
    read(person.post("/conversations", body), StatusCode::CREATED).await
}

pub fn command(person: &Person<'_>, conversation: Uuid, command: Value) -> RequestBuilder {
    let body = json!({"id": person.site.new_id(), "command": command});
    person.post(&format!("/conversations/{conversation}/commands"), body)
}

/// Does something in a conversation.
pub async fn does(person: &Person<'_>, conversation: Uuid, what: Value) -> CommandAnswer {
    read(command(person, conversation, what), StatusCode::OK).await
}

pub async fn says(person: &Person<'_>, conversation: Uuid, text: &str) -> CommandAnswer {
    does(person, conversation, json!({"kind": "send", "body": {"type": "text", "text": text}})).await
}

#[tokio::test]
async fn a_group_is_made_of_people_who_exist() {
    let site = site().await;
    let (ada, bob, eve) = (site.sign_up("ada").await, site.sign_up("bob").await, site.sign_up("eve").await);
    let id = site.new_id();
    let body = json!({"id": id, "kind": "group", "name": "Engines", "members": [bob.id(), ada.id()]});
    let group: Conversation = read(ada.post("/conversations", body.clone()), StatusCode::CREATED).await;
    assert_eq!((group.id, group.kind, group.role, group.members), (id, ConversationKind::Group, MemberRole::Owner, 2));
    let again: Conversation = read(ada.post("/conversations", body.clone()), StatusCode::OK).await;
    assert_eq!(again.id, id);
    refused(eve.post("/conversations", body), Slug::CommandReused).await;

    let make = |body: Value| ada.post("/conversations", body);
    let id = site.new_id();
    refused(make(json!({"id": Uuid::from_u128(7), "kind": "group"})), Slug::InvalidRequest).await;
    refused(make(json!({"id": id, "kind": "group", "members": [Uuid::nil()]})), Slug::NotFound).await;
    refused(make(json!({"id": id, "kind": "channel"})), Slug::InvalidName).await;
    refused(make(json!({"id": id, "kind": "group", "topic": "x".repeat(501)})), Slug::InvalidTopic).await;
    done(eve.request(Method::PUT, &format!("/me/blocks/{}", ada.id()))).await;
    refused(make(json!({"id": id, "kind": "group", "members": [eve.id()]})), Slug::Blocked).await;
    refused(site.post("/conversations", json!({"id": id, "kind": "group"})), Slug::Unauthorized).await;
}

#[tokio::test]
async fn two_people_have_one_direct_conversation() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let first = begin(&ada, json!({"with": bob.id()})).await;
    assert_eq!((first.kind, first.with), (ConversationKind::Direct, Some(bob.id())));
    let body = json!({"id": site.new_id(), "kind": "direct", "with": ada.id()});
    let found: Conversation = read(bob.post("/conversations", body), StatusCode::OK).await;
    assert_eq!((found.id, found.with), (first.id, Some(ada.id())));
    says(&bob, first.id, "hello").await;
    done(ada.request(Method::PUT, &format!("/me/blocks/{}", bob.id()))).await;
    let send = json!({"kind": "send", "body": {"type": "text", "text": "still there?"}});
    refused(command(&bob, first.id, send.clone()), Slug::Blocked).await;
    refused(command(&ada, first.id, send), Slug::Blocked).await;

    let carol = site.sign_up("carol").await;
    done(carol.request(Method::PUT, &format!("/me/blocks/{}", ada.id()))).await;
    let direct = |with: Value| ada.post("/conversations", json!({"id": site.new_id(), "kind": "direct", "with": with}));
    refused(direct(json!(carol.id())), Slug::Blocked).await;
    refused(direct(json!(Uuid::nil())), Slug::NotFound).await;
    refused(direct(Value::Null), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn to_a_stranger_a_conversation_does_not_exist() {
    let site = site().await;
    let (ada, eve) = (site.sign_up("ada").await, site.sign_up("eve").await);
    let group = begin(&ada, json!({"kind": "group", "name": "Secret"})).await.id;
    let sent = says(&ada, group, "nobody else").await;
    for path in ["", "/members", "/events", "/pins", &format!("/messages/{}", sent.id)] {
        let there: StatusCode = ada.get(&format!("/conversations/{group}{path}")).send().await.unwrap().status();
        assert_eq!(there, StatusCode::OK, "{path}");
        let here = refused(eve.get(&format!("/conversations/{group}{path}")), Slug::NotFound).await;
        let nowhere = refused(eve.get(&format!("/conversations/{}{path}", site.new_id())), Slug::NotFound).await;
        assert_eq!(here.detail, nowhere.detail, "{path}");
        let nobody = site.request(Method::GET, &format!("/conversations/{group}{path}"));
        refused(nobody, Slug::Unauthorized).await;
    }
    let send = json!({"kind": "send", "body": {"type": "text", "text": "let me in"}});
    refused(command(&eve, group, send.clone()), Slug::NotFound).await;
    refused(command(&eve, group, json!({"kind": "join"})), Slug::NotFound).await;
    let cursor = json!({"read": {"seq": 1, "version": 1}});
    refused(eve.put(&format!("/conversations/{group}/cursor"), cursor), Slug::NotFound).await;
    refused(eve.patch(&format!("/me/conversations/{group}"), json!({"favourite": true})), Slug::NotFound).await;
    refused(eve.post(&format!("/conversations/{group}/import"), json!({"items": []})), Slug::NotFound).await;
    refused(eve.get("/conversations/secret/events"), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn channels_are_found_and_joined() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let mut ids = Vec::new();
    for name in ["alpha", "beta", "gamma"] {
        ids.push(begin(&ada, json!({"kind": "channel", "name": name, "topic": "Greek"})).await.id);
    }
    let first: Page<ChannelItem> = read(bob.get("/channels?query=greek&limit=2"), StatusCode::OK).await;
    assert_eq!(first.items.iter().map(|channel| channel.id).collect::<Vec<_>>(), ids[..2]);
    assert!(first.items.iter().all(|channel| !channel.joined && channel.members == 1));
    let path = format!("/channels?query=greek&limit=2&after={}", first.next.unwrap());
    let second: Page<ChannelItem> = read(bob.get(&path), StatusCode::OK).await;
    assert_eq!((second.items[0].id, second.items.len(), second.next), (ids[2], 1, None));
    does(&bob, ids[0], json!({"kind": "join"})).await;
    let found: Page<ChannelItem> = read(bob.get("/channels?query=ALPHA"), StatusCode::OK).await;
    assert_eq!((found.items[0].joined, found.items[0].members), (true, 2));
    let door: ChannelItem = read(bob.get(&format!("/channels/{}", ids[1])), StatusCode::OK).await;
    assert_eq!((&*door.name, door.joined), ("beta", false), "who follows a link sees where it leads");
    let group = begin(&ada, json!({"kind": "group", "name": "secret"})).await.id;
    refused(bob.get(&format!("/channels/{group}")), Slug::NotFound).await;
    refused(ada.get(&format!("/channels/{group}")), Slug::NotFound).await;
    refused(bob.get("/channels?after=nonsense"), Slug::InvalidRequest).await;
    refused(site.request(Method::GET, "/channels"), Slug::Unauthorized).await;
}

#[tokio::test]
async fn ones_conversations_are_listed_newest_activity_first() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        site.clock.advance(1_000);
        ids.push(begin(&ada, json!({"kind": "group", "name": name, "members": [bob.id()]})).await.id);
    }
    site.clock.advance(1_000);
    says(&ada, ids[0], "the newest").await;
    site.projected(ids[0]).await;
    let first: Page<Conversation> = read(bob.get("/conversations?limit=2"), StatusCode::OK).await;
    assert_eq!(first.items.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
    assert_eq!(first.items[0].head.worthy - first.items[0].read.worthy, 1);
    assert!(first.items[0].last.is_some() && first.items[1].last.is_none());
    let path = format!("/conversations?limit=2&after={}", first.next.unwrap());
    let second: Page<Conversation> = read(bob.get(&path), StatusCode::OK).await;
    assert_eq!(second.items.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[1]]);
    let one: Conversation = read(bob.get(&format!("/conversations/{}", ids[0])), StatusCode::OK).await;
    assert_eq!(one, first.items[0]);
}

#[tokio::test]
async fn a_command_that_is_repeated_takes_effect_once() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let group = begin(&ada, json!({"kind": "group"})).await.id;
    let path = format!("/conversations/{group}/commands");
    let id = site.new_id();
    let body = |text: &str| json!({"id": id, "command": {"kind": "send", "body": {"type": "text", "text": text}}});
    let first: CommandAnswer = read(ada.post(&path, body("hello")), StatusCode::OK).await;
    assert_eq!((first.id, first.conversation, first.repeated), (id, group, false));
    let again: CommandAnswer = read(ada.post(&path, body("hello")), StatusCode::OK).await;
    assert_eq!((again.seq, again.repeated), (first.seq, true));
    refused(ada.post(&path, body("other")), Slug::CommandReused).await;
    refused(ada.post(&path, body(" ")), Slug::InvalidRequest).await;
    refused(ada.post(&path, body(&"x".repeat(16 * 1024 + 1))), Slug::BodyTooLong).await;
    refused(command(&ada, group, json!({"kind": "dance"})), Slug::InvalidRequest).await;
    let edit = json!({"kind": "edit", "target": site.new_id(), "body": {"type": "text", "text": "x"}});
    refused(command(&ada, group, edit), Slug::NoSuchMessage).await;
}

#[tokio::test]
async fn members_are_listed_in_pages_and_found_by_name() {
    let site = site().await;
    let ada = site.sign_up("ada").await;
    let mut everybody = vec![ada.id()];
    for name in ["bob", "bobby", "carol", "dave"] {
        everybody.push(site.sign_up(name).await.id());
    }
    site.sign_up("bobo").await;
    let group = begin(&ada, json!({"kind": "group", "members": everybody[1..]})).await.id;
    let base = format!("/conversations/{group}/members");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page: Page<MemberItem> = read(ada.get(&format!("{base}?limit=2{after}")), StatusCode::OK).await;
        seen.extend(page.items.iter().map(|member| member.user.id));
        let Some(next) = page.next else { break };
        after = format!("&after={next}");
    }
    seen.sort();
    everybody.sort();
    assert_eq!(seen, everybody);

    let found =
        async |query: &str| -> Page<MemberItem> { read(ada.get(&format!("{base}?{query}")), StatusCode::OK).await };
    let names = |page: &Page<MemberItem>| page.items.iter().map(|member| member.user.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found("query=BOB").await), ["bob", "bobby"], "bobo is no member");
    let first = found("query=bob&limit=1").await;
    assert_eq!(names(&first), ["bob"]);
    assert_eq!(names(&found(&format!("query=bob&limit=1&after={}", first.next.unwrap())).await), ["bobby"]);
    assert_eq!(found("query=nobody").await.items, []);
    assert_eq!(found("query=ada").await.items[0].role, MemberRole::Owner);
    refused(ada.get(&format!("{base}?after=nobody")), Slug::InvalidRequest).await;
}

#[tokio::test]
async fn cursors_and_settings_are_ones_own() {
    let site = site().await;
    let (ada, bob) = (site.sign_up("ada").await, site.sign_up("bob").await);
    let group = begin(&ada, json!({"kind": "group", "members": [bob.id()]})).await.id;
    let seq = says(&ada, group, "one").await.seq;
    let item: Conversation = read(bob.get(&format!("/conversations/{group}")), StatusCode::OK).await;
    let known = item.read.version;
    let reads = async |seq: u64, version: u64| -> ReadCursor {
        let body = json!({"read": {"seq": seq, "version": version}, "delivered": seq});
        read(bob.put(&format!("/conversations/{group}/cursor"), body), StatusCode::OK).await
    };
    assert_eq!(reads(seq, known + 1).await, ReadCursor { seq, version: known + 1, worthy: 1 });
    assert_eq!(reads(1, known + 1).await.seq, seq, "an old version changes nothing");
    assert_eq!(reads(9_999, known + 2).await.seq, seq, "nobody reads what is not there yet");
    assert_eq!(reads(1, known + 3).await, ReadCursor { seq: 1, version: known + 3, worthy: 0 }, "marked as unread");
    // Whoever writes has read; but not what they mark as unread after that, however late the views hear of the writing.
    let mut seq = seq;
    for text in ["two", "three", "four"] {
        seq = says(&bob, group, text).await.seq;
    }
    assert_eq!(reads(2, known + 10).await.seq, 2);
    while site.services.views.projected(ConversationId(group)).await.unwrap() < Seq(seq) {
        tokio::task::yield_now().await;
    }
    let item: Conversation = read(bob.get(&format!("/conversations/{group}")), StatusCode::OK).await;
    assert_eq!((item.read.seq, item.read.version), (2, known + 10));

    let settings = format!("/me/conversations/{group}");
    let item: Conversation = read(bob.patch(&settings, json!({"notify": "mentions"})), StatusCode::OK).await;
    assert_eq!((item.settings.notify, item.settings.favourite), (NotifyLevel::Mentions, false));
    let item: Conversation = read(bob.patch(&settings, json!({"favourite": true})), StatusCode::OK).await;
    assert_eq!((item.settings.notify, item.settings.favourite, item.delivered), (NotifyLevel::Mentions, true, seq));
    refused(bob.patch(&settings, json!({"notify": "loudly"})), Slug::InvalidRequest).await;
    let hers: Conversation = read(ada.get(&format!("/conversations/{group}")), StatusCode::OK).await;
    assert_eq!((hers.settings.notify, hers.settings.favourite), (NotifyLevel::All, false));
}
