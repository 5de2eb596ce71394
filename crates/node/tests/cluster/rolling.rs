//! A new version comes: one process after the other is told to stop, and started again. Nobody may see an error, however they come: every
//! request is answered, every connection ends with a goodbye, and the next one is served at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use klatch_client::{Error, Gateway, Rest, Tokens, new_id};
use klatch_protocol::gateway::{ClientFrame, CloseCode, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, NewCommand};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::people::People;
use crate::site::Site;
use crate::{ALONE, BACK};

/// In the order of an upgrade (`docs/operating/cluster.md`).
pub const PROCESSES: [&str; 6] = ["worker1", "worker2", "processor1", "processor2", "front1", "front2"];

/// Between two of a visitor's requests: what all of them do together is what one person may.
const PACE: Duration = Duration::from_millis(200);

/// Somebody who tolerates no error.
pub struct Visitor {
    base: String,
    tokens: Tokens,
    conversation: Uuid,
    stop: CancellationToken,
    answered: AtomicUsize,
    goodbyes: AtomicUsize,
}

impl Visitor {
    /// The owner of the site visits it in every way.
    pub async fn comes_to(site: &Site, people: &People) -> (Arc<Self>, JoinSet<()>) {
        let (tokens, conversation) = people.a_seat().await;
        let visitor = Arc::new(Self {
            base: site.base(),
            tokens,
            conversation,
            stop: CancellationToken::new(),
            answered: AtomicUsize::new(0),
            goodbyes: AtomicUsize::new(0),
        });
        let mut visits = JoinSet::new();
        visits.spawn(visitor.clone().reads());
        visits.spawn(visitor.clone().comes());
        visits.spawn(visitor.clone().writes());
        visits.spawn(visitor.clone().chats());
        (visitor, visits)
    }

    /// Ends the visits, of which none may have met an error.
    pub async fn goes(&self, mut visits: JoinSet<()>) {
        self.stop.cancel();
        while let Some(visit) = visits.join_next().await {
            visit.unwrap();
        }
        let (answered, goodbyes) = (self.answered.load(Ordering::Relaxed), self.goodbyes.load(Ordering::Relaxed));
        println!("{answered} times a visitor was answered, {goodbyes} times told to go");
        assert!(goodbyes > 0, "whoever is on a process that stops is told");
    }

    async fn is_answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        sleep(PACE).await;
    }

    fn rest(&self) -> Rest {
        Rest::new(&self.base, self.tokens.clone()).unwrap()
    }

    /// Reads, on connections that are kept.
    async fn reads(self: Arc<Self>) {
        let rest = self.rest();
        while !self.stop.is_cancelled() {
            rest.history(self.conversation, "limit=5").await.expect("who reads is answered");
            self.is_answered().await;
        }
    }

    /// Reads, on a new connection each time.
    async fn comes(self: Arc<Self>) {
        while !self.stop.is_cancelled() {
            self.rest().me().await.expect("who comes is answered");
            self.is_answered().await;
        }
    }

    /// Writes by REST.
    async fn writes(self: Arc<Self>) {
        let rest = self.rest();
        while !self.stop.is_cancelled() {
            rest.submit(self.conversation, &message()).await.expect("who writes is answered");
            self.is_answered().await;
        }
    }

    /// Writes on a WebSocket, and on the next one when it is told to go.
    async fn chats(self: Arc<Self>) {
        let mut gateway = self.gateway().await;
        while !self.stop.is_cancelled() {
            let new = message();
            while !self.is_saved(&mut gateway, &new).await {
                gateway = self.gateway().await;
            }
            self.is_answered().await;
        }
    }

    async fn gateway(&self) -> Gateway {
        loop {
            match Gateway::connect(&self.base, &self.tokens.access).await {
                Ok((gateway, _)) => return gateway,
                Err(Error::Closed(closed)) => self.is_told_to_go(closed.code),
                Err(error) => panic!("not let in: {error:?}"),
            }
        }
    }

    /// Says something and waits until it is saved; or for a goodbye.
    async fn is_saved(&self, gateway: &mut Gateway, new: &NewCommand) -> bool {
        let command = ClientFrame::Command { conversation: self.conversation, new: new.clone() };
        // Where that fails, what comes says why.
        let _ = gateway.send(&command).await;
        loop {
            match gateway.next().await.expect("a connection ends with a goodbye") {
                Ok(ServerFrame::Committed { id, .. }) if id == new.id => return true,
                Ok(ServerFrame::Rejected { id, problem, .. }) if id == new.id => panic!("refused: {problem:?}"),
                Ok(_) => {}
                Err(closed) => {
                    self.is_told_to_go(closed.code);
                    return false;
                }
            }
        }
    }

    fn is_told_to_go(&self, code: u16) {
        assert_eq!(code, CloseCode::Stopping.number(), "a connection ends with a goodbye");
        self.goodbyes.fetch_add(1, Ordering::Relaxed);
    }
}

fn message() -> NewCommand {
    let body = Body::Text { text: "still here?".to_owned(), emote: false };
    let command = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
    NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_after_the_other_is_restarted_and_nobody_sees_an_error() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let people = People::begin(&site.base(), &site.claim).await;
    people.are_served("at first", BACK).await;
    let (visitor, visits) = Visitor::comes_to(&site, &people).await;
    for process in PROCESSES {
        let begun = Instant::now();
        site.restart(&format!("klatch/{process}")).await;
        println!("{process} was restarted in {:?}", begun.elapsed());
        people.are_served(&format!("{process} is back"), BACK).await;
    }
    visitor.goes(visits).await;
    people.finish().await.is_clean();
}
