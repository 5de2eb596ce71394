//! A backup is taken of a node that runs, and restored elsewhere; what was erased stays erased.

use std::path::{Path, PathBuf};

use klatch_client::Rest;
use klatch_node::backup::restore::{Restored, Wanted, restore};
use klatch_node::checks::check;
use klatch_node::config::Config;
use klatch_node::{Node, Overrides, operator};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, EventBody, Slug};
use klatch_protocol::rest::{Closure, CursorMove, SignIn};
use klatch_server::accounts::{self, Rates, Work};
use klatch_testkit::{TestNode, TestUser};
use reqwest::Method;
use tempfile::TempDir;
use uuid::Uuid;

const SECRET: &str = "the kettle hides behind the clock";
const PASSWORD: &str = "correct horse battery";

/// A backup, and a place to restore it to.
pub struct Backup {
    dir: TempDir,
}

impl Backup {
    /// Takes one of this node.
    pub async fn of(node: &TestNode) -> Self {
        let backup = Self { dir: tempfile::tempdir().expect("a directory") };
        operator::backup(&node.data(), backup.log(), backup.keys()).await.expect("a backup");
        backup
    }

    /// The log and the rest of it.
    pub fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// The keys, apart.
    pub fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    /// Where it is restored to.
    pub fn target(&self) -> PathBuf {
        self.dir.path().join("restored")
    }

    /// Restores it; what these lists say is destroyed.
    pub async fn restore(&self, destroyed: Vec<PathBuf>) -> anyhow::Result<Restored> {
        let wanted = Wanted { from: self.log(), keys: self.keys(), destroyed, expired: false };
        restore(&wanted, config(&self.target()), &overrides()).await
    }
}

fn config(data: &Path) -> Config {
    let mut config = Config { data: data.to_owned(), ..Config::default() };
    config.http.listen.set_port(0);
    config
}

fn overrides() -> Overrides {
    let accounts = accounts::Options { work: Work::least(), rates: Rates::boundless() };
    Overrides { accounts, ..Overrides::default() }
}

async fn node_on(data: &Path) -> (Node, String) {
    let node = Node::start(config(data), overrides(), None).await.expect("a node that starts");
    let base = format!("http://{}", node.address().expect("people reach it"));
    (node, base)
}

/// Closes somebody's account.
pub async fn close(user: &TestUser) {
    let body = Closure { password: PASSWORD.to_owned() };
    user.rest.write::<_, Option<()>>(Method::POST, "/me/closure", Some(&body)).await.expect("closed");
}

async fn texts(rest: &Rest, conversation: Uuid) -> Vec<Option<String>> {
    let page = rest.history(conversation, "").await.expect("a page");
    let said = |kind| match kind {
        EventBody::Sent { body: Some(Body::Text { text, .. }), .. } => Some(Some(text)),
        EventBody::Sent { .. } => Some(None),
        _ => None,
    };
    page.events.into_iter().filter_map(|event| said(event.kind)).collect()
}

/// Whether these bytes are in any file below.
pub fn holds(dir: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(dir).expect("a directory").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return holds(&path, wanted);
        }
        let Ok(bytes) = std::fs::read(&path) else { return false };
        bytes.windows(wanted.len()).any(|window| window == wanted)
    })
}

async fn findings(data: &Path) -> Vec<&'static str> {
    let mut found = Vec::new();
    let tell = |finding: klatch_node::checks::Finding| {
        found.push(finding.kind);
        Ok(())
    };
    check(&config(data), &overrides(), tell).await.expect("a check");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_as_it_was() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Channel, "tea", &[]).await.id;
    bob.command(tea, CommandBody::Join).await.expect("joined");
    let first = ada.command(tea, klatch_testkit::text(SECRET)).await.expect("said");
    bob.say(tea, "milk?").await;
    let react = CommandBody::React { target: first.id, emoji: "☕".to_owned() };
    bob.command(tea, react).await.expect("reacted");
    let read = klatch_protocol::gateway::ReadMove { seq: 2, version: 50 };
    let cursor = CursorMove { read: Some(read), delivered: None };
    let path = format!("/conversations/{tea}/cursor");
    bob.rest.write::<_, serde_json::Value>(Method::PUT, &path, Some(&cursor)).await.expect("moved");
    let before = bob.rest.history(tea, "").await.expect("a page");

    let backup = Backup::of(&node).await;
    ada.say(tea, "after the backup").await;
    assert!(!holds(backup.dir.path(), SECRET.as_bytes()), "nothing is in the clear");
    let _data = node.stop().await;

    let restored = backup.restore(Vec::new()).await.expect("restored");
    assert_eq!((restored.conversations, restored.records), (1, 5));
    assert_eq!(findings(&backup.target()).await, Vec::<&str>::new());
    let (again, base) = node_on(&backup.target()).await;
    let bob = bob.at(&base).await;
    let after = bob.rest.history(tea, "").await.expect("a page");
    assert_eq!(after, before, "events and overlay are the same");
    let seen: klatch_protocol::objects::Conversation =
        bob.rest.get(&format!("/conversations/{tea}")).await.expect("his list");
    assert_eq!((seen.read.seq, seen.read.version, seen.members), (2, 50, 2), "cursors came back too");
    bob.say(tea, "and it goes on").await;
    again.stop().await;
    assert_eq!(findings(&backup.target()).await, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_before_the_restore_is_not_brought_back() {
    let node = TestNode::start().await;
    let (ada, bob, eve) = (node.user("ada").await, node.user("bob").await, node.user("eve").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id(), eve.id()]).await.id;
    bob.say(tea, SECRET).await;
    eve.say(tea, "closed before").await;
    ada.say(tea, "stays").await;
    close(&eve).await;
    let backup = Backup::of(&node).await;
    let wrapped = |keys: &Path| wrapped_key(keys, bob.id());
    let his = wrapped(&backup.keys().join("keys.db"));
    close(&bob).await;
    let old = node.stop().await;
    assert!(!holds(old.path(), &his), "his key is nowhere in the data that he closed his account in");

    let restored = backup.restore(vec![old.path().join("keys.db")]).await.expect("restored");
    assert_eq!((restored.destroyed, restored.closed), (2, 1));
    assert!(!holds(&backup.target(), &his), "nor in those that were restored");
    assert!(!holds(&backup.target(), SECRET.as_bytes()));
    assert_eq!(findings(&backup.target()).await, Vec::<&str>::new());
    let (again, base) = node_on(&backup.target()).await;
    let ada = ada.at(&base).await;
    assert_eq!(texts(&ada.rest, tea).await, [None, None, Some("stays".to_owned())]);
    let sign_in = SignIn { name: "bob".to_owned(), password: PASSWORD.to_owned(), device: None, cookie: false };
    let refused = bob.at(&base).await.rest.sign_in(&sign_in).await.expect_err("closed");
    assert_eq!(refused.slug(), Some(Slug::WrongPassword));
    again.stop().await;
}

/// Somebody's wrapped key, as a copy of the keys holds it: the bytes that must not be anywhere later.
pub fn wrapped_key(keys: &Path, user: Uuid) -> Vec<u8> {
    let bytes = std::fs::read(keys).expect("the keys");
    let at = bytes.windows(16).position(|window| window == user.as_bytes()).expect("they have a key");
    // The row goes on with the wrapped key: format, nonce and more.
    bytes[at + 16..at + 16 + 40].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_not_whole_is_refused_with_a_sentence() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Channel, "tea", &[]).await.id;
    ada.say(tea, "hello").await;
    let backup = Backup::of(&node).await;
    let again = operator::backup(&node.data(), backup.log(), backup.keys()).await.expect_err("there is one already");
    assert!(again.to_string().contains("is not empty"), "{again}");
    let _data = node.stop().await;

    let log = backup.log().join("log.frames");
    let whole = std::fs::read(&log).expect("the log's copy");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    std::fs::write(&log, &changed).expect("damaged");
    let refused = backup.restore(Vec::new()).await.expect_err("damaged");
    assert!(format!("{refused:#}").contains("is damaged"), "{refused:#}");
    std::fs::write(&log, &whole[..whole.len() / 2]).expect("cut");
    assert!(backup.restore(Vec::new()).await.is_err());
    std::fs::write(&log, &whole).expect("mended");

    let (manifest, aside) = (backup.log().join("manifest.json"), backup.log().join("aside"));
    std::fs::rename(&manifest, &aside).expect("moved");
    let refused = backup.restore(Vec::new()).await.expect_err("never finished");
    assert!(format!("{refused:#}").contains("no finished backup"), "{refused:#}");
    let newer = std::fs::read_to_string(&aside).expect("a manifest").replace("\"format\": 1", "\"format\": 2");
    std::fs::write(&manifest, newer).expect("of another version");
    let refused = backup.restore(Vec::new()).await.expect_err("newer");
    assert!(format!("{refused:#}").contains("newer version"), "{refused:#}");
    std::fs::rename(&aside, &manifest).expect("mended");
    assert!(!backup.target().exists(), "nothing was left behind");

    backup.restore(Vec::new()).await.expect("restored");
    let refused = backup.restore(Vec::new()).await.expect_err("there are data");
    assert!(format!("{refused:#}").contains("is not empty"), "{refused:#}");
}
