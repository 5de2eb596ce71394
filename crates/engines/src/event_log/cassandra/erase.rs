//! Erasing: a conditional write as well, so that its place in time is the server's, behind the append's, and not a clock's.

use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;

use super::read::Row;
use super::{ASKED_MAX, CassandraEventLog, stored};
use crate::drivers::cassandra::Bound;

impl CassandraEventLog {
    pub(super) async fn erase_bodies(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        let mut seqs: Vec<_> = seqs.iter().map(|seq| stored(*seq)).filter(|seq| *seq > 0).collect();
        seqs.sort_unstable();
        seqs.dedup();
        for asked in seqs.chunks(ASKED_MAX) {
            let rows = self.rows_at(conversation, asked).await?;
            let mut whole: Vec<_> = rows.iter().filter(|(_, row)| has_body(row)).collect();
            whole.sort_unstable_by_key(|(bucket, row)| (*bucket, row.seq));
            for of_bucket in whole.chunk_by(|one, other| one.0 == other.0) {
                let erase = |(bucket, row): &&(i64, Row)| -> Bound {
                    (self.statements.erase.clone(), Box::new((conversation.0, *bucket, row.seq)))
                };
                // Rows never go, so that they exist is still so.
                if !self.database.write_if(of_bucket.iter().map(erase).collect()).await? {
                    return Err(Error::corrupt("a record that was there is gone"));
                }
            }
            // Also where the row was erased before: whoever did that may not have come so far.
            for (_, row) in rows.iter().filter(|(_, row)| row.head_bytes.is_some()) {
                self.empty_parts(row.append, row.seq).await?;
            }
        }
        Ok(())
    }
}

fn has_body(row: &Row) -> bool {
    !row.body().is_empty() || row.body_bytes.unwrap_or(0) > 0
}
