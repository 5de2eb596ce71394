//! Reading records: a range of one bucket after the other, and single rows.

use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use klatch_ports::Error;
use klatch_ports::event_log::{READ_BYTES_MAX, Record};
use scylla::DeserializeRow;

use super::{ASKED_MAX, BUCKET, CassandraEventLog, RECORDS_MAX, bucket_of, seq, stored};

/// Rows of one statement: with the most that a record has in it, 8 MiB.
const ROWS_MAX: i32 = 512;
/// How often a page is read anew because a body in it was erased meanwhile.
const ATTEMPTS: usize = 5;

/// A row of the log.
#[derive(DeserializeRow)]
pub struct Row {
    pub seq: i64,
    pub append: Uuid,
    pub id: Uuid,
    pub answer: Bytes,
    pub head: Option<Bytes>,
    pub body: Option<Bytes>,
    pub head_bytes: Option<i32>,
    pub body_bytes: Option<i32>,
}

impl Row {
    pub fn head(&self) -> Bytes {
        self.head.clone().unwrap_or_default()
    }

    pub fn body(&self) -> Bytes {
        self.body.clone().unwrap_or_default()
    }

    /// Bytes of head and body, wherever they lie.
    fn len(&self) -> usize {
        let elsewhere = self.head_bytes.unwrap_or(0).max(0) as usize + self.body_bytes.unwrap_or(0).max(0) as usize;
        self.head().len() + self.body().len() + elsewhere
    }

    fn record(self) -> Result<Record, Error> {
        Ok(Record { seq: seq(self.seq)?, id: CommandId(self.id), head: self.head(), body: self.body() })
    }
}

impl CassandraEventLog {
    pub(super) async fn read_records(
        &self,
        conversation: ConversationId,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Record>, Error> {
        for _ in 0..ATTEMPTS {
            let mut rows = self.rows_from(conversation, stored(from).max(1), limit).await?;
            if self.fill(&mut rows).await?.is_some() {
                return rows.into_iter().map(Row::record).collect();
            }
        }
        Err(Error::corrupt("parts of a record are missing"))
    }

    /// Rows from here on, without holes.
    async fn rows_from(&self, conversation: ConversationId, from: i64, limit: usize) -> Result<Vec<Row>, Error> {
        let (mut rows, mut bytes, mut next): (Vec<Row>, _, _) = (Vec::new(), 0, from);
        while rows.len() < limit {
            let asked = i32::try_from(limit - rows.len()).unwrap_or(ROWS_MAX).min(ROWS_MAX);
            let (found, bucket) = self.rows_of_bucket(conversation, next, asked).await?;
            let is_all = found.len() < asked as usize;
            for row in found {
                bytes += row.len();
                if bytes > READ_BYTES_MAX && !rows.is_empty() {
                    return Ok(rows);
                }
                next = row.seq + 1;
                rows.push(row);
            }
            // Fewer than asked for: the bucket has no more. What follows is in the next, if this one is closed.
            if is_all && bucket_of(next) <= bucket {
                break;
            }
        }
        Ok(rows)
    }

    /// Rows that begin with this seq, from the bucket that has it: its own, or the one before where an append hangs over.
    async fn rows_of_bucket(
        &self,
        conversation: ConversationId,
        next: i64,
        limit: i32,
    ) -> Result<(Vec<Row>, i64), Error> {
        let own = bucket_of(next);
        let mut found = Vec::new();
        for bucket in [Some(own), bucket_before(next)].into_iter().flatten() {
            let values = (conversation.0, bucket, next, limit);
            found = self.database.rows::<Row>(&self.statements.range, values).await?;
            // Of a majority that is not of one mind, a later append may be seen before an earlier one.
            let gap = (next..).zip(&found).position(|(seq, row)| row.seq != seq);
            found.truncate(gap.unwrap_or(found.len()));
            if !found.is_empty() {
                return Ok((found, bucket));
            }
        }
        Ok((found, own))
    }

    /// The rows of these seqs, which are in order, as far as there are such, each with its bucket; without what lies in parts.
    pub(super) async fn rows_at(&self, conversation: ConversationId, seqs: &[i64]) -> Result<Vec<(i64, Row)>, Error> {
        let mut rows = Vec::with_capacity(seqs.len());
        for asked in seqs.chunk_by(|one, other| bucket_of(*one) == bucket_of(*other)) {
            for asked in asked.chunks(ASKED_MAX) {
                let mut missing = asked.to_vec();
                for bucket in [Some(bucket_of(asked[0])), bucket_before(asked[0])].into_iter().flatten() {
                    let values = (conversation.0, bucket, &missing);
                    let found = self.database.rows::<Row>(&self.statements.rows_at, values).await?;
                    missing.retain(|seq| found.iter().all(|row| row.seq != *seq));
                    rows.extend(found.into_iter().map(|row| (bucket, row)));
                    if missing.is_empty() {
                        break;
                    }
                }
            }
        }
        Ok(rows)
    }
}

/// The bucket before that of this seq, if an append that began there may hang over so far.
pub fn bucket_before(seq: i64) -> Option<i64> {
    let bucket = bucket_of(seq);
    let within = seq - bucket * BUCKET as i64;
    (bucket > 0 && within < RECORDS_MAX as i64).then_some(bucket - 1)
}
