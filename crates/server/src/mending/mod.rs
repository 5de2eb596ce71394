//! Making a projection what a replay of the log makes it, while people write and workers project: what is stored is compared with a
//! replay, and only what differs is written, where nobody else wrote meanwhile. So nobody ever sees a projection that is emptier than
//! it was, and it may be interrupted and done again at any time.
//!
//! - `lists`: the views, and copies of what is members' own, which follows from no log;
//! - `marks`: the overlay.

mod lists;
mod marks;
#[cfg(test)]
mod tests;

use klatch_core::conversation::Event;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;

use crate::processor::event_of;
use crate::services::Services;

pub use lists::{mend as views, merge_own};
pub use marks::mend as overlay;

/// Records read at a time.
const PAGE: usize = 1_000;
/// LIMIT: attempts to compare and write what others write at the same time. An attempt takes as long as reading what is stored, and
/// fails only if somebody wrote within that.
const ATTEMPTS_MAX: usize = 100;

/// How a projection of a conversation was found. It is what a replay makes it now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// It was so before.
    Same,
    /// It lacked the last events, as it does where workers have not come to them yet.
    Behind,
    /// Nothing was there, or it did not say how far it goes.
    Missing,
    /// It was another.
    Different,
}

/// A conversation's log, read from its beginning, a page at a time.
struct Reading<'a> {
    services: &'a Services,
    id: ConversationId,
    /// The last event that was read.
    last: Seq,
}

impl<'a> Reading<'a> {
    const fn new(services: &'a Services, id: ConversationId) -> Self {
        Self { services, id, last: Seq::ZERO }
    }

    /// Some of the next events up to `upto`; none where that is reached, or the log ends.
    ///
    /// # Errors
    /// `Corrupt`: the log has a hole, or a record that cannot be read: then it must not be replayed. Otherwise as for the log.
    async fn next(&mut self, upto: Seq) -> Result<Vec<Event>, Error> {
        let limit = usize::try_from(upto.0.saturating_sub(self.last.0)).map_or(PAGE, |limit| limit.min(PAGE));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let records = self.services.event_log.read(self.id, self.last.next(), limit).await?;
        let events = records.iter().map(event_of).collect::<Result<Vec<_>, _>>()?;
        for event in &events {
            if event.seq != self.last.next() {
                return Err(Error::corrupt(format!("the log has {} where {} follows", event.seq, self.last.next())));
            }
            self.last = event.seq;
        }
        Ok(events)
    }
}

/// Where the log of a conversation ends.
async fn tail(services: &Services, id: ConversationId) -> Result<Seq, Error> {
    Ok(services.event_log.tails(&[id]).await?.pop().unwrap_or_default())
}

fn busy() -> Error {
    Error::unavailable("others wrote under every attempt: run it again when less is going on there")
}
