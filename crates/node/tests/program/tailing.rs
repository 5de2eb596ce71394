//! `tail` that goes on: through restarts without a hole or a double, and not beyond its session.

use std::process::Stdio;

use klatch_client::Rest;
use klatch_protocol::objects::{Body, CommandBody, ConversationKind};
use klatch_protocol::rest::{Page, SessionItem};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;
use uuid::Uuid;

use crate::front::{Front, Host};
use crate::world::{PATIENCE, Shell, Site, begin, ended};

/// A tail that runs.
struct Tail {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    seqs: Vec<u64>,
    texts: Vec<String>,
}

impl Tail {
    fn start(shell: &Shell, words: &[&str]) -> Self {
        let mut child = shell.command(&[&["tail", "--json"], words].concat()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, seqs: Vec::new(), texts: Vec::new() }
    }

    /// Reads until this was said.
    async fn until(&mut self, wanted: &str) {
        while self.texts.last().is_none_or(|last| last != wanted) {
            let line = timeout(PATIENCE, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("\"{wanted}\" does not come after {:?}", self.texts));
            let line: Value = serde_json::from_str(&line.unwrap().expect("it goes on")).unwrap();
            self.seqs.push(line["event"]["seq"].as_u64().unwrap());
            self.texts.extend(line["event"]["body"]["text"].as_str().map(str::to_owned));
        }
    }
}

async fn say(rest: &Rest, conversation: Uuid, said: &str) {
    let body = Body::Text { text: said.to_owned(), emote: false };
    let command = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
    rest.command(conversation, command).await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_comes_back_after_restarts_with_neither_hole_nor_double() {
    let mut site = Site::start().await;
    let front = Front::open(Host::Passed).await;
    front.lead(Some(site.base()));
    let tea = begin(&site.owner, ConversationKind::Channel, "tea", &[]).await;
    let shell = Shell::at(&front.base());
    shell.login("owner").await;
    say(&site.owner, tea, "0").await;
    let (mut one, mut all) = (Tail::start(&shell, &["#tea"]), Tail::start(&shell, &[]));
    one.until("0").await;
    all.until("0").await;
    let mut said = 0;
    for signal in [Signal::TERM, Signal::KILL, Signal::TERM] {
        // Some while it listens, some while the server is away from it, some when it is back.
        for _ in 0..3 {
            said += 1;
            say(&site.owner, tea, &said.to_string()).await;
        }
        one.until(&said.to_string()).await;
        front.lead(None);
        said += 1;
        say(&site.owner, tea, &said.to_string()).await;
        site = site.again(signal, &[]).await;
        said += 1;
        say(&site.owner, tea, &said.to_string()).await;
        front.lead(Some(site.base()));
        said += 1;
        say(&site.owner, tea, &said.to_string()).await;
        one.until(&said.to_string()).await;
        all.until(&said.to_string()).await;
    }
    for tail in [&mut one, &mut all] {
        let expected: Vec<_> = (0..=said).map(|n| n.to_string()).collect();
        assert_eq!(tail.texts, expected);
        assert_eq!(tail.seqs, (1..=said + 2).collect::<Vec<u64>>(), "each once, in order");
        assert!(tail.child.try_wait().unwrap().is_none(), "it goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_ends_with_its_session_and_says_why() {
    let site = Site::start().await;
    let (ada, shell) = site.person("ada").await;
    let tea = begin(&ada, ConversationKind::Group, "tea", &[]).await;
    let mut tail = Tail::start(&shell, &["tea"]);
    say(&ada, tea, "live").await;
    tail.until("live").await;
    let sessions: Page<SessionItem> = ada.get("/sessions").await.unwrap();
    let others = sessions.items.iter().find(|session| !session.current).unwrap();
    ada.write::<(), ()>(Method::DELETE, &format!("/sessions/{}", others.id), None).await.unwrap();
    drop(tail.lines);
    let ended = timeout(PATIENCE, tail.child.wait_with_output()).await.unwrap().unwrap();
    let err = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(3), "{err}");
    assert!(err.contains("signed_out") && err.contains("klatch login"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_read_enough_ends_a_tail_quietly() {
    let site = Site::start().await;
    let (ada, shell) = site.person("ada").await;
    let tea = begin(&ada, ConversationKind::Group, "tea", &[]).await;
    for n in 0..5 {
        say(&ada, tea, &n.to_string()).await;
    }
    let mut command = shell.command(&["tail", "tea"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().expect("a line");
    drop(lines);
    // Now nobody reads what it prints.
    say(&ada, tea, "more").await;
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    let none = ended(shell.command(&["tail", "tea", "--until-now", "-n", "0"])).await.ok();
    assert_eq!(none, "");
}
