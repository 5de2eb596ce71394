//! [`Mailboxes`] on PostgreSQL, beside the log. **Distributed**: any number of processes, one server that takes writes.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, DeviceId, Uuid};
use klatch_ports::Error;
use klatch_ports::mailboxes::{KEPT_S, LETTERS_MAX, Letter, Mailboxes};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::drivers::postgres::columns::{bytes, column};
use crate::drivers::postgres::{Database, Param, Schema};

/// The tables of the mailboxes.
pub const SCHEMA: Schema =
    Schema { name: "mailboxes", migrations: &[include_str!("postgres/migrations/001_mailboxes.sql")] };

/// Of a letter that is there twice, the last counts. In one order, so that two who write the same do not wait for each other.
const PUT: &str = "
    INSERT INTO mailboxes (device, conversation, id, payload)
    SELECT DISTINCT ON (device, id, conversation) device, conversation, id, payload
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) WITH ORDINALITY
        AS new (device, conversation, id, payload, place)
    ORDER BY device, id, conversation, place DESC
    ON CONFLICT (device, id, conversation) DO UPDATE SET payload = EXCLUDED.payload, put_at = EXCLUDED.put_at";

/// The letters of each device beyond the newest.
const TRIM: &str = "
    DELETE FROM mailboxes USING (
        SELECT device, id, conversation, row_number() OVER (PARTITION BY device ORDER BY id DESC, conversation DESC) AS place
        FROM mailboxes WHERE device = ANY($1)
    ) AS ranked
    WHERE ranked.place > $2 AND mailboxes.device = ranked.device AND mailboxes.id = ranked.id
        AND mailboxes.conversation = ranked.conversation";

const FORGET: &str = "DELETE FROM mailboxes WHERE put_at < now() - make_interval(secs => $1)";

const WAITING: &str = "
    SELECT device, conversation, id, payload FROM mailboxes
    WHERE device = $1 AND put_at >= now() - make_interval(secs => $3) ORDER BY id, conversation LIMIT $2";

const DEVICES: &str = "
    SELECT DISTINCT device FROM mailboxes
    WHERE ($1::uuid IS NULL OR device > $1) AND put_at >= now() - make_interval(secs => $3) ORDER BY device LIMIT $2";

const CONFIRM: &str = "
    DELETE FROM mailboxes USING unnest($2::uuid[], $3::uuid[]) AS known (conversation, id)
    WHERE device = $1 AND mailboxes.conversation = known.conversation AND mailboxes.id = known.id";

const COMMANDS: &str = "
    SELECT id FROM mailboxes WHERE conversation = $1 AND put_at >= now() - make_interval(secs => $3) LIMIT $2";

const FIND: &str = "
    SELECT mailboxes.payload
    FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS asked (id, device, place)
    LEFT JOIN mailboxes ON mailboxes.device = asked.device AND mailboxes.id = asked.id
        AND mailboxes.conversation = $1 AND put_at >= now() - make_interval(secs => $4)
    ORDER BY asked.place";

/// The mailboxes in a database.
pub struct Postgres(Database);

impl Postgres {
    /// The mailboxes in this database, whose tables are prepared.
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
impl Mailboxes for Postgres {
    fn is_durable(&self) -> bool {
        true
    }

    async fn put(&self, letters: Vec<Letter>) -> Result<(), Error> {
        if letters.is_empty() {
            return Ok(());
        }
        let devices: Vec<Uuid> = letters.iter().map(|letter| letter.device.0).collect();
        let conversations: Vec<Uuid> = letters.iter().map(|letter| letter.conversation.0).collect();
        let ids: Vec<Uuid> = letters.iter().map(|letter| letter.id.0).collect();
        let payloads: Vec<&[u8]> = letters.iter().map(|letter| &*letter.payload).collect();
        let params: [Param<'_>; 4] = [
            (&devices, Type::UUID_ARRAY),
            (&conversations, Type::UUID_ARRAY),
            (&ids, Type::UUID_ARRAY),
            (&payloads, Type::BYTEA_ARRAY),
        ];
        self.0.query(PUT, &params).await?;
        self.0.query(FORGET, &[(&f64::from(KEPT_S), Type::FLOAT8)]).await?;
        let most = i64::try_from(LETTERS_MAX).map_err(Error::corrupt)?;
        self.0.query(TRIM, &[(&devices, Type::UUID_ARRAY), (&most, Type::INT8)]).await.map(drop)
    }

    async fn waiting(&self, device: DeviceId, limit: usize) -> Result<Vec<Letter>, Error> {
        let limit = i64::try_from(limit).map_err(Error::corrupt)?;
        let params: [Param<'_>; 3] =
            [(&device.0, Type::UUID), (&limit, Type::INT8), (&f64::from(KEPT_S), Type::FLOAT8)];
        self.0.query(WAITING, &params).await?.iter().map(letter).collect()
    }

    async fn devices(&self, after: Option<DeviceId>, limit: usize) -> Result<Vec<DeviceId>, Error> {
        let (after, limit) = (after.map(|device| device.0), i64::try_from(limit).map_err(Error::corrupt)?);
        let params: [Param<'_>; 3] = [(&after, Type::UUID), (&limit, Type::INT8), (&f64::from(KEPT_S), Type::FLOAT8)];
        self.0.query(DEVICES, &params).await?.iter().map(|row| column(row, 0).map(DeviceId)).collect()
    }

    async fn confirm(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error> {
        let (conversations, ids): (Vec<Uuid>, Vec<Uuid>) =
            commands.iter().map(|(conversation, id)| (conversation.0, id.0)).unzip();
        let params: [Param<'_>; 3] =
            [(&device.0, Type::UUID), (&conversations, Type::UUID_ARRAY), (&ids, Type::UUID_ARRAY)];
        self.0.query(CONFIRM, &params).await.map(drop)
    }

    async fn commands(&self, conversation: ConversationId, limit: usize) -> Result<Vec<CommandId>, Error> {
        let limit = i64::try_from(limit).map_err(Error::corrupt)?;
        let params: [Param<'_>; 3] =
            [(&conversation.0, Type::UUID), (&limit, Type::INT8), (&f64::from(KEPT_S), Type::FLOAT8)];
        let rows = self.0.query(COMMANDS, &params).await?;
        rows.iter().map(|row| column(row, 0).map(CommandId)).collect()
    }

    async fn find(
        &self,
        conversation: ConversationId,
        asked: &[(CommandId, DeviceId)],
    ) -> Result<Vec<Option<Bytes>>, Error> {
        let (ids, devices): (Vec<Uuid>, Vec<Uuid>) = asked.iter().map(|(id, device)| (id.0, device.0)).unzip();
        let params: [Param<'_>; 4] = [
            (&conversation.0, Type::UUID),
            (&ids, Type::UUID_ARRAY),
            (&devices, Type::UUID_ARRAY),
            (&f64::from(KEPT_S), Type::FLOAT8),
        ];
        let rows = self.0.query(FIND, &params).await?;
        let payload = |row: &Row| Ok(column::<Option<&[u8]>>(row, 0)?.map(Bytes::copy_from_slice));
        rows.iter().map(payload).collect()
    }
}

fn letter(row: &Row) -> Result<Letter, Error> {
    Ok(Letter {
        device: DeviceId(column(row, 0)?),
        conversation: ConversationId(column(row, 1)?),
        id: CommandId(column(row, 2)?),
        payload: bytes(row, 3)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drivers::postgres::bench;

    klatch_ports::mailboxes_contract!({
        let place = bench::prepared(&SCHEMA).await;
        async move || Arc::new(Postgres::open(bench::at(&place)).await.unwrap())
    });

    #[tokio::test]
    async fn what_nobody_confirms_is_forgotten_in_the_end() {
        let place = bench::prepared(&SCHEMA).await;
        let (database, mailboxes) = (bench::at(&place), Postgres::open(bench::at(&place)).await.unwrap());
        let (device, conversation) = (DeviceId::from_bytes([1; 16]), ConversationId::from_bytes([2; 16]));
        let letter = |n: u8| Letter { device, conversation, id: CommandId::from_bytes([n; 16]), payload: Bytes::new() };
        mailboxes.put(vec![letter(3)]).await.unwrap();
        database.query("UPDATE mailboxes SET put_at = put_at - interval '30 days 1 minute'", &[]).await.unwrap();
        assert_eq!(mailboxes.waiting(device, 9).await.unwrap(), []);
        assert_eq!(mailboxes.devices(None, 9).await.unwrap(), []);
        assert_eq!(mailboxes.commands(conversation, 9).await.unwrap(), []);
        assert_eq!(mailboxes.find(conversation, &[(letter(3).id, device)]).await.unwrap(), [None]);
        mailboxes.put(vec![letter(4)]).await.unwrap();
        let rows = database.query("SELECT id FROM mailboxes", &[]).await.unwrap();
        assert_eq!(rows.len(), 1, "and takes no room");
    }
}
