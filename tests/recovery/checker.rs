//! What must be true after the power was lost: everything that was acknowledged is there once, in its place, in order.

use std::collections::{HashMap, HashSet};

use klatch_client::Rest;
use klatch_protocol::objects::{Event, EventBody, Slug};
use uuid::Uuid;

use super::load::Book;

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
pub async fn repeat(rest: &Rest, book: &mut Book) -> Findings {
    let mut findings = Findings::new();
    let mut sent: Vec<_> = book.values_mut().collect();
    sent.sort_by_key(|sent| (sent.sender, sent.conversation, sent.number));
    for sent in sent {
        if sent.committed.is_some() && sent.number % 10 != 0 {
            continue;
        }
        match (rest.submit(sent.conversation, &sent.new).await, sent.committed) {
            (Ok(answer), None) => sent.committed = Some(answer.seq),
            (Ok(answer), Some(seq)) if answer.seq == seq && answer.repeated => {}
            (Err(error), None)
                if !matches!(
                    error.slug(),
                    None | Some(Slug::Unavailable | Slug::StorageFailed | Slug::CommandReused)
                ) => {}
            (answer, known) => findings.push(format!("sent again: {answer:?}, known: {known:?}, {sent:?}")),
        }
    }
    findings
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
