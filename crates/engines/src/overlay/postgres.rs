//! `Overlays` on PostgreSQL, beside the log. **Distributed**: any number of processes, one server that takes writes.
//!
//! A put is one statement. The row that says how far the others go decides: whoever does not bring it further writes nothing, and
//! of two that come at once, one waits there for the other.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::overlay::Overlays;
use tokio_postgres::types::Type;

use crate::drivers::postgres::columns::{bytes, column, seq, to_bigint};
use crate::drivers::postgres::{Database, Param, Schema};

/// The tables of the overlay.
pub const SCHEMA: Schema =
    Schema { name: "overlay", migrations: &[include_str!("postgres/migrations/001_overlay.sql")] };

/// Rows that are forgotten in one step.
const CLEAR_MAX: i64 = 4_096;

const PUT: &str = "
    WITH further AS (
        INSERT INTO overlay_applied AS applied (conversation, upto) VALUES ($1, $2)
        ON CONFLICT (conversation) DO UPDATE SET upto = EXCLUDED.upto WHERE applied.upto < EXCLUDED.upto
        RETURNING conversation
    )
    INSERT INTO overlay (conversation, seq, bytes)
    SELECT conversation, seq, bytes FROM further, unnest($3::bigint[], $4::bytea[]) AS new (seq, bytes) ORDER BY seq
    ON CONFLICT (conversation, seq) DO UPDATE SET bytes = EXCLUDED.bytes";

/// As a put, but only where the rows go as far as $2; NULL removes a row.
const MEND: &str = "
    WITH there AS (
        INSERT INTO overlay_applied AS applied (conversation, upto) SELECT $1, $3 WHERE $2 = 0
        ON CONFLICT (conversation) DO UPDATE SET upto = EXCLUDED.upto WHERE applied.upto = 0
        RETURNING conversation
    ), moved AS (
        UPDATE overlay_applied SET upto = $3 WHERE conversation = $1 AND upto = $2 AND $2 > 0 RETURNING conversation
    ), mended AS (
        SELECT conversation FROM there UNION ALL SELECT conversation FROM moved
    ), new AS (
        SELECT * FROM unnest($4::bigint[], $5::bytea[]) AS new (seq, bytes)
    ), gone AS (
        DELETE FROM overlay AS old USING mended, new WHERE old.conversation = mended.conversation
            AND old.seq = new.seq AND new.bytes IS NULL
    ), written AS (
        INSERT INTO overlay (conversation, seq, bytes)
        SELECT conversation, seq, bytes FROM mended, new WHERE bytes IS NOT NULL ORDER BY seq
        ON CONFLICT (conversation, seq) DO UPDATE SET bytes = EXCLUDED.bytes
    )
    SELECT conversation FROM mended";

const RANGE: &str = "SELECT seq, bytes FROM overlay WHERE conversation = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq";

const APPLIED: &str = "SELECT upto FROM overlay_applied WHERE conversation = $1";

/// Each step forgets how far the rows go, so that a put between two of them is forgotten as a whole.
const CLEAR: &str = "
    WITH applied AS (
        DELETE FROM overlay_applied WHERE conversation = $1
    ), cleared AS (
        DELETE FROM overlay WHERE conversation = $1
            AND seq IN (SELECT seq FROM overlay WHERE conversation = $1 ORDER BY seq LIMIT $2)
        RETURNING seq
    )
    SELECT count(*) FROM cleared";

/// The overlay in a database.
pub struct Postgres(Database);

impl Postgres {
    /// The overlay in this database, whose tables are prepared.
    ///
    /// # Errors
    /// `Broken` with a sentence: the tables are others, or the server may lose what it confirmed. `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&SCHEMA).await?;
        database.expect_durable().await?;
        Ok(Self(database))
    }
}

#[async_trait]
impl Overlays for Postgres {
    async fn put(&self, conversation: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error> {
        // Of a row that is there twice, the last counts.
        let rows: BTreeMap<i64, &[u8]> = rows.iter().map(|(seq, row)| (to_bigint(seq.0), &**row)).collect();
        let (seqs, rows): (Vec<i64>, Vec<&[u8]>) = rows.into_iter().unzip();
        let params: [Param<'_>; 4] = [
            (&conversation.0, Type::UUID),
            (&to_bigint(upto.0), Type::INT8),
            (&seqs, Type::INT8_ARRAY),
            (&rows, Type::BYTEA_ARRAY),
        ];
        self.0.query(PUT, &params).await.map(drop)
    }

    async fn range(&self, conversation: ConversationId, from: Seq, to: Seq) -> Result<Vec<(Seq, Bytes)>, Error> {
        let params: [Param<'_>; 3] =
            [(&conversation.0, Type::UUID), (&to_bigint(from.0), Type::INT8), (&to_bigint(to.0), Type::INT8)];
        self.0.query(RANGE, &params).await?.iter().map(|row| Ok((seq(row, 0)?, bytes(row, 1)?))).collect()
    }

    async fn applied(&self, conversation: ConversationId) -> Result<Seq, Error> {
        let rows = self.0.query(APPLIED, &[(&conversation.0, Type::UUID)]).await?;
        rows.first().map_or(Ok(Seq::ZERO), |row| seq(row, 0))
    }

    async fn mend(
        &self,
        conversation: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error> {
        let seqs: Vec<i64> = rows.iter().map(|(seq, _)| to_bigint(seq.0)).collect();
        let rows: Vec<Option<&[u8]>> = rows.iter().map(|(_, row)| row.as_deref()).collect();
        let params: [Param<'_>; 5] = [
            (&conversation.0, Type::UUID),
            (&to_bigint(at.0), Type::INT8),
            (&to_bigint(upto.0), Type::INT8),
            (&seqs, Type::INT8_ARRAY),
            (&rows, Type::BYTEA_ARRAY),
        ];
        Ok(!self.0.query(MEND, &params).await?.is_empty())
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        loop {
            let rows = self.0.query(CLEAR, &[(&conversation.0, Type::UUID), (&CLEAR_MAX, Type::INT8)]).await?;
            let cleared = rows.first().map_or(Ok(0), |row| column::<i64>(row, 0))?;
            if cleared < CLEAR_MAX {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drivers::place::Place;
    use crate::drivers::postgres::bench;

    struct Bench {
        place: Place,
        overlays: Arc<Postgres>,
    }

    impl Bench {
        async fn new() -> Self {
            let place = bench::prepared(&SCHEMA).await;
            Self { overlays: open(&place).await, place }
        }
    }

    async fn open(place: &Place) -> Arc<Postgres> {
        Arc::new(Postgres::open(bench::at(place)).await.unwrap())
    }

    #[async_trait]
    impl klatch_ports::overlay::contract::Bench for Bench {
        fn overlays(&self) -> Arc<dyn Overlays> {
            self.overlays.clone()
        }

        async fn reopen(&mut self) {
            self.overlays = open(&self.place).await;
        }
    }

    klatch_ports::overlay_contract!(Bench::new().await);

    const C: ConversationId = ConversationId::from_bytes([1; 16]);

    #[tokio::test]
    async fn puts_that_race_leave_the_rows_of_the_last() {
        let bench = Bench::new().await;
        let row = |n: u64| Bytes::from(n.to_string());
        let puts = (1..=40).rev().map(|n| {
            let overlays = bench.overlays.clone();
            async move { overlays.put(C, Seq(n), (1..=9).map(|seq| (Seq(seq), row(n))).collect()).await.unwrap() }
        });
        futures_util::future::join_all(puts).await;
        assert_eq!(bench.overlays.applied(C).await.unwrap(), Seq(40));
        let rows = bench.overlays.range(C, Seq::ZERO, Seq(u64::MAX)).await.unwrap();
        assert_eq!(rows, (1..=9).map(|seq| (Seq(seq), row(40))).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_takes_several_steps_is_cleared_and_a_row_that_is_there_twice_counts_once() {
        let bench = Bench::new().await;
        let rows = |version: &'static [u8]| (1..=9_000).map(move |seq| (Seq(seq), Bytes::from_static(version)));
        bench.overlays.put(C, Seq(1), rows(b"first").chain(rows(b"last")).collect()).await.unwrap();
        let all = bench.overlays.range(C, Seq(1), Seq(9_000)).await.unwrap();
        assert_eq!(all, rows(b"last").collect::<Vec<_>>());
        bench.overlays.clear(C).await.unwrap();
        assert_eq!(bench.overlays.range(C, Seq::ZERO, Seq(u64::MAX)).await.unwrap(), []);
    }
}
