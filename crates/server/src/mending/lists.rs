//! The views of a conversation: what is stored is compared with a replay in memory, and replaced as a whole where it differs.

use klatch_core::ids::{ConversationId, Seq, UserId, Uuid};
use klatch_ports::views::memory::Memory;
use klatch_ports::views::{Own, Views};
use klatch_ports::{Error, ErrorKind};

use super::{ATTEMPTS_MAX, Found, Reading, busy, tail};
use crate::projection::{catch_up, projection};
use crate::services::Services;

/// Rows of members' own at a time.
const OWN_PAGE: usize = 500;

/// Makes the lists of a conversation what follows from its log, up to where that ends now.
///
/// Whoever projects at the same time does it from the event that the lists go to, and so do the lists that are written here: on their
/// condition (W12) one of the two comes first, and the other goes on from there.
///
/// # Errors
/// `Corrupt`: the log cannot be replayed, and nothing was changed. `Unavailable`: a port is away, or others wrote under every attempt.
pub async fn mend(services: &Services, id: ConversationId) -> Result<Found, Error> {
    let mut log = Reading::new(services, id);
    let mut replay = Memory::default();
    let mut found = Found::Same;
    for _ in 0..ATTEMPTS_MAX {
        let at = services.views.projected(id).await?;
        // Where nothing says how far they go, all of the log belongs into them.
        let is_missing = at == Seq::ZERO;
        if log.last > at && !is_missing {
            (log, replay) = (Reading::new(services, id), Memory::default());
        }
        let upto = if is_missing { Seq(u64::MAX) } else { at };
        loop {
            let events = log.next(upto).await?;
            if events.is_empty() {
                break;
            }
            replay.project(vec![projection(id, &events)]).await?;
        }
        let right = replay.replayed(id);
        let is_same = match services.views.dump(id).await {
            Ok(stored) => stored == right.dump.to_string(),
            Err(error) if error.kind == ErrorKind::Corrupt => false,
            Err(error) => return Err(error),
        };
        if is_same {
            let end = tail(services, id).await?;
            if at >= end {
                return Ok(found);
            }
            catch_up(services, id, end).await?;
            return Ok(if found == Found::Same { Found::Behind } else { found });
        }
        // What was read may be of two moments: then this changes nothing either.
        if services.views.mend(id, at, right).await? {
            found = if is_missing { Found::Missing } else { Found::Different };
        }
    }
    Err(busy())
}

/// Takes cursors and settings over from other views of the same site, of each the later, in all conversations or in one. What follows
/// from the log must be there. May be repeated. Returns how many there were.
///
/// # Errors
/// As of the views.
pub async fn merge_own(from: &dyn Views, to: &dyn Views, only: Option<ConversationId>) -> Result<u64, Error> {
    let mut after = only.map(|id| (id, UserId(Uuid::nil())));
    let mut count = 0;
    loop {
        let page = from.own(after, OWN_PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        let is_last = only.is_some_and(|only| last.conversation != only);
        after = Some((last.conversation, last.user));
        let wanted =
            |own: &Own| only.is_none_or(|only| own.conversation == only) && (own.cursor, own.set) != Default::default();
        let page: Vec<_> = page.into_iter().filter(wanted).collect();
        count += page.len() as u64;
        to.merge_own(page).await?;
        if is_last {
            return Ok(count);
        }
    }
}
