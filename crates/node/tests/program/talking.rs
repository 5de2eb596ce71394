//! `send`, `conversations`, `users`, and `tail` of what was said: as lines for people, and as JSON for programs.

use klatch_client::new_id;
use klatch_core::limits::TEXT_BYTES_MAX;
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, EventBody, NewCommand};
use klatch_protocol::rest::{ProfileChange, SiteInfo};
use reqwest::Method;
use uuid::Uuid;

use crate::world::{Site, begin, eventually, objects};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_to_whoever_is_meant_and_is_read_by_all() {
    let site = Site::start().await;
    let (ada, hers) = site.person("ada").await;
    let (bob, his) = site.person("bob").await;
    let bobs_id = bob.me().await.unwrap().id;
    let tea = begin(&ada, ConversationKind::Channel, "tea", &[]).await;
    let group = begin(&ada, ConversationKind::Group, "five o'clock", &[bobs_id]).await;

    assert_eq!(hers.ok(&["send", "#tea", "Kettle is on."]).await, "");
    hers.ok(&["send", "tea", "And on."]).await;
    hers.ok(&["send", &tea.to_string(), "*And* on."]).await;
    hers.ok(&["send", "five o'clock", "Now."]).await;
    hers.ok(&["send", "@bob", "Are you there?"]).await;
    let answer = objects(&his.ok(&["send", "@ada", "I am.", "--json"]).await);
    assert_eq!((answer.len(), &answer[0]["seq"]), (1, &3.into()));

    let said = hers.ok(&["tail", "#tea", "--until-now", "-n", "2"]).await;
    let lines: Vec<_> = said.lines().map(|line| line.split_at("2026-01-31 09:14".len())).collect();
    assert_eq!(lines.iter().map(|(_, what)| *what).collect::<Vec<_>>(), [" <ada> And on.", " <ada> *And* on."]);
    assert!(lines.iter().all(|(at, _)| at.starts_with("20") && at.ends_with(|c: char| c.is_ascii_digit())), "{said}");
    let said = objects(&hers.ok(&["tail", "#tea", "--until-now", "--json"]).await);
    let texts: Vec<_> = said.iter().filter_map(|line| line["event"]["body"]["text"].as_str()).collect();
    assert_eq!(texts, ["Kettle is on.", "And on.", "*And* on."]);
    assert!(said.iter().all(|line| line["conversation"] == tea.to_string()));
    let everything = his.ok(&["tail", "--until-now"]).await;
    assert!(
        everything.contains("[five o'clock] ") && everything.contains("<ada> Now.") && !everything.contains("Kettle")
    );

    assert_eq!(everything.matches("I am.").count(), 1, "{everything}");
    // Lists follow the log by a moment.
    let (own, others) =
        ("  @ada  members: 2, unread: 0, last: 20", format!("{group}  five o'clock  members: 2, unread: 1"));
    eventually("he has read what he wrote, and no more", async || {
        let list = his.ok(&["conversations"]).await;
        let (direct, other) = list.split_once('\n')?;
        (direct.contains(own) && other.contains(&others)).then_some(())
    })
    .await;
    let list = objects(&his.ok(&["conversations", "--json"]).await);
    assert_eq!(list.iter().map(|item| item["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["direct", "group"]);
    assert!(hers.ok(&["conversations"]).await.contains("  #tea  members: 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_not_meant_by_anything_is_explained() {
    let site = Site::start().await;
    let (ada, hers) = site.person("ada").await;
    let (_, his) = site.person("bob").await;
    begin(&ada, ConversationKind::Channel, "tea", &[]).await;
    let twice = [(); 2].map(|()| begin(&ada, ConversationKind::Group, "cake", &[]));
    let [one, other] = twice;
    let ids = [one.await, other.await].map(|id| id.to_string());
    his.run(&["send", "#tea", "hello"]).await.failed(1, &["you are not in #tea; join it first"]);
    his.run(&["send", "#coffee", "hello"]).await.failed(1, &["is called", "klatch conversations"]);
    his.run(&["send", "@carol", "hello"]).await.failed(1, &["nobody is called @carol", "klatch users"]);
    let nowhere = Uuid::nil().to_string();
    his.run(&["tail", &nowhere]).await.failed(1, &["is no conversation of yours"]);
    his.run(&["tail", &ids[0]]).await.failed(1, &["is no conversation of yours"]);
    hers.run(&["send", "cake", "hello"]).await.failed(1, &["several of your conversations", &ids[0], &ids[1]]);
    hers.run(&["send", "#tea", " \n"]).await.failed(1, &["The text is empty"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_sent_as_it_is_but_for_its_last_line_end() {
    let site = Site::start().await;
    let (ada, hers) = site.person("ada").await;
    let tea = begin(&ada, ConversationKind::Group, "tea", &[]).await;
    let send = ["send", "tea", "-"];
    hers.given(&send, "one\n\n  two\u{1f375}\n\n".as_bytes()).await.ok();
    let fits = "x".repeat(TEXT_BYTES_MAX);
    hers.given(&send, format!("{fits}\n").as_bytes()).await.ok();
    hers.given(&send, format!("{fits}x\n").as_bytes()).await.failed(1, &["too long", "16384 bytes"]);
    // A letter that stands across the limit is no reason to call this no text.
    let long = format!("x{}", "é".repeat(TEXT_BYTES_MAX));
    hers.given(&send, long.as_bytes()).await.failed(1, &["too long"]);
    hers.given(&send, b"\xff\xfe").await.failed(1, &["standard input is no text"]);
    hers.given(&send, b"").await.failed(1, &["The text is empty"]);
    let page = ada.history(tea, "").await.unwrap();
    let texts: Vec<_> = page.events.iter().filter_map(|event| text(&event.kind)).collect();
    assert_eq!(texts, ["one\n\n  two\u{1f375}", &fits]);
}

fn text(kind: &EventBody) -> Option<&str> {
    match kind {
        EventBody::Sent { body: Some(Body::Text { text, .. }), .. } => Some(text),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_others_wrote_commands_the_terminal() {
    let site = Site::start().await;
    let (ada, hers) = site.person("ada").await;
    let tea = begin(&ada, ConversationKind::Group, "tea", &[]).await;
    let body = Body::Text { text: "\u{1b}]0;owned\u{7}\u{1b}[2J\nlike this".to_owned(), emote: true };
    let command = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
    let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
    ada.submit(tea, &new).await.unwrap();
    let said = hers.ok(&["tail", "tea", "--until-now", "-n", "1"]).await;
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
    assert!(said.ends_with(" * ada \u{fffd}]0;owned\u{fffd}\u{fffd}[2J\n    like this\n"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_and_searched() {
    let site = Site::start().await;
    let (ada, hers) = site.person("ada").await;
    site.user("bob").await;
    let change = ProfileChange { display_name: Some("Ada Lovelace".to_owned()), about: None };
    ada.write::<_, serde_json::Value>(Method::PATCH, "/me", Some(&change)).await.unwrap();
    assert_eq!(hers.ok(&["users"]).await, "@ada  Ada Lovelace\n@bob  bob\n@owner  owner  (owner)\n");
    assert_eq!(hers.ok(&["users", "love"]).await, "@ada  Ada Lovelace\n");
    let found = objects(&hers.ok(&["users", "bob", "--json"]).await);
    assert_eq!((found.len(), &found[0]["name"], &found[0]["role"]), (1, &"bob".into(), &"member".into()));
    assert_eq!(hers.ok(&["users", "nobody"]).await, "");
    // Beyond the shell the same site answers: nothing of this is the shell's own.
    let info: SiteInfo = ada.get("/site").await.unwrap();
    assert!(!info.needs_owner);
}
