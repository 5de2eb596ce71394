//! `EventLog` on PostgreSQL. **Distributed**: any number of processes, one server that takes writes.
//!
//! An append is one statement, and so one transaction and one round trip, however many conversations it is for. Its first row
//! decides: whoever expects the tail N inserts the row N + 1, and the unique index lets one of them. That row needs the row N, so
//! there is never a hole; whoever has it has the rows after it. A statement whose caller gave up may still be done later, and is
//! then one more writer that wins or loses this race.
//!
//! An erased body cannot be read any more once `erase` has returned. Its old bytes, which are sealed, stay in the table's file
//! until vacuum has cleared them away and others were written there, and in the write-ahead log and its archive for as long as
//! those are kept.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use klatch_ports::Error;
use klatch_ports::event_log::{Append, EventLog, READ_BYTES_MAX, Record, Snapshot};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::drivers::postgres::columns::{bytes, column, seq, to_bigint};
use crate::drivers::postgres::{Database, Param, Schema, code};

/// The tables of the log.
pub const SCHEMA: Schema =
    Schema { name: "event_log", migrations: &[include_str!("postgres/migrations/001_event_log.sql")] };

/// Rows go in order of their conversations, so that no two appends wait for one another. Of a row that cannot be inserted, because
/// its seq or its id is there, nothing is said but that it did not win.
const APPEND: &str = "
    WITH new AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bool[])
            AS new (conversation, seq, id, head, body, entry, is_first)
    ), won AS (
        INSERT INTO event_log (conversation, seq, id, head, body, entry)
        SELECT conversation, seq, id, head, body, entry FROM new
        WHERE is_first AND seq = 1 + coalesce(
            (SELECT max(seq) FROM event_log AS event WHERE event.conversation = new.conversation), 0)
        ORDER BY conversation
        ON CONFLICT DO NOTHING
        RETURNING conversation, seq
    ), others AS (
        INSERT INTO event_log (conversation, seq, id, head, body, entry)
        SELECT conversation, new.seq, id, head, body, entry FROM new JOIN won USING (conversation) WHERE NOT is_first
    ), listed AS (
        INSERT INTO event_log_conversations SELECT conversation FROM won WHERE seq = 1
    )
    SELECT conversation FROM won";

/// A body that lies elsewhere is not fetched to learn its length: so no more than an answer holds is read and sent, but for the row
/// that would be the first too many.
const READ: &str = "
    SELECT seq, id, head, body FROM (
        SELECT seq, id, head, body,
            sum(octet_length(head) + octet_length(body)) OVER (ORDER BY seq) AS total,
            row_number() OVER (ORDER BY seq) AS place
        FROM event_log WHERE conversation = $1 AND seq >= $2 ORDER BY seq LIMIT $3
    ) AS page
    WHERE total <= $4 OR place = 1 ORDER BY seq";

const TAILS: &str = "
    SELECT coalesce((SELECT max(seq) FROM event_log AS event WHERE event.conversation = asked.conversation), 0)
    FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (conversation, place) ORDER BY place";

const FIND: &str = "SELECT id, entry FROM event_log WHERE conversation = $1 AND id = ANY($2)";

const ERASE: &str =
    "UPDATE event_log SET body = '' WHERE conversation = $1 AND seq = ANY($2) AND octet_length(body) > 0";

const CONVERSATIONS: &str = "
    SELECT conversation, (SELECT max(seq) FROM event_log AS event WHERE event.conversation = page.conversation)
    FROM (
        SELECT conversation FROM event_log_conversations
        WHERE $1::uuid IS NULL OR conversation > $1 ORDER BY conversation LIMIT $2
    ) AS page ORDER BY conversation";

const SAVE_SNAPSHOT: &str = "
    INSERT INTO event_log_snapshots (conversation, seq, bytes) VALUES ($1, $2, $3)
    ON CONFLICT (conversation) DO UPDATE SET seq = EXCLUDED.seq, bytes = EXCLUDED.bytes";

const SNAPSHOT: &str = "SELECT seq, bytes FROM event_log_snapshots WHERE conversation = $1";

/// The log in a database.
pub struct Postgres(Database);

impl Postgres {
    /// The log in this database, whose tables are prepared.
    ///
    /// # Errors
    /// `Broken` with a sentence: the tables are others, or the server may lose what it confirmed. `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&SCHEMA).await?;
        database.expect_durable().await?;
        Ok(Self(database))
    }

    /// Appends these, each for another conversation, and returns those who won.
    async fn insert(&self, batch: &[&Append]) -> Result<HashSet<ConversationId>, Error> {
        let mut rows = Rows::default();
        batch.iter().for_each(|append| rows.add(append));
        let won = self.0.query(APPEND, &rows.params()).await?;
        won.iter().map(|row| Ok(ConversationId(column(row, 0)?))).collect()
    }

    async fn insert_one(&self, append: &Append) -> Result<(), Error> {
        match self.insert(&[append]).await {
            Ok(won) if won.contains(&append.conversation) => Ok(()),
            Ok(_) => Err(lost()),
            Err(error) if is_there(&error) => Err(lost()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl EventLog for Postgres {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let mut seen = HashSet::new();
        let is_sound = |append: &Append| append.is_contiguous() && seen.insert(append.conversation);
        let sound: Vec<bool> = batch.iter().map(is_sound).collect();
        let appends: Vec<_> = batch.iter().zip(&sound).filter(|(_, sound)| **sound).map(|(append, _)| append).collect();
        let done = if appends.is_empty() { Ok(HashSet::new()) } else { self.insert(&appends).await };
        let mut answers = Vec::with_capacity(batch.len());
        for (append, sound) in batch.iter().zip(sound) {
            answers.push(match &done {
                _ if !sound => Err(lost()),
                Ok(won) => won.contains(&append.conversation).then_some(()).ok_or_else(lost),
                // Somebody's id is there already. Nothing was done for anybody, and the others shall not suffer from it.
                Err(error) if is_there(error) => self.insert_one(append).await,
                Err(error) => Err(again(error)),
            });
        }
        answers
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let params: [Param<'_>; 4] = [
            (&conversation.0, Type::UUID),
            (&to_bigint(from.0), Type::INT8),
            (&to_bigint(limit as u64), Type::INT8),
            (&to_bigint(READ_BYTES_MAX as u64), Type::INT8),
        ];
        let record = |row: &Row| {
            Ok(Record { seq: seq(row, 0)?, id: CommandId(column(row, 1)?), head: bytes(row, 2)?, body: bytes(row, 3)? })
        };
        self.0.query(READ, &params).await?.iter().map(record).collect()
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let ids: Vec<Uuid> = conversations.iter().map(|conversation| conversation.0).collect();
        let rows = self.0.query(TAILS, &[(&ids, Type::UUID_ARRAY)]).await?;
        rows.iter().map(|row| seq(row, 0)).collect()
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        let asked: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = self.0.query(FIND, &[(&conversation.0, Type::UUID), (&asked, Type::UUID_ARRAY)]).await?;
        let found = rows.iter().map(|row| Ok((column(row, 0)?, bytes(row, 1)?)));
        let found: HashMap<Uuid, Bytes> = found.collect::<Result<_, Error>>()?;
        Ok(asked.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        let seqs: Vec<i64> = seqs.iter().map(|seq| to_bigint(seq.0)).collect();
        self.0.query(ERASE, &[(&conversation.0, Type::UUID), (&seqs, Type::INT8_ARRAY)]).await.map(drop)
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        let after = after.map(|after| after.0);
        let params: [Param<'_>; 2] = [(&after, Type::UUID), (&to_bigint(limit as u64), Type::INT8)];
        let rows = self.0.query(CONVERSATIONS, &params).await?;
        rows.iter().map(|row| Ok((ConversationId(column(row, 0)?), seq(row, 1)?))).collect()
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        let params: [Param<'_>; 3] =
            [(&conversation.0, Type::UUID), (&to_bigint(snapshot.seq.0), Type::INT8), (&&*snapshot.bytes, Type::BYTEA)];
        self.0.query(SAVE_SNAPSHOT, &params).await.map(drop)
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        let rows = self.0.query(SNAPSHOT, &[(&conversation.0, Type::UUID)]).await?;
        rows.first().map(|row| Ok(Snapshot { seq: seq(row, 0)?, bytes: bytes(row, 1)? })).transpose()
    }
}

/// The rows of a batch, column by column.
#[derive(Default)]
struct Rows<'a> {
    conversations: Vec<Uuid>,
    seqs: Vec<i64>,
    ids: Vec<Uuid>,
    heads: Vec<&'a [u8]>,
    bodies: Vec<&'a [u8]>,
    entries: Vec<&'a [u8]>,
    are_first: Vec<bool>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, append: &'a Append) {
        for (at, new) in append.records.iter().enumerate() {
            self.conversations.push(append.conversation.0);
            self.seqs.push(to_bigint(new.record.seq.0));
            self.ids.push(new.record.id.0);
            self.heads.push(&new.record.head);
            self.bodies.push(&new.record.body);
            self.entries.push(&new.index);
            self.are_first.push(at == 0);
        }
    }

    fn params(&self) -> [Param<'_>; 7] {
        [
            (&self.conversations, Type::UUID_ARRAY),
            (&self.seqs, Type::INT8_ARRAY),
            (&self.ids, Type::UUID_ARRAY),
            (&self.heads, Type::BYTEA_ARRAY),
            (&self.bodies, Type::BYTEA_ARRAY),
            (&self.entries, Type::BYTEA_ARRAY),
            (&self.are_first, Type::BOOL_ARRAY),
        ]
    }
}

/// The answer to an append that was decided on another state than the log's: its tail is another, or an id is there already.
fn lost() -> Error {
    Error::conflict("the tail is another, or an id is there already")
}

/// Whether the failure is that a row is there already.
fn is_there(error: &Error) -> bool {
    code(error) == Some(&SqlState::UNIQUE_VIOLATION)
}

/// The same failure once more, for another append of the batch.
fn again(error: &Error) -> Error {
    let reason = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    Error::new(error.kind, reason)
}

#[cfg(test)]
mod tests;
