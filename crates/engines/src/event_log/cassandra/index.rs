//! Where ids may be: a hint that is written before the append, so that nothing that counts cannot be found.
//!
//! The ids of a conversation lie in partitions by the time that they begin with (RFC 9562, UUIDv7), since what is sent together was made
//! at about the same time: an append writes to one or two of them, whatever it holds. Ids that do not begin with a time, or with a wrong
//! one, lie elsewhere and are found as well.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use klatch_core::ids::{CommandId, ConversationId};
use klatch_ports::Error;

use super::writing::Writing;
use super::{ASKED_MAX, CONCURRENT_MAX, CassandraEventLog, stored};
use crate::drivers::cassandra::Bound;

/// Bits of an id that its period is: of one that begins with milliseconds, 17 minutes. With a thousand messages a second that is a
/// million ids, some 22 MB.
const PERIOD_BITS: u32 = 28;
/// Partitions, and ids in them, that one call writes to where it does to several. Cassandra warns of more than ten, and of 5 KiB.
const PARTITIONS_MAX: usize = 10;
const IDS_MAX: usize = 40;

impl CassandraEventLog {
    /// Notes where the ids of these appends will be. Where an append fails, a note says what the log does not, and the log is believed.
    pub(super) async fn note_places(&self, writings: impl Iterator<Item = &Writing>) -> Result<(), Error> {
        let mut partitions: BTreeMap<_, Vec<Bound>> = BTreeMap::new();
        for writing in writings {
            let conversation = writing.conversation;
            for record in writing.records.iter().map(|new| &new.record) {
                let period = period(record.id);
                let values = (conversation.0, period, record.id.0, stored(record.seq));
                let note: Bound = (self.statements.note_place.clone(), Box::new(values));
                partitions.entry((conversation, period)).or_default().push(note);
            }
        }
        let mut calls: Vec<(usize, Vec<Bound>)> = Vec::new();
        for notes in partitions.into_values() {
            match calls.last_mut() {
                Some((partitions, call)) if *partitions < PARTITIONS_MAX && call.len() + notes.len() <= IDS_MAX => {
                    *partitions += 1;
                    call.extend(notes);
                }
                _ => calls.push((1, notes)),
            }
        }
        let mut writes = Vec::with_capacity(calls.len());
        for (_, call) in calls {
            writes.push(self.database.write_all(call));
        }
        stream::iter(writes).buffer_unordered(CONCURRENT_MAX).try_collect().await
    }

    /// The seqs at which these ids may be, in order, each once.
    pub(super) async fn places(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<i64>, Error> {
        let mut periods: BTreeMap<i32, Vec<_>> = BTreeMap::new();
        for id in ids {
            periods.entry(period(*id)).or_default().push(id.0);
        }
        let mut answers = Vec::with_capacity(periods.len());
        for (period, ids) in &periods {
            for asked in ids.chunks(ASKED_MAX) {
                answers.push(self.database.rows::<(i64,)>(&self.statements.places, (conversation.0, *period, asked)));
            }
        }
        let answers = stream::iter(answers).buffer_unordered(CONCURRENT_MAX);
        let answers: Vec<_> = answers.try_collect().await?;
        let mut seqs: Vec<_> = answers.into_iter().flatten().map(|(seq,)| seq).collect();
        seqs.sort_unstable();
        seqs.dedup();
        Ok(seqs)
    }
}

fn period(id: CommandId) -> i32 {
    (id.0.as_u128() >> (128 - PERIOD_BITS)) as i32
}
