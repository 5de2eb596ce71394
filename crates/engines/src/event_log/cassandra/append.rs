//! Appending: the index first, then what is large, then the one write that makes it count.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use klatch_core::ids::Uuid;
use klatch_ports::event_log::Append;
use klatch_ports::{Error, ErrorKind};

use super::writing::Writing;
use super::{CONCURRENT_MAX, CassandraEventLog, stored};
use crate::drivers::cassandra::Bound;

/// For how long it is asked what became of an append, and how long to wait for connections in between.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

impl CassandraEventLog {
    pub(super) async fn append_all(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let writings: Vec<_> = batch.into_iter().map(Writing::new).collect();
        if let Err(error) = self.note_places(writings.iter().flatten()).await {
            // Nothing was appended, but a caller need not tell that from an outcome that is unknown.
            let of_all = |writing: Result<Writing, Error>| {
                Err(writing
                    .err()
                    .unwrap_or_else(|| Error::new(error.kind, format!("the index was not written: {error:?}"))))
            };
            return writings.into_iter().map(of_all).collect();
        }
        let appends = writings.into_iter().map(|writing| async move { self.append_one(&writing?).await });
        stream::iter(appends).buffered(CONCURRENT_MAX).collect().await
    }

    async fn append_one(&self, writing: &Writing) -> Result<(), Error> {
        let has_parts = writing.large.contains(&true);
        if has_parts {
            self.write_parts(writing).await?;
        }
        if self.commit_or_open(writing).await? {
            return Ok(());
        }
        if has_parts && let Err(error) = self.drop_parts(writing.append).await {
            tracing::warn!(%error, append = %writing.append, "parts of an append that lost stay; nothing names them");
        }
        Err(Error::conflict("the tail is another"))
    }

    /// Whether the append was done; a bucket that nobody wrote to yet is opened for it.
    async fn commit_or_open(&self, writing: &Writing) -> Result<bool, Error> {
        let (conversation, bucket, expected) = (writing.conversation, writing.bucket, writing.expected);
        if expected > 0 {
            if self.commit(writing, Some(expected)).await? {
                return Ok(true);
            }
            // INVARIANT: a bucket is opened only after the one before is closed at what is expected. Closed it stays, since no append
            // begins in it any more: so nothing can come between.
            let tail = &self.statements.tail_serial;
            if bucket == 0
                || self.tail_of(tail, conversation, bucket).await?.is_some()
                || self.tail_of(tail, conversation, bucket - 1).await? != Some(expected)
            {
                return Ok(false);
            }
        }
        self.note_conversation(conversation, bucket).await?;
        self.commit(writing, None).await
    }

    /// Writes the records if the tail of the bucket is this one, and tells whether that was done.
    pub(super) async fn commit(&self, writing: &Writing, tail: Option<i64>) -> Result<bool, Error> {
        let answer = self.database.write_if(self.statements_of(writing, tail)).await;
        match &answer {
            Ok(true) => return Ok(true),
            Err(error) if error.kind != ErrorKind::Unavailable => return answer,
            // Also a refusal is looked into: it may have come from our own write, which the server had lost sight of.
            Ok(false) | Err(_) => {}
        }
        match self.author(writing).await? {
            Some(author) => Ok(author == writing.append),
            // Nobody wrote there. After a refusal nobody will for us; otherwise our write may still be on its way.
            None => answer,
        }
    }

    fn statements_of(&self, writing: &Writing, tail: Option<i64>) -> Vec<Bound> {
        let (conversation, bucket) = (writing.conversation.0, writing.bucket);
        let last = writing.expected + writing.records.len() as i64;
        let mut statements: Vec<Bound> = Vec::with_capacity(1 + writing.records.len());
        statements.push((self.statements.set_tail.clone(), Box::new((last, conversation, bucket, tail))));
        for (new, is_large) in writing.records.iter().zip(&writing.large) {
            let record = &new.record;
            let (head, body) = (record.head.clone(), record.body.clone());
            let (seq, answer) = (stored(record.seq), new.index.clone());
            let key = (conversation, bucket, seq, writing.append, record.id.0, answer);
            statements.push(if *is_large {
                let (head_bytes, body_bytes) = (head.len() as i32, body.len() as i32);
                let values = (key.0, key.1, key.2, key.3, key.4, key.5, head_bytes, body_bytes);
                (self.statements.insert_large.clone(), Box::new(values))
            } else {
                let values = (key.0, key.1, key.2, key.3, key.4, key.5, head, body);
                (self.statements.insert.clone(), Box::new(values))
            });
        }
        statements
    }

    /// Which append wrote the first of these seqs, once whatever was undecided there is settled.
    async fn author(&self, writing: &Writing) -> Result<Option<Uuid>, Error> {
        let place = (writing.conversation.0, writing.bucket, writing.expected + 1);
        let asking = async {
            loop {
                match self.database.rows::<(Uuid,)>(&self.statements.author, place).await {
                    Err(error) if error.kind == ErrorKind::Unavailable => tokio::time::sleep(SETTLE_PAUSE).await,
                    rows => return rows,
                }
            }
        };
        let rows = tokio::time::timeout(SETTLE_TIMEOUT, asking).await;
        let rows = rows.map_err(|_| Error::unavailable("what became of an append could not be asked"))??;
        Ok(rows.into_iter().next().map(|(author,)| author))
    }
}
