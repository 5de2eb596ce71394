//! What must be true after the power was lost: everything that was acknowledged is there once, in its place, in order.

use std::collections::{HashMap, HashSet};

use klatch_client::{Gateway, Rest};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Event, EventBody, Slug};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::load::{Book, IN_FLIGHT, SENDERS, Sent};

/// What is wrong; nothing, if nothing is.
pub type Findings = Vec<String>;

/// Reads the conversations from the first event to the last, and compares them with what was promised.
pub async fn check(rest: &Rest, conversations: &[Uuid], book: &Book) -> Findings {
    let mut findings = Findings::new();
    for conversation in conversations {
        let events = read(rest, *conversation).await;
        let mut ids = HashSet::new();
        for (at, event) in events.iter().enumerate() {
            if event.seq != at as u64 + 1 {
                findings.push(format!("{conversation}: #{} stands at place {}", event.seq, at + 1));
            }
            if !ids.insert(event.id) {
                findings.push(format!("{conversation}: {} is there twice", event.id));
            }
        }
        findings.extend(promises(*conversation, &events, book));
        findings.extend(order(*conversation, &events, book));
    }
    findings
}

/// Sends everything again that was not answered, and some of what was: each takes effect once.
pub async fn repeat(base: &str, token: &str, book: &mut Book) -> Findings {
    let mut again: Vec<Vec<Sent>> = vec![Vec::new(); SENDERS];
    for sent in book.values().filter(|sent| sent.committed.is_none() || sent.number % 10 == 0) {
        again[sent.sender].push(sent.clone());
    }
    let mut senders = JoinSet::new();
    for mut sent in again {
        sent.sort_by_key(|sent| (sent.conversation, sent.number));
        let (base, token) = (base.to_owned(), token.to_owned());
        senders.spawn(async move { send_again(&base, &token, sent).await });
    }
    let mut findings = Findings::new();
    for frame in senders.join_all().await.into_iter().flatten() {
        let (ServerFrame::Committed { id, .. } | ServerFrame::Rejected { id, .. }) = frame else { continue };
        let sent = book.get_mut(&id).expect("it was sent again");
        match (frame, sent.committed) {
            (ServerFrame::Committed { seq, .. }, None) => sent.committed = Some(seq),
            (ServerFrame::Committed { seq, repeated: true, .. }, Some(known)) if seq == known => {}
            (ServerFrame::Rejected { problem, .. }, None) if !is_trouble(problem.slug()) => {}
            (answer, _) => findings.push(format!("sent again: {answer:?} of {sent:?}")),
        }
    }
    findings
}

/// Whether that is no answer that one could live with.
fn is_trouble(slug: Option<Slug>) -> bool {
    matches!(slug, None | Some(Slug::Unavailable | Slug::StorageFailed | Slug::CommandReused))
}

/// The answers to these.
async fn send_again(base: &str, token: &str, all: Vec<Sent>) -> Vec<ServerFrame> {
    let (mut gateway, _) = Gateway::connect(base, token).await.expect("a connection");
    let mut answers = Vec::with_capacity(all.len());
    let count = all.len();
    for (number, Sent { conversation, new, .. }) in all.into_iter().enumerate() {
        gateway.send(&ClientFrame::Command { conversation, new }).await.expect("the connection is there");
        if number - answers.len() >= IN_FLIGHT {
            answers.push(next_answer(&mut gateway).await);
        }
    }
    while answers.len() < count {
        answers.push(next_answer(&mut gateway).await);
    }
    answers
}

async fn next_answer(gateway: &mut Gateway) -> ServerFrame {
    loop {
        let frame = gateway.next().await.expect("a frame").expect("the connection is there");
        if matches!(frame, ServerFrame::Committed { .. } | ServerFrame::Rejected { .. }) {
            return frame;
        }
    }
}

fn promises(conversation: Uuid, events: &[Event], book: &Book) -> Findings {
    let places: HashMap<_, _> = events.iter().map(|event| (event.id, event.seq)).collect();
    let mut findings = Findings::new();
    for sent in book.values().filter(|sent| sent.conversation == conversation) {
        if let Some(seq) = sent.committed
            && places.get(&sent.new.id) != Some(&seq)
        {
            findings.push(format!("acknowledged at #{seq}, is at {:?}: {sent:?}", places.get(&sent.new.id)));
        }
    }
    findings
}

/// What one sender sent stands in the order in which it was sent.
fn order(conversation: Uuid, events: &[Event], book: &Book) -> Findings {
    let mut last = HashMap::new();
    let mut findings = Findings::new();
    for event in events.iter().filter(|event| matches!(event.kind, EventBody::Sent { .. })) {
        let Some(sent) = book.get(&event.id).filter(|sent| sent.committed.is_some()) else { continue };
        if let Some(before) = last.insert(sent.sender, sent.number)
            && before > sent.number
        {
            findings.push(format!("{conversation}: of sender {}, {before} stands before {}", sent.sender, sent.number));
        }
    }
    findings
}

async fn read(rest: &Rest, conversation: Uuid) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let last = events.last().map_or(0, |event| event.seq);
        match rest.history(conversation, &format!("after={last}&limit=200")).await {
            Ok(page) if !page.events.is_empty() => events.extend(page.events),
            Ok(_) => return events,
            // Lost with all that was said there: the finding is what was promised.
            Err(error) if error.slug() == Some(Slug::NotFound) => return events,
            Err(error) => panic!("a page: {error}"),
        }
    }
}
