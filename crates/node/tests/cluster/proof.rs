//! The checker must be able to fail: nodes whose log drops an append, doubles one, or says "done" before it is, are found out by the
//! very people and the very checker that look at clusters; one whose log is as it should be is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_node::config::{Config, Limits};
use klatch_node::{Decorate, Node, Overrides};
use klatch_ports::Error;
use klatch_ports::event_log::{Append, EventLog, MemoryEventLog, Record, Snapshot};
use klatch_server::accounts::{self, Rates, Work};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::ALONE;
use crate::checker::Finding;
use crate::people::{FOLLOWING, Outcome, People, REST};

/// Messages of each writer before something goes wrong: not while conversations are begun.
const BEFORE: usize = 20;
/// Messages of each writer before one looks.
const ENOUGH: usize = 40;
/// Of so many appends one goes wrong.
const EVERY: usize = 20;
/// How many appends are written down at a time by who says "done" before.
const LATE: usize = 10;

/// Whether things go wrong. There is one node of this sort at a time.
static GOES_WRONG: AtomicBool = AtomicBool::new(false);
/// How often something went wrong.
static WENT_WRONG: AtomicUsize = AtomicUsize::new(0);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_the_log_is_as_it_should_be() {
    let outcome = people_on(None).await;
    outcome.is_clean();
    assert!(outcome.acknowledged >= 16 * ENOUGH && outcome.heard >= 32 * ENOUGH, "people wrote, and others heard it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_drops_an_append_is_found_out() {
    let found = people_on(Some(Wrong::drops)).await.findings;
    assert!(found.iter().any(|(_, finding)| matches!(finding, Finding::Lost { .. })), "{found:#?}");
    assert!(found.iter().any(|(_, finding)| matches!(finding, Finding::HeardOtherwise { .. })), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_doubles_an_append_is_found_out() {
    let found = people_on(Some(Wrong::doubles)).await.findings;
    assert!(found.iter().any(|(_, finding)| matches!(finding, Finding::Twice { .. })), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_acknowledges_before_it_is_durable_and_crashes_once_is_found_out() {
    let found = people_on(Some(Early::around)).await.findings;
    assert!(found.iter().any(|(_, finding)| matches!(finding, Finding::Lost { .. })), "{found:#?}");
}

/// What comes of people on one node in this process, whose log may be wrong.
async fn people_on(wrong: Option<Decorate>) -> Outcome {
    let _alone = ALONE.lock().await;
    GOES_WRONG.store(false, Ordering::SeqCst);
    WENT_WRONG.store(0, Ordering::SeqCst);
    let is_wrong = wrong.is_some();
    let data = tempfile::tempdir().unwrap();
    let many = 1_000_000;
    let limits = Limits {
        commands_burst: many,
        commands_per_minute: many,
        frames_burst: many,
        frames_per_minute: many,
        ..Limits::default()
    };
    let mut config = Config { data: data.path().to_owned(), limits, ..Config::default() };
    config.http.listen.set_port(0);
    let overrides = Overrides {
        accounts: accounts::Options { work: Work::least(), rates: Rates::boundless() },
        decorate_log: wrong,
        ..Overrides::default()
    };
    let node = Node::start(config, overrides, None).await.unwrap();
    let claim = node.claim().await.unwrap().unwrap();
    let people = People::begin(&format!("http://{}", node.address().unwrap()), claim.expose()).await;
    people.have_said(BEFORE).await;
    GOES_WRONG.store(true, Ordering::SeqCst);
    let goes_wrong = async {
        while is_wrong && WENT_WRONG.load(Ordering::SeqCst) == 0 {
            sleep(REST).await;
        }
    };
    timeout(FOLLOWING, goes_wrong).await.expect("there are enough appends");
    people.have_said(ENOUGH).await;
    let outcome = people.finish().await;
    node.stop().await;
    outcome
}

/// A log that does now and then what none may do.
struct Wrong {
    real: Arc<dyn EventLog>,
    doubles: bool,
    appends: AtomicUsize,
}

impl Wrong {
    /// Answers `Ok`, and forgets what it was given.
    fn drops(real: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        Arc::new(Self { real, doubles: false, appends: AtomicUsize::new(0) })
    }

    /// Appends again what it has appended, as one that does not look what became of an append whose answer was lost.
    fn doubles(real: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        Arc::new(Self { real, doubles: true, appends: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl EventLog for Wrong {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let goes_wrong = GOES_WRONG.load(Ordering::SeqCst)
            && (self.appends.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(EVERY);
        if !goes_wrong {
            return self.real.append(batch).await;
        }
        WENT_WRONG.fetch_add(1, Ordering::SeqCst);
        if !self.doubles {
            return batch.iter().map(|_| Ok(())).collect();
        }
        let answers = self.real.append(batch.clone()).await;
        self.real.append(batch.into_iter().map(again).collect()).await;
        answers
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        self.real.read(conversation, from, limit).await
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        self.real.tails(conversations).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        self.real.find(conversation, ids).await
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.real.erase(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.real.conversations(after, limit).await
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.real.save_snapshot(conversation, snapshot).await
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.real.snapshot(conversation).await
    }
}

/// The same, behind itself.
fn again(append: Append) -> Append {
    let by = append.records.len() as u64;
    let mut append = Append { expected: Seq(append.expected.0 + by), ..append };
    append.records.iter_mut().for_each(|new| new.record.seq.0 += by);
    append
}

/// A log that says "done" when it holds something in memory, writes it down some appends later, and crashes once in between: then
/// it holds what it had written down.
struct Early {
    real: Arc<dyn EventLog>,
    state: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    log: MemoryEventLog,
    written: Vec<Append>,
    waiting: Vec<Append>,
    appends: usize,
    has_crashed: bool,
}

impl Early {
    fn around(real: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        Arc::new(Self { real, state: Mutex::default() })
    }
}

#[async_trait]
impl EventLog for Early {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let mut state = self.state.lock().await;
        let answers = state.log.append(batch.clone()).await;
        let done = batch.into_iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
        state.waiting.extend(done.map(|(append, _)| append));
        state.appends += 1;
        if GOES_WRONG.load(Ordering::SeqCst) && !state.has_crashed && state.appends % LATE == LATE / 2 {
            state.has_crashed = true;
            WENT_WRONG.fetch_add(1, Ordering::SeqCst);
            state.log = MemoryEventLog::default();
            state.waiting.clear();
            for append in state.written.clone() {
                state.log.append(vec![append]).await;
            }
        } else if state.appends.is_multiple_of(LATE) {
            for append in std::mem::take(&mut state.waiting) {
                self.real.append(vec![append.clone()]).await;
                state.written.push(append);
            }
        }
        answers
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        self.state.lock().await.log.read(conversation, from, limit).await
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        self.state.lock().await.log.tails(conversations).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        self.state.lock().await.log.find(conversation, ids).await
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.state.lock().await.log.erase(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.state.lock().await.log.conversations(after, limit).await
    }

    async fn save_snapshot(&self, _: ConversationId, _: Snapshot) -> Result<(), Error> {
        Ok(())
    }

    async fn snapshot(&self, _: ConversationId) -> Result<Option<Snapshot>, Error> {
        Ok(None)
    }
}
