//! `Overlays` on Cassandra or ScyllaDB, beside the log. **Distributed**: any number of processes write it.
//!
//! A conversation is one partition: its rows, and beside them `applied`. A put is one conditional write of both, so it is there as a
//! whole or not at all, and one of the past finds another `applied` than it expects. Only messages that something happened to have a
//! row, so the partition stays small where the log does not.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::overlay::Overlays;
use scylla::statement::prepared::PreparedStatement;

use crate::drivers::cassandra::{Bound, Database, Level, Schema};

/// The table of the overlay.
pub const SCHEMA: Schema = Schema {
    name: "overlay",
    migrations: &[
        "CREATE TABLE IF NOT EXISTS KS.overlay (conversation uuid, applied bigint static, seq bigint, row blob,
        PRIMARY KEY (conversation, seq))",
    ],
};

/// How often a write is tried anew because another came before it.
const ATTEMPTS: usize = 10;
/// Rows that are read with one call.
const ROWS_MAX: i32 = 1_000;

/// The overlay in a keyspace.
pub struct CassandraOverlays {
    database: Database,
    applied: PreparedStatement,
    set_applied: PreparedStatement,
    put: PreparedStatement,
    range: PreparedStatement,
    remove: PreparedStatement,
    clear: PreparedStatement,
}

impl CassandraOverlays {
    /// The overlay in this keyspace, which `migrate` has prepared with [`SCHEMA`].
    ///
    /// # Errors
    /// `Broken`: it is not prepared, or by a later version; `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        use Level::{Conditional, Majority};
        database.expect(&SCHEMA).await?;
        let set_applied = "UPDATE KS.overlay SET applied = ? WHERE conversation = ? IF applied = ?";
        let put = "INSERT INTO KS.overlay (conversation, seq, row) VALUES (?, ?, ?)";
        let range = "SELECT seq, row FROM KS.overlay WHERE conversation = ? AND seq >= ? AND seq <= ? LIMIT ?";
        let applied = "SELECT applied FROM KS.overlay WHERE conversation = ? LIMIT 1";
        Ok(Self {
            applied: database.prepare(applied, Majority).await?,
            set_applied: database.prepare(set_applied, Conditional).await?,
            put: database.prepare(put, Conditional).await?,
            range: database.prepare(range, Majority).await?,
            remove: database.prepare("DELETE FROM KS.overlay WHERE conversation = ? AND seq = ?", Conditional).await?,
            clear: database.prepare("DELETE FROM KS.overlay WHERE conversation = ?", Conditional).await?,
            database,
        })
    }

    async fn applied(&self, conversation: ConversationId) -> Result<Option<i64>, Error> {
        let rows = self.database.rows::<(Option<i64>,)>(&self.applied, (conversation.0,)).await?;
        Ok(rows.into_iter().next().and_then(|(applied,)| applied))
    }

    /// Whether `applied` was as expected and is now `to`, together with these statements.
    async fn advance(
        &self,
        conversation: ConversationId,
        expected: Option<i64>,
        to: Option<i64>,
        statements: impl Iterator<Item = Bound>,
    ) -> Result<bool, Error> {
        let set: Bound = (self.set_applied.clone(), Box::new((to, conversation.0, expected)));
        self.database.write_if([set].into_iter().chain(statements).collect()).await
    }
}

#[async_trait]
impl Overlays for CassandraOverlays {
    async fn put(&self, conversation: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let applied = self.applied(conversation).await?;
            if applied.is_some_and(|applied| applied >= stored(upto)) || upto == Seq::ZERO {
                return Ok(());
            }
            let put = |(seq, row): &(Seq, Bytes)| -> Bound {
                (self.put.clone(), Box::new((conversation.0, stored(*seq), row.clone())))
            };
            if self.advance(conversation, applied, Some(stored(upto)), rows.iter().map(put)).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("others write this overlay all the time"))
    }

    async fn range(&self, conversation: ConversationId, from: Seq, to: Seq) -> Result<Vec<(Seq, Bytes)>, Error> {
        let (mut from, to) = (stored(from), stored(to));
        let mut rows = Vec::new();
        while from <= to {
            let values = (conversation.0, from, to, ROWS_MAX);
            let page = self.database.rows::<(i64, Bytes)>(&self.range, values).await?;
            let is_all = page.len() < ROWS_MAX as usize;
            for (seq, row) in page {
                from = seq.saturating_add(1);
                rows.push((Seq(u64::try_from(seq).map_err(Error::corrupt)?), row));
            }
            if is_all {
                break;
            }
        }
        Ok(rows)
    }

    async fn applied(&self, conversation: ConversationId) -> Result<Seq, Error> {
        let applied = self.applied(conversation).await?.unwrap_or(0);
        u64::try_from(applied).map(Seq).map_err(Error::corrupt)
    }

    async fn mend(
        &self,
        conversation: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error> {
        let applied = self.applied(conversation).await?;
        if applied.unwrap_or(0) != stored(at) {
            return Ok(false);
        }
        let row = |(seq, row): &(Seq, Option<Bytes>)| -> Bound {
            match row {
                Some(row) => (self.put.clone(), Box::new((conversation.0, stored(*seq), row.clone()))),
                None => (self.remove.clone(), Box::new((conversation.0, stored(*seq)))),
            }
        };
        self.advance(conversation, applied, Some(stored(upto)), rows.iter().map(row)).await
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let applied = self.applied(conversation).await?;
            let clear: Bound = (self.clear.clone(), Box::new((conversation.0,)));
            if applied.is_none() || self.advance(conversation, applied, None, [clear].into_iter()).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("others write this overlay all the time"))
    }
}

/// A seq as it is stored. One beyond what CQL can count is beyond every row.
fn stored(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drivers::cassandra::bench;
    use crate::drivers::place::Place;

    struct Keyspace {
        place: Place,
        overlays: Arc<CassandraOverlays>,
    }

    async fn open(place: &Place) -> Arc<CassandraOverlays> {
        Arc::new(CassandraOverlays::open(bench::open(place).await).await.unwrap())
    }

    async fn keyspace() -> Keyspace {
        let place = bench::prepared(&SCHEMA).await;
        Keyspace { overlays: open(&place).await, place }
    }

    #[async_trait]
    impl klatch_ports::overlay::contract::Bench for Keyspace {
        fn overlays(&self) -> Arc<dyn Overlays> {
            self.overlays.clone()
        }

        async fn reopen(&mut self) {
            self.overlays = open(&self.place).await;
        }
    }

    klatch_ports::overlay_contract!(keyspace().await);

    #[tokio::test]
    async fn of_puts_that_race_the_last_holds_and_none_is_torn() {
        let keyspace = keyspace().await;
        let (one, other) = (keyspace.overlays.clone(), open(&keyspace.place).await);
        let conversation = ConversationId::from_bytes([1; 16]);
        let row = |upto: u64| (1..=5).map(|seq| (Seq(seq), Bytes::from(format!("as of {upto}")))).collect::<Vec<_>>();
        let put = async |overlays: &CassandraOverlays, parity: u64| {
            for upto in (1..=20).filter(|upto| upto % 2 == parity) {
                overlays.put(conversation, Seq(upto), row(upto)).await.unwrap();
                let applied = Overlays::applied(overlays, conversation).await.unwrap();
                assert!(applied >= Seq(upto));
                let rows = overlays.range(conversation, Seq(0), Seq(9)).await.unwrap();
                assert!(rows.iter().all(|(_, row)| *row == rows[0].1), "{rows:?}");
            }
        };
        tokio::join!(put(&one, 0), put(&other, 1));
        assert_eq!(one.range(conversation, Seq(0), Seq(9)).await.unwrap(), row(20));
    }
}
