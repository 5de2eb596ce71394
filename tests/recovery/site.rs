//! A site on a disk that forgets, and what a round on it is: people write, the node dies, power is lost, and one looks.

use std::fs::DirEntry;
use std::path::PathBuf;

use klatch_client::{Rest, Tokens, new_id};
use klatch_forgetful::{Disk, Loss};
use klatch_protocol::objects::ConversationKind;
use klatch_protocol::rest::{NewConversation, SignUp};
use klatch_testkit::eventually;
use tempfile::TempDir;
use uuid::Uuid;

use super::checker::{Findings, check, repeat};
use super::child::{End, Fate, NodeProcess};
use super::load::{Book, Writing};

/// A site on a disk that forgets.
pub struct Site {
    /// Its disk.
    pub disk: Disk,
    tokens: Tokens,
    _dir: TempDir,
}

/// What a round is about.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Conversations that people write in.
    pub conversations: usize,
    /// Commands that are acknowledged before the node's fate may come.
    pub enough: usize,
    /// How long messages are at least.
    pub bytes: usize,
    /// Journals of the log that are begun before the node's fate may come.
    pub journals: u64,
    /// What is lost with the power.
    pub loss: Loss,
}

impl Default for Plan {
    fn default() -> Self {
        Self { conversations: 4, enough: 300, bytes: 0, journals: 0, loss: Loss::Everything }
    }
}

/// What came of a round.
pub struct Round {
    /// What is wrong.
    pub findings: Findings,
    /// What was sent.
    pub book: Book,
    /// Commands that were acknowledged by then.
    pub acknowledged: usize,
    /// Commands that were in flight when the node died.
    pub in_flight: usize,
    /// Files that lost something with the power.
    pub changed: Vec<PathBuf>,
}

impl Site {
    /// A new one, with an owner.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let disk = Disk::new(&dir.path().join("data")).expect("a disk");
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
        assert_eq!(node.stop(), Findings::new());
        Self { disk, tokens, _dir: dir }
    }

    /// The owner, at this node.
    pub fn owner(&self, node: &NodeProcess) -> Rest {
        Rest::new(&node.base, self.tokens.clone()).expect("a client")
    }

    /// Begins new conversations, and lets people write there.
    pub async fn people(&mut self, node: &NodeProcess, plan: &Plan) -> (Vec<Uuid>, Writing) {
        let rest = self.owner(node);
        let mut conversations = Vec::new();
        for number in 0..plan.conversations {
            conversations.push(begin(&rest, number).await);
        }
        self.tokens = rest.tokens().await;
        let writing = Writing::begin(&node.base, &self.tokens.access, &conversations, plan.bytes);
        (conversations, writing)
    }

    /// One round.
    ///
    /// # Errors
    /// It does not come back, or died of something else.
    pub async fn round(&mut self, fate: &Fate, plan: &Plan) -> Result<Round, String> {
        if let Some(ending) = fate.never_syncs {
            self.disk.only_syncs_of(ending).and_then(|()| self.disk.ignore_syncs()).expect("a disk that obeys");
        }
        let mut node = NodeProcess::start(&self.disk, fate)?;
        let (conversations, writing) = self.people(&node, plan).await;
        writing.until(plan.enough).await;
        self.journals(plan.journals).await;
        match fate.end {
            End::Plug => node.kill(),
            End::Point(..) => node.arm(),
            End::BeforeSync(count) => {
                self.disk.only_syncs_of(".jnl").and_then(|()| self.disk.die_at_sync(count)).expect("a disk that obeys");
            }
            End::Operation(count) => {
                let so_far = self.disk.operations().expect("a disk that counts");
                self.disk.die_after(so_far + count).expect("a disk that obeys");
            }
        }
        let (status, died) = node.death().await;
        if !fate.end.explains(status) {
            return Err(format!("it died of {status}"));
        }
        let mut book = writing.done().await;
        let in_flight = book.values().filter(|sent| !sent.is_answered && sent.at <= died).count();
        let acknowledged = book.values().filter(|sent| sent.committed.is_some()).count();
        let changed = self.disk.lose_power(plan.loss).expect("a disk that obeys");
        let findings = self.look(&conversations, &mut book).await?;
        Ok(Round { findings, book, acknowledged, in_flight, changed })
    }

    /// Waits until the journal that is written to is the so-manieth after the first.
    async fn journals(&self, count: u64) {
        let store = self.disk.root().join("log/store");
        let number = |entry: std::io::Result<DirEntry>| entry.ok()?.path().file_stem()?.to_str()?.parse().ok();
        eventually("a journal is begun", async || {
            let newest: u64 = std::fs::read_dir(&store).expect("a store").filter_map(number).max()?;
            (newest >= count).then_some(())
        })
        .await;
    }

    /// Starts the node again and looks: at what was promised; at what is sent again; and, when it has stopped, at whether all
    /// that it keeps is what a replay of the log leads to.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn look(&mut self, conversations: &[Uuid], book: &mut Book) -> Result<Findings, String> {
        let node = NodeProcess::start(&self.disk, &Fate::default())?;
        let rest = self.owner(&node);
        let mut findings = check(&rest, conversations, book).await;
        self.tokens = rest.tokens().await;
        findings.extend(repeat(&node.base, &self.tokens.access, book).await);
        findings.extend(check(&rest, conversations, book).await);
        self.tokens = rest.tokens().await;
        findings.extend(node.stop());
        Ok(findings)
    }
}

async fn begin(rest: &Rest, number: usize) -> Uuid {
    let wanted = NewConversation {
        id: new_id(),
        kind: ConversationKind::Group,
        name: format!("group {number}"),
        topic: String::new(),
        history: None,
        members: Vec::new(),
        with: None,
    };
    rest.create(&wanted).await.expect("a conversation").id
}
