//! People at a site: some write, some listen, and in the end one looks whether they were told the truth.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klatch_client::{Error, Rest, Tokens, new_id};
use klatch_protocol::objects::{ConversationKind, Event, Slug};
use klatch_protocol::rest::{InviteItem, NewConversation, NewInvite, SignUp};
use reqwest::Method;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::BACK;
use crate::checker::{Evidence, Finding, findings};
use crate::listeners::{Ear, listen};
use crate::report::note;
use crate::writers::{Book, write};

/// Conversations, in each of which as many people write: so many that either processor has some.
pub const CONVERSATIONS: usize = 8;
/// Writers in a conversation, each of whom listens as well, on a connection of its own.
const WRITERS: usize = 2;
/// Between two tries to reach somebody, as a client rests.
pub const REST: Duration = Duration::from_millis(100);
/// A promised time is waited for three times as long.
const LENIENCY: u32 = 3;
/// How long after the last event all who listen, and the lists, may take. Where they may not, that is a finding.
pub const FOLLOWING: Duration = Duration::from_secs(45);

/// Those who write and listen.
pub struct People {
    rest: Rest,
    conversations: Vec<Uuid>,
    books: Vec<Arc<Book>>,
    ears: Vec<Arc<Ear>>,
    no_more_words: CancellationToken,
    writing: JoinSet<()>,
    no_more_ears: CancellationToken,
    listening: JoinSet<()>,
}

/// What came of it.
pub struct Outcome {
    /// Messages that were acknowledged.
    pub acknowledged: usize,
    /// Events that listeners were handed.
    pub heard: usize,
    /// What is wrong, by conversation.
    pub findings: Vec<(Uuid, Finding)>,
}

impl People {
    /// The first owner begins conversations; in each some write and listen who came by invitation.
    pub async fn begin(base: &str, claim: &str) -> Self {
        Self::who(false, base, claim).await
    }

    /// The same, with writers who do everything that one can do to a message.
    pub async fn of_everything(base: &str, claim: &str) -> Self {
        Self::who(true, base, claim).await
    }

    async fn who(do_everything: bool, base: &str, claim: &str) -> Self {
        let (rest, _) = sign_up(base, "owner", claim).await;
        let uses = NewInvite { uses: Some((CONVERSATIONS * WRITERS) as u32), ..NewInvite::default() };
        let invite: InviteItem = rest.write(Method::POST, "/invites", Some(&uses)).await.unwrap();
        let invite = invite.token.unwrap();
        let mut people = Self {
            rest,
            conversations: Vec::new(),
            books: Vec::new(),
            ears: Vec::new(),
            no_more_words: CancellationToken::new(),
            writing: JoinSet::new(),
            no_more_ears: CancellationToken::new(),
            listening: JoinSet::new(),
        };
        for number in 0..CONVERSATIONS {
            people.converse(number, do_everything, base, &invite).await;
        }
        people
    }

    /// Begins one conversation.
    async fn converse(&mut self, number: usize, do_everything: bool, base: &str, invite: &str) {
        let mut writers = Vec::new();
        let mut members = Vec::new();
        for writer in 0..WRITERS {
            let (writer, user) = sign_up(base, &format!("w{number}{writer}"), invite).await;
            writers.push(Arc::new(writer));
            members.push(user);
        }
        let id = new_id();
        let (kind, name) = (ConversationKind::Group, format!("group {number}"));
        let topic = String::new();
        let mentioned = members.iter().copied().rev().collect::<Vec<_>>();
        let wanted = NewConversation { id, kind, name, topic, history: None, members, with: None };
        let conversation = in_the_end(|| self.rest.create(&wanted)).await.id;
        self.conversations.push(conversation);
        for rest in &writers {
            let ear = Ear::new(conversation);
            self.ears.push(ear.clone());
            self.listening.spawn(listen(rest.clone(), ear, self.no_more_ears.clone()));
        }
        for (rest, other) in writers.into_iter().zip(mentioned) {
            let book = if do_everything { Book::of_everything(conversation, other) } else { Book::new(conversation) };
            self.books.push(book.clone());
            self.writing.spawn(write(rest, book, self.no_more_words.clone()));
        }
    }

    /// The owner's tokens, and a conversation that they write in beside the others.
    pub async fn a_seat(&self) -> (Tokens, Uuid) {
        (self.rest.tokens().await, self.conversations[0])
    }

    /// Waits until every writer was told that something is saved that they began to say from now on, and everybody who listens there heard
    /// it; prints how long that took, and returns it. It was promised within `promised`.
    pub async fn are_served(&self, when: &str, promised: Duration) -> Duration {
        let begun = Instant::now();
        let served = async {
            for book in &self.books {
                let seq = loop {
                    match book.first_since(begun) {
                        Some(seq) => break seq,
                        None => sleep(Duration::from_millis(20)).await,
                    }
                };
                for ear in self.ears.iter().filter(|ear| ear.conversation == book.conversation) {
                    while ear.last() < seq {
                        sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        };
        let is_served = timeout(LENIENCY * promised, served).await.is_ok();
        assert!(is_served, "{when}: not served after {LENIENCY} times {promised:?}: {}", self.who_waits(begun));
        let took = begun.elapsed();
        println!("{when}: everybody is served after {took:?} (promised within {promised:?})");
        note(when, promised, took);
        took
    }

    fn who_waits(&self, begun: Instant) -> String {
        let unheard = self.books.iter().filter(|book| book.first_since(begun).is_none()).count();
        let ears: Vec<_> = self.ears.iter().map(|ear| (ear.conversation, ear.last())).collect();
        format!("{unheard} writers wait for an answer; listeners are at {ears:?}")
    }

    /// Waits until so many messages of every writer were acknowledged.
    pub async fn have_said(&self, count: usize) {
        let said = async {
            while !self.books.iter().all(|book| book.acknowledged() >= count) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(FOLLOWING, said).await.expect("everybody writes and is answered");
    }

    /// Lets them finish, reads everything that is there, and compares it with what they were told and heard.
    pub async fn finish(mut self) -> Outcome {
        self.no_more_words.cancel();
        while let Some(done) = self.writing.join_next().await {
            done.unwrap();
        }
        let mut all = Vec::new();
        for conversation in &self.conversations {
            let there = in_the_end(|| history_after(&self.rest, *conversation, 0)).await;
            let there: Vec<_> = there.iter().map(|event| (event.seq, event.id)).collect();
            let books = self.books.iter().filter(|book| book.conversation == *conversation);
            let evidence = Evidence { there, told: books.map(|book| book.told()).collect(), ..Evidence::default() };
            all.push((*conversation, evidence));
        }
        // Whoever takes longer is found to have heard too little.
        let _ = timeout(FOLLOWING, self.follow(&all)).await;
        self.no_more_ears.cancel();
        while let Some(done) = self.listening.join_next().await {
            done.unwrap();
        }
        let listed = in_the_end(|| self.rest.conversations(None)).await.items;
        let mut outcome = Outcome { acknowledged: 0, heard: 0, findings: Vec::new() };
        for (conversation, mut evidence) in all {
            let ears = self.ears.iter().filter(|ear| ear.conversation == conversation);
            evidence.heard = ears.map(|ear| ear.heard()).collect();
            evidence.listed = listed.iter().find(|item| item.id == conversation).map_or(0, |item| item.head.seq);
            outcome.acknowledged += evidence.told.iter().flatten().filter(|(_, told)| told.is_some()).count();
            outcome.heard += evidence.heard.iter().map(Vec::len).sum::<usize>();
            outcome.findings.extend(findings(&evidence).into_iter().map(|finding| (conversation, finding)));
        }
        outcome
    }

    /// Waits until everybody who listens, and the list of conversations, is where the log is.
    async fn follow(&self, all: &[(Uuid, Evidence)]) {
        for (conversation, evidence) in all {
            let last = evidence.there.last().map_or(0, |(place, _)| *place);
            for ear in self.ears.iter().filter(|ear| ear.conversation == *conversation) {
                while ear.last() < last {
                    sleep(REST).await;
                }
            }
            let is_listed = async || {
                let page = self.rest.conversations(None).await;
                page.is_ok_and(|page| page.items.iter().any(|it| it.id == *conversation && it.head.seq == last))
            };
            while !is_listed().await {
                sleep(REST).await;
            }
        }
    }
}

impl Outcome {
    /// Nothing may be wrong.
    pub fn is_clean(&self) {
        let kinds: HashSet<_> = self.findings.iter().map(|(_, finding)| std::mem::discriminant(finding)).collect();
        let (count, first) = (self.findings.len(), &self.findings[..self.findings.len().min(20)]);
        assert!(kinds.is_empty(), "{count} findings of {} kinds, the first: {first:#?}", kinds.len());
        println!("{} messages were acknowledged, and are there once, in order", self.acknowledged);
        println!("{} times a listener was handed an event, and each heard all of them", self.heard);
    }
}

/// What is answered in the end: while a part of a cluster is not back, people are told so, and ask again.
pub async fn in_the_end<T>(ask: impl AsyncFn() -> Result<T, Error>) -> T {
    let asking = async {
        loop {
            match ask().await {
                Err(error) if matches!(error, Error::Unreachable(_)) || error.slug() == Some(Slug::Unavailable) => {
                    sleep(REST).await;
                }
                answered => return answered.unwrap(),
            }
        }
    };
    timeout(LENIENCY * BACK, asking).await.expect("a part of the cluster is not back")
}

/// A new person, and their id.
pub async fn sign_up(base: &str, name: &str, invite: &str) -> (Rest, Uuid) {
    let rest = Rest::new(base, Tokens::default()).unwrap();
    let wanted = SignUp {
        name: name.to_owned(),
        password: "correct horse battery".to_owned(),
        display_name: None,
        invite: Some(invite.to_owned()),
        device: None,
        cookie: false,
    };
    let user = rest.sign_up(&wanted).await.unwrap().user.id;
    (rest, user)
}

/// Everything after this seq.
pub async fn history_after(rest: &Rest, conversation: Uuid, seq: u64) -> Result<Vec<Event>, Error> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let last = events.last().map_or(seq, |event| event.seq);
        let page = rest.history(conversation, &format!("after={last}&limit=200")).await?;
        if page.events.is_empty() {
            return Ok(events);
        }
        events.extend(page.events);
    }
}
