//! The log of a site, copied conversation by conversation: appended where the copy ends, so that whatever was interrupted goes on
//! there. People may write meanwhile, as often as this is done again.

use klatch_core::conversation::{Effect, Remembered, react};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::ErrorKind;
use klatch_ports::event_log::{Append, NewRecord, Record};
use klatch_protocol::log::encode_index;

use super::{Error, Place};
use crate::environment::Backoff;
use crate::processor::event_of;
use crate::services::Services;
use crate::{annotations, crash, projection};

/// Conversations listed at a time.
const PAGE: usize = 500;
/// Records read and appended at a time.
const BATCH: usize = 500;
/// How often a target that is away is asked again before the copy is given up.
const ATTEMPTS: usize = 8;

/// What was copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Copied {
    /// Conversations that were looked at.
    pub conversations: u64,
    /// Records that were copied now.
    pub records: u64,
    /// Records that are there at the source.
    pub total: u64,
}

/// Copies logs.
pub struct Logs<'a> {
    from: &'a Place,
    to: &'a Place,
    backoff: Backoff,
}

impl<'a> Logs<'a> {
    /// From here to there.
    pub fn new(from: &'a Place, to: &'a Place) -> Self {
        Self { from, to, backoff: Backoff::default() }
    }

    /// Copies whatever the target lacks, and brings what follows from it up to date there. `tell` is told how far it is.
    ///
    /// # Errors
    /// [`Error`]; what was copied by then stays, and is not copied again.
    pub async fn copy(&mut self, mut tell: impl FnMut(Copied)) -> Result<Copied, Error> {
        let (mut copied, mut after) = (Copied::default(), None);
        loop {
            let page = self.from.services.event_log.conversations(after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(copied) };
            after = Some(*last);
            let ids: Vec<_> = page.iter().map(|(id, _)| *id).collect();
            let there = self.to.services.event_log.tails(&ids).await?;
            for ((id, tail), there) in page.into_iter().zip(there) {
                copied.conversations += 1;
                copied.total += tail.0;
                if there > tail {
                    let how = format!("it ends at {there} there, and at {tail} here");
                    return Err(Error::conversation(id, how));
                }
                // What follows from the log may be behind it, if the copy was interrupted there.
                if there < tail || self.to.services.views.projected(id).await? < tail {
                    copied.records += self.conversation(id, there, tail).await?;
                    tell(copied);
                }
            }
        }
    }

    /// Copies a conversation from after `there` up to `tail`.
    async fn conversation(&mut self, id: ConversationId, there: Seq, tail: Seq) -> Result<u64, Error> {
        let mut last = there;
        while last < tail {
            let limit = usize::try_from(tail.0 - last.0).unwrap_or(BATCH).min(BATCH);
            let records = self.from.services.event_log.read(id, last.next(), limit).await?;
            let Some(end) = records.last().map(|record| record.seq) else {
                return Err(Error::Foreign(format!("the log of {id} ends before {tail}; run `klatch check`")));
            };
            self.append(id, last, records).await?;
            last = end;
        }
        let target = &*self.to.services;
        annotations::catch_up(target, id, tail).await?;
        // What changed nothing is not looked at again.
        target.overlays.put(id, tail, Vec::new()).await?;
        crash::point("between_overlay_and_lists");
        // Last: by this it is known that the rest is there.
        projection::catch_up(target, id, tail).await?;
        Ok(tail.0 - there.0)
    }

    async fn append(&mut self, id: ConversationId, expected: Seq, mut records: Vec<Record>) -> Result<(), Error> {
        let mut erased = Vec::new();
        let mut index = Vec::with_capacity(records.len());
        for record in &records {
            let event = event_of(record)?;
            index.push(encode_index(&Remembered::of(&event)));
            for effect in react(&event) {
                if let Effect::Erase { seqs } = effect {
                    erased.extend(seqs);
                }
            }
        }
        // No worker at the target hears of these. First what is there already: once the deletion is there as well, this is not come
        // back to.
        erased.sort_unstable();
        erased.dedup();
        let before: Vec<_> = erased.iter().copied().filter(|seq| *seq <= expected).collect();
        if !before.is_empty() {
            self.to.services.event_log.erase(id, &before).await?;
        }
        for record in records.iter_mut().filter(|record| erased.binary_search(&record.seq).is_ok()) {
            record.body = bytes::Bytes::new();
        }
        let records = records.into_iter().zip(index).map(|(record, index)| NewRecord { record, index }).collect();
        let append = Append { conversation: id, expected, records };
        write(&self.to.services, append, &mut self.backoff).await
    }
}

/// Appends, however often the target is away. After a failure it is looked up whether the records are there.
async fn write(target: &Services, append: Append, backoff: &mut Backoff) -> Result<(), Error> {
    let (id, end) = (append.conversation, Seq(append.expected.0 + append.records.len() as u64));
    for attempt in 1.. {
        let outcome = target.event_log.append(vec![append.clone()]).await.pop();
        let Some(Err(error)) = outcome else {
            backoff.reset();
            return Ok(());
        };
        let may_come_again = matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Full | ErrorKind::Conflict);
        if !may_come_again || attempt == ATTEMPTS {
            return Err(error.into());
        }
        let tail = target.event_log.tails(&[id]).await.ok().and_then(|mut tails| tails.pop());
        match tail {
            Some(tail) if tail == end => return Ok(()),
            Some(tail) if tail != append.expected => {
                return Err(Error::conversation(id, format!("somebody else writes to it there, up to {tail}")));
            }
            _ => backoff.wait(&*target.entropy).await,
        }
    }
    unreachable!("the last attempt returns")
}
