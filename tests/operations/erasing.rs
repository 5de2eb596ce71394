//! What must be nowhere on the disk, looked for in every byte of it: what people wrote, in the clear; a key that was destroyed,
//! wrapped or not; and what is left of an erased message.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klatch_core::ids::{ConversationId, Seq};
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::event_log::fjall::FjallEventLog;
use klatch_node::{Overrides, Pace, SystemEntropy};
use klatch_ports::event_log::EventLog;
use klatch_protocol::objects::{Body, CommandBody, ConversationKind};
use klatch_server::environment::Entropy;
use klatch_testkit::{NodeOptions, TestNode, TestUser, eventually, text};
use uuid::Uuid;

use super::backing_up::{Backup, close, holds, wrapped_key};

/// Chance that remembers every key that was drawn from it.
#[derive(Default)]
struct Drawn(Mutex<Vec<[u8; 32]>>);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        SystemEntropy.fill(bytes);
        if let Ok(key) = <[u8; 32]>::try_from(&*bytes) {
            self.0.lock().expect("nobody panics").push(key);
        }
    }
}

impl Drawn {
    /// How many keys there are so far.
    fn count(&self) -> usize {
        self.0.lock().expect("nobody panics").len()
    }

    /// Those that came after so many.
    fn since(&self, count: usize) -> Vec<[u8; 32]> {
        self.0.lock().expect("nobody panics")[count..].to_vec()
    }
}

/// What must not be found, under the name by which the test would tell of it.
#[derive(Default)]
struct Forbidden(Vec<(String, Vec<u8>)>);

impl Forbidden {
    fn add(&mut self, name: impl fmt::Display, bytes: impl Into<Vec<u8>>) {
        self.0.push((name.to_string(), bytes.into()));
    }

    fn is_nowhere_in(&self, folder: &Path) {
        for (name, bytes) in &self.0 {
            assert!(!holds(folder, bytes), "{name} is in {}", folder.display());
        }
    }
}

/// Somebody writes, edits, deletes, and answers, and all their words are forbidden from then on.
async fn write(user: &TestUser, name: &str, conversation: Uuid, forbidden: &mut Forbidden) {
    let mut words = |what: &str| {
        let words = format!("{name} {what}, which is nobody's business");
        forbidden.add(&words, words.clone());
        words
    };
    user.say(conversation, &words("says something")).await;
    let edited = user.command(conversation, text(&words("says what will be edited"))).await.expect("said").id;
    let body = Body::Text { text: words("has thought again"), emote: false };
    let edit = CommandBody::Edit { target: edited, body, mentions: Vec::new() };
    user.command(conversation, edit).await.expect("edited");
    let deleted = user.command(conversation, text(&words("says what will be deleted"))).await.expect("said").id;
    user.command(conversation, CommandBody::Delete { target: deleted }).await.expect("deleted");
    let long = words("goes on and on").repeat(200);
    user.say(conversation, &long).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_words_lie_in_the_clear_and_a_destroyed_key_is_nowhere() {
    let drawn = Arc::<Drawn>::default();
    let overrides = Overrides { entropy: drawn.clone(), ..Overrides::default() };
    let node = TestNode::with(NodeOptions { overrides, ..NodeOptions::default() }).await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let mut forbidden = Forbidden::default();
    let tea = ada.begin(ConversationKind::Group, "the tea room", &[bob.id()]).await.id;
    write(&ada, "ada", tea, &mut forbidden).await;
    let before = drawn.count();
    write(&bob, "bob", tea, &mut forbidden).await;
    let keys = drawn.since(before);
    assert!(!keys.is_empty(), "his key was drawn when he first wrote");
    for key in keys {
        forbidden.add("a key that was drawn for bob", key);
    }
    let whisper = bob.begin(ConversationKind::Direct, "", &[ada.id()]).await.id;
    write(&bob, "bob alone", whisper, &mut forbidden).await;

    let backup = Backup::of(&node).await;
    let copied = backup.keys().join("keys.db");
    let (hers, his) = (wrapped_key(&copied, ada.id()), wrapped_key(&copied, bob.id()));
    forbidden.is_nowhere_in(backup.log().parent().expect("the backup"));
    forbidden.is_nowhere_in(&node.data());
    assert!(holds(&node.data(), &his), "it is there until he closes his account");
    close(&bob).await;
    forbidden.add("bob's wrapped key", his);
    // As soon as he was told, and with the node running.
    forbidden.is_nowhere_in(&node.data());
    let later = Backup::of(&node).await;
    forbidden.is_nowhere_in(later.log().parent().expect("the backup"));
    let old = node.stop().await;
    forbidden.is_nowhere_in(old.path());
    assert!(holds(old.path(), &hers) && holds(old.path(), b"the tea room"), "one can find what is there");

    // The backup from before has his key; a restore that knows the list has not.
    backup.restore(vec![old.path().join("keys.db")]).await.expect("restored");
    forbidden.is_nowhere_in(&backup.target());
    later.restore(Vec::new()).await.expect("restored");
    forbidden.is_nowhere_in(&later.target());
    assert!(holds(&backup.target(), &hers) && holds(&later.target(), &hers));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_deleted_message_leaves_the_disk() {
    let pace = Pace { look: Duration::from_millis(10), pause: Duration::ZERO, patience: Duration::ZERO };
    let overrides = Overrides { compaction: pace, ..Overrides::default() };
    let node = TestNode::with(NodeOptions { overrides, ..NodeOptions::default() }).await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let first = ada.command(tea, text("what will be deleted")).await.expect("said");
    let second = ada.say(tea, "what stays").await;
    let data = node.data();
    let mut sealed = Vec::new();
    let node = node
        .stopped_while(async {
            for seq in [first.seq, second] {
                sealed.push(body(&data, tea, seq).await);
            }
        })
        .await;
    let ada = ada.at(&node.base()).await;
    ada.command(tea, CommandBody::Delete { target: first.id }).await.expect("deleted");
    eventually("no file has it", async || (!holds(&data, &sealed[0])).then_some(())).await;
    assert!(holds(&data, &sealed[1]), "the other one is there");
}

/// A body as it lies in the log of a node that does not run.
async fn body(data: &Path, conversation: Uuid, seq: u64) -> Vec<u8> {
    let store = Store::open(&data.join("log"), Options::default()).expect("a store");
    let log = FjallEventLog::new(store);
    let records = log.read(ConversationId(conversation), Seq(seq), 1).await.expect("a record");
    records[0].body.to_vec()
}
