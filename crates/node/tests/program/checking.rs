//! `klatch check` on files that were damaged: it finds what it is, says so, and ends with exit code 1.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use klatch_protocol::objects::{Body, CommandBody, ConversationKind};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Ended, Site, begin, ended, klatch, objects};

const NAME: &str = "the-tea-room";

/// The data of a node that was stopped, of which copies are damaged.
struct Stopped {
    site: TempDir,
    conversation: String,
}

impl Stopped {
    async fn new() -> Self {
        let site = Site::start().await;
        let tea = begin(&site.owner, ConversationKind::Channel, NAME, &[]).await;
        let text = |text: &str| Body::Text { text: text.to_owned(), emote: false };
        let mut target = tea;
        for n in 0..5 {
            let body = text(&n.to_string());
            let send = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
            target = site.owner.command(tea, send).await.unwrap().id;
        }
        let react = CommandBody::React { target, emoji: "👍".to_owned() };
        site.owner.command(tea, react).await.unwrap();
        let edit = CommandBody::Edit { target, body: text("five"), mentions: Vec::new() };
        site.owner.command(tea, edit).await.unwrap();
        // The lists follow the log by moments, and those of a node that stops meanwhile are behind, which is no damage. One that
        // starts brings them up to date before it is ready.
        let Site { server, dir, .. } = site.again(Signal::TERM, &[]).await;
        server.end(Signal::TERM).await;
        Self { site: dir, conversation: tea.to_string() }
    }

    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(&self.site.path().join("data"), &copy.path().join("data"));
        copy
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to)
        } else {
            drop(fs::copy(entry.path(), to))
        }
    }
}

async fn check(dir: &TempDir, words: &[&str]) -> Ended {
    let mut command = klatch();
    command.args(["check", "--data"]).arg(dir.path().join("data")).args(words);
    ended(command).await
}

/// What it finds, as programs read it: kinds and sentences.
async fn findings(dir: &TempDir) -> Vec<Value> {
    let ended = check(dir, &["--json"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    let mut lines = objects(&ended.out);
    let summary = lines.pop().unwrap();
    assert_eq!(summary["findings"], lines.len(), "{ended:?}");
    assert!(!lines.is_empty());
    lines
}

fn kinds(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["kind"].as_str().unwrap()).collect()
}

/// The journal of the log: where everything lies that is not old yet.
fn journal(dir: &TempDir) -> PathBuf {
    let store = fs::read_dir(dir.path().join("data/log/store")).unwrap();
    let mut journals: Vec<_> =
        store.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "jnl")).collect();
    journals.sort();
    journals.pop().expect("a journal")
}

/// Changes a letter where this stands.
fn flip(file: &Path, wanted: &str) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(wanted.len()).position(|window| window == wanted.as_bytes()).expect("it is there");
    bytes[at + 1] ^= 0x01;
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sound_is_called_so() {
    let stopped = Stopped::new().await;
    let said = check(&stopped.site, &[]).await.ok();
    assert_eq!(said, "Checked 1 conversation with 8 records: all is well.\n");
    let said = objects(&check(&stopped.site, &["--json"]).await.ok());
    assert_eq!(said, [serde_json::json!({"conversations": 1, "records": 8, "behind": 0, "findings": 0})]);
    let nowhere = tempfile::tempdir().unwrap();
    check(&nowhere, &[]).await.failed(1, &["there are no data in", "--data"]);
    assert!(!nowhere.path().join("data").exists(), "looking makes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_asked_is_not_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("cluster.toml"), dir.path().join("data"));
    // Nobody listens at this port.
    let place = "127.0.0.1:1";
    let sql =
        ["event_log", "views", "directory", "keys"].map(|port| format!("{port} = \"postgres://{place}/klatch\"\n"));
    let others = format!("queue = \"amqp://{place}\"\nlive = \"redis://{place}\"\npresence = \"redis://{place}\"\n");
    fs::write(&file, format!("[engines]\n{}{others}", sql.concat())).unwrap();
    let words = ["--config", file.to_str().unwrap()];
    check(&dir, &words).await.failed(1, &["data/master.key is not there", "--data"]);
    assert!(!data.exists(), "looking makes nothing");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("master.key"), [7; 32]).unwrap();
    fs::set_permissions(data.join("master.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let ended = check(&dir, &words).await;
    assert_eq!(ended.out, "", "nothing was found, and nothing was sound");
    ended.failed(1, &["the check cannot begin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_say_something_else_than_the_log_are_found() {
    let stopped = Stopped::new().await;
    let copy = stopped.copy();
    flip(&copy.path().join("data/views.db"), NAME);
    let found = findings(&copy).await;
    // The index over the names, and the name itself.
    assert_eq!(kinds(&found), ["database", "views"]);
    assert_eq!(found[1]["conversation"], stopped.conversation);
    let said = check(&copy, &[]).await;
    assert!(said.out.starts_with("database: ") && said.out.contains("/data/views.db: "), "{}", said.out);
    assert!(said.out.contains(&format!("\nviews in {} at 8: ", stopped.conversation)), "{}", said.out);
    assert!(said.out.ends_with("Checked 1 conversation with 8 records: 2 findings.\n"), "{}", said.out);
    assert_eq!((said.code, &*said.err), (Some(1), ""), "it was said already");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_database_that_are_none_are_found() {
    let stopped = Stopped::new().await;
    for name in ["views.db", "directory.db", "keys.db"] {
        let copy = stopped.copy();
        let file = copy.path().join("data").join(name);
        let mut bytes = fs::read(&file).unwrap();
        bytes[4_096..].fill(0xff);
        fs::write(&file, bytes).unwrap();
        let found = findings(&copy).await;
        assert!(["database", "open"].contains(&kinds(&found)[0]), "{name}: {found:?}");
        assert!(found[0]["detail"].as_str().unwrap().contains(&format!("/data/{name}: ")), "{name}: {found:?}");
        // No database at all.
        fs::write(&file, "no database").unwrap();
        let found = findings(&copy).await;
        assert_eq!(kinds(&found), ["open"], "{found:?}");
        assert!(found[0]["detail"].as_str().unwrap().contains(name), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_changed_in_the_log_is_missed_aloud() {
    let stopped = Stopped::new().await;
    let copy = stopped.copy();
    flip(&journal(&copy), NAME);
    let found = findings(&copy).await;
    assert_eq!(kinds(&found), ["open"]);
    let detail = found[0]["detail"].as_str().unwrap();
    assert!(detail.contains("is damaged (events 1 to 1 are missing"), "{detail}");
    assert!(detail.contains("keep a copy") && detail.contains("restore the last backup"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_gone_from_the_end_of_the_log_are_found_by_what_they_left_elsewhere() {
    let stopped = Stopped::new().await;
    let copy = stopped.copy();
    // From the reaction on, as if it and the edit had never been synced; they were, and the lists tell of them.
    let file = journal(&copy);
    let end = fs::read(&file).unwrap().windows(4).position(|window| window == "👍".as_bytes()).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_len(end as u64).unwrap();
    let found = findings(&copy).await;
    assert!(kinds(&found).contains(&"views"), "{found:?}");
    assert!(found.iter().all(|finding| finding["conversation"] == stopped.conversation), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_any_more_is_not_made_anew() {
    let stopped = Stopped::new().await;
    let copy = stopped.copy();
    fs::remove_dir_all(copy.path().join("data/log/store")).unwrap();
    let found = findings(&copy).await;
    assert_eq!(kinds(&found), ["open"]);
    assert!(found[0]["detail"].as_str().unwrap().contains("store/ is missing"), "{found:?}");
    assert!(!copy.path().join("data/log/store").exists());
}
