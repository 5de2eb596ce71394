//! The overlay of a conversation: each row is compared with what the events made of its message, and written where it differs.

use std::collections::BTreeMap;

use bytes::Bytes;
use klatch_core::conversation::Overlay;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_protocol::log::{decode_overlay, encode_overlay};

use super::{ATTEMPTS_MAX, Found, Reading, busy, tail};
use crate::annotations::catch_up;
use crate::services::Services;

/// LIMIT: bytes of rows, and rows, that are written in one step: a server takes no batch of any size.
const STEP_BYTES_MAX: usize = 16 * 1024;
const STEP_ROWS_MAX: usize = 100;

/// Makes the overlay of a conversation what the events made of its messages, up to where the log ends now.
///
/// A processor that read a row before it was mended, and writes it afterwards, with an event more, brings back what was wrong. It does
/// that within the batch that it decides: whoever mended something looks at it once more a while later.
///
/// # Errors
/// `Corrupt`: the log cannot be replayed, and nothing was changed. `Unavailable`: a port is away, or others wrote under every attempt.
pub async fn mend(services: &Services, id: ConversationId) -> Result<Found, Error> {
    let mut log = Reading::new(services, id);
    let mut rows: BTreeMap<Seq, Overlay> = BTreeMap::new();
    let mut found = Found::Same;
    for _ in 0..ATTEMPTS_MAX {
        let at = services.overlays.applied(id).await?;
        let stored = services.overlays.range(id, Seq::ZERO, Seq(u64::MAX)).await?;
        // Where nothing says how far they go, all of the log belongs into them.
        let is_missing = at == Seq::ZERO;
        if log.last > at && !is_missing {
            (log, rows) = (Reading::new(services, id), BTreeMap::new());
        }
        let upto = if is_missing { Seq(u64::MAX) } else { at };
        loop {
            let events = log.next(upto).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                if let Some(target) = event.kind.target() {
                    rows.entry(target.seq).or_default().apply(event);
                }
            }
        }
        let steps = steps(differences(stored, &rows));
        let is_ahead = log.last < at;
        if steps.is_empty() && !is_ahead {
            let end = tail(services, id).await?;
            catch_up(services, id, end).await?;
            let is_behind = services.overlays.applied(id).await? > at && at < end;
            return Ok(if found == Found::Same && is_behind { Found::Behind } else { found });
        }
        let upto = if is_missing || is_ahead { log.last } else { at };
        if write(services, id, at, upto, steps).await? {
            found = if is_missing { Found::Missing } else { Found::Different };
        }
    }
    Err(busy())
}

/// What must be written, and removed, so that what is stored is right.
fn differences(stored: Vec<(Seq, Bytes)>, right: &BTreeMap<Seq, Overlay>) -> Vec<(Seq, Option<Bytes>)> {
    let mut wanted: BTreeMap<Seq, &Overlay> = right.iter().map(|(seq, overlay)| (*seq, overlay)).collect();
    let mut all = Vec::new();
    for (seq, bytes) in stored {
        match wanted.get(&seq) {
            None => all.push((seq, None)),
            // Another version may have written the same in other bytes.
            Some(overlay) if decode_overlay(bytes).is_ok_and(|stored| stored == **overlay) => drop(wanted.remove(&seq)),
            Some(_) => {}
        }
    }
    all.extend(wanted.into_iter().map(|(seq, overlay)| (seq, Some(encode_overlay(overlay)))));
    all
}

/// The same in pieces.
fn steps(rows: Vec<(Seq, Option<Bytes>)>) -> Vec<Vec<(Seq, Option<Bytes>)>> {
    let mut all: Vec<Vec<_>> = Vec::new();
    let mut bytes = usize::MAX;
    for (seq, row) in rows {
        let more = row.as_ref().map_or(0, Bytes::len);
        match all.last_mut() {
            Some(step) if bytes + more <= STEP_BYTES_MAX && step.len() < STEP_ROWS_MAX => {
                bytes += more;
                step.push((seq, row));
            }
            _ => {
                bytes = more;
                all.push(vec![(seq, row)]);
            }
        }
    }
    all
}

/// Writes the pieces, as long as nobody else writes; whether something was written. How far the rows go is said with the last one:
/// events that are applied to a row again change nothing.
async fn write(
    services: &Services,
    id: ConversationId,
    at: Seq,
    upto: Seq,
    mut steps: Vec<Vec<(Seq, Option<Bytes>)>>,
) -> Result<bool, Error> {
    let last = steps.pop().unwrap_or_default();
    let mut is_written = false;
    for step in steps {
        if !services.overlays.mend(id, at, at, step).await? {
            return Ok(is_written);
        }
        is_written = true;
    }
    Ok(services.overlays.mend(id, at, upto, last).await? || is_written)
}
