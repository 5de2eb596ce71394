//! Whether the log that arrived is the log that left: every conversation, its head, and each of its records.

use std::collections::HashMap;

use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::event_log::Record;

use super::{Error, Place};

/// Conversations and records read at a time.
const PAGE: usize = 500;

/// What was compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// How many conversations both have.
    pub conversations: u64,
    /// How many records they have.
    pub records: u64,
    /// A hash over all conversations and their heads.
    pub heads: String,
}

/// Compares both logs. What `known` says was compared before is not read again, and what was compared now is added to it.
///
/// # Errors
/// [`Error::Differs`] where they differ; a port failed.
pub async fn verify(
    from: &Place,
    to: &Place,
    known: &mut HashMap<ConversationId, Seq>,
    mut tell: impl FnMut(u64),
) -> Result<Verified, Error> {
    let (here, there) = (&*from.services.event_log, &*to.services.event_log);
    let (mut verified, mut hasher, mut after) = (Verified::default(), blake3::Hasher::new(), None);
    loop {
        let (ours, theirs) = (here.conversations(after, PAGE).await?, there.conversations(after, PAGE).await?);
        for (one, other) in ours.iter().zip(&theirs) {
            if one != other {
                let how = format!("the log here has {} up to {}, there {} up to {}", one.0, one.1, other.0, other.1);
                return Err(Error::conversation(one.0, how));
            }
        }
        if ours.len() != theirs.len() {
            let how = "there are more conversations at one place than at the other".to_owned();
            return Err(Error::Differs("the log".to_owned(), how));
        }
        let Some((last, _)) = ours.last() else { break };
        after = Some(*last);
        for (id, tail) in ours {
            let done = known.get(&id).copied().unwrap_or_default();
            if done < tail {
                compare(from, to, id, done, tail).await?;
                known.insert(id, tail);
            }
            hasher.update(id.as_bytes()).update(&tail.0.to_be_bytes());
            verified.conversations += 1;
            verified.records += tail.0;
            tell(verified.records);
        }
    }
    verified.heads = hasher.finalize().to_hex().to_string();
    Ok(verified)
}

/// LIMIT: conversations that are remembered as compared; others are compared once more.
const KNOWN_MAX: usize = 1_000_000;

/// Compares what was copied so far of logs that people write to, and remembers what is the same. What differs is compared once more in
/// the end: a body may have been erased at one place a moment before the other.
///
/// # Errors
/// A port failed.
pub async fn verify_ahead(from: &Place, to: &Place, known: &mut HashMap<ConversationId, Seq>) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = to.services.event_log.conversations(after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, tail) in page.into_iter().take(KNOWN_MAX.saturating_sub(known.len())) {
            match compare(from, to, id, Seq::ZERO, tail).await {
                Ok(()) => drop(known.insert(id, tail)),
                Err(Error::Differs(..)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Compares the records of a conversation after `done`.
async fn compare(from: &Place, to: &Place, id: ConversationId, done: Seq, tail: Seq) -> Result<(), Error> {
    let mut last = done;
    while last < tail {
        let (ours, theirs) = tokio::try_join!(
            from.services.event_log.read(id, last.next(), PAGE),
            to.services.event_log.read(id, last.next(), PAGE)
        )?;
        // One engine may read fewer bytes at a time than the other.
        let left = usize::try_from(tail.0 - last.0).unwrap_or(PAGE);
        let both = ours.len().min(theirs.len()).min(left);
        if both == 0 {
            return Err(Error::conversation(id, format!("a log ends at {last}, and says {tail}")));
        }
        if checksum(&ours[..both]) != checksum(&theirs[..both]) {
            let place = ours.iter().zip(&theirs).find(|(one, other)| one != other).map_or(last, |(one, _)| one.seq);
            return Err(Error::conversation(id, format!("the record at {place} is another there")));
        }
        let ids: Vec<_> = ours[..both].iter().map(|record| record.id).collect();
        let (ours_found, theirs_found) =
            tokio::try_join!(from.services.event_log.find(id, &ids), to.services.event_log.find(id, &ids))?;
        if ours_found != theirs_found {
            return Err(Error::conversation(
                id,
                format!("the index of what follows {last} finds something else there"),
            ));
        }
        last = ours[both - 1].seq;
    }
    Ok(())
}

/// A hash over all that records are.
fn checksum(records: &[Record]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for Record { seq, id, head, body } in records {
        hasher.update(&seq.0.to_be_bytes()).update(id.as_bytes());
        for part in [head, body] {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
    }
    hasher.finalize()
}
