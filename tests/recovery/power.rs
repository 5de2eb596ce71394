//! Rounds of losing power: at any moment, at named places, with everything lost that was not synced or a random part of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klatch_client::{Rest, Tokens, new_id};
use klatch_forgetful::{Disk, Loss};
use klatch_protocol::objects::ConversationKind;
use klatch_protocol::rest::{NewConversation, SignUp};
use klatch_testkit::eventually;
use uuid::Uuid;

use super::checker::{Findings, check, repeat};
use super::child::{Fate, NodeProcess};
use super::load::{Book, write};

/// Rounds in CI; `make test-long` sets `KLATCH_ROUNDS`.
const ROUNDS: u64 = 50;
/// Conversations of a round.
const CONVERSATIONS: usize = 4;

/// Places at which a node dies by itself.
const CRASH_POINTS: [&str; 5] =
    ["before_append", "after_append", "after_views", "after_acknowledgement", "during_snapshot"];

/// A site on a disk that forgets.
pub struct Site {
    disk: Disk,
    tokens: Tokens,
}

impl Site {
    /// A new one, with an owner.
    pub async fn new(disk: Disk) -> Self {
        let node = NodeProcess::start(&disk, &Fate::default()).expect("it starts on an empty disk");
        let rest = Rest::new(&node.base, Tokens::default()).expect("a client");
        let wanted = SignUp {
            name: "owner".to_owned(),
            password: "correct horse battery".to_owned(),
            display_name: None,
            invite: node.claim.clone(),
            device: None,
            cookie: false,
        };
        rest.sign_up(&wanted).await.expect("an owner");
        let tokens = rest.tokens().await;
        node.stop();
        Self { disk, tokens }
    }

    /// One round: people write, the node dies, power is lost; and what is found then.
    pub async fn round(&mut self, fate: &Fate, enough: usize, loss: Loss) -> Result<(Findings, Book), String> {
        let mut node = NodeProcess::start(&self.disk, fate)?;
        if let Some(operations) = fate.dies_after {
            self.disk
                .die_after(self.disk.operations().map_err(|error| error.to_string())? + operations)
                .map_err(|error| error.to_string())?;
        }
        let rest = Rest::new(&node.base, self.tokens.clone()).expect("a client");
        let mut conversations = Vec::with_capacity(CONVERSATIONS);
        for number in 0..CONVERSATIONS {
            // Where the node dies before anybody could write, there is nothing to find.
            match begin(&rest, number).await {
                Ok(id) => conversations.push(id),
                Err(_) => break,
            }
        }
        self.tokens = rest.tokens().await;
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writing = write(node.base.clone(), self.tokens.access.clone(), conversations.clone(), acknowledged.clone());
        let writing = tokio::spawn(writing);
        eventually("the node is dead, or has to be killed", async || {
            let is_enough = !fate.dies_by_itself() && acknowledged.load(Ordering::Relaxed) >= enough;
            (is_enough || node.is_dead()).then_some(())
        })
        .await;
        node.kill();
        let mut book = writing.await.expect("people who write");
        self.disk.lose_power(loss).map_err(|error| error.to_string())?;
        let node = NodeProcess::start(&self.disk, &Fate::default())?;
        let rest = Rest::new(&node.base, self.tokens.clone()).expect("a client");
        let mut findings = check(&rest, &conversations, &book).await;
        findings.extend(repeat(&rest, &mut book).await);
        findings.extend(check(&rest, &conversations, &book).await);
        self.tokens = rest.tokens().await;
        node.stop();
        Ok((findings, book))
    }

    /// What is mapped into memory and written there, the disk does not see: there must be nothing.
    pub fn escapes(&self) -> u64 {
        self.disk.escapes().expect("the disk counts")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_loss_of_power() {
    let rounds = std::env::var("KLATCH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut site = Site::new(Disk::new(&dir.path().join("data")).expect("a disk")).await;
    let mut report: BTreeMap<&str, (u64, usize, usize)> = BTreeMap::new();
    for round in 0..rounds {
        let (name, fate) = fate(round);
        let loss = if round % 2 == 0 { Loss::Everything } else { Loss::Some { seed: round } };
        let enough = 300 + (round as usize * 37) % 900;
        let (findings, book) = site.round(&fate, enough, loss).await.expect("it comes back");
        assert!(findings.is_empty(), "round {round}, {fate:?}, {loss:?}: {findings:#?}");
        let acknowledged = book.values().filter(|sent| sent.committed.is_some()).count();
        let line = report.entry(name).or_default();
        *line = (line.0 + 1, line.1 + book.len(), line.2 + acknowledged);
    }
    println!("{:>22} {:>7} {:>9} {:>9}", "died", "rounds", "commands", "durable");
    for (point, (rounds, commands, durable)) in &report {
        println!("{point:>22} {rounds:>7} {commands:>9} {durable:>9}");
    }
    assert_eq!(site.escapes(), 0, "nothing was written behind the disk's back");
}

/// A third of the rounds end when somebody pulls the plug, a third before some write or sync of the disk, a third at a place
/// that has a name.
fn fate(round: u64) -> (&'static str, Fate) {
    match round % 3 {
        0 => ("the plug is pulled", Fate::default()),
        1 => ("before a write or sync", Fate { dies_after: Some(60 + round * 7 % 400), ..Fate::default() }),
        _ => {
            let name = CRASH_POINTS[(round / 3) as usize % CRASH_POINTS.len()];
            let passes = if name == "during_snapshot" { 1 + round % 3 } else { 12 + round * 5 % 40 };
            (name, Fate { crash_point: Some((name, passes)), ..Fate::default() })
        }
    }
}

async fn begin(rest: &Rest, number: usize) -> Result<Uuid, klatch_client::Error> {
    let wanted = NewConversation {
        id: new_id(),
        kind: ConversationKind::Group,
        name: format!("group {number}"),
        topic: String::new(),
        history: None,
        members: Vec::new(),
        with: None,
    };
    Ok(rest.create(&wanted).await?.id)
}
