//! [`Mailboxes`] on Cassandra or ScyllaDB, beside the log. **Distributed**: any number of processes write it.
//!
//! A letter stands in two tables, by its device and by its conversation; whoever puts it is told `Ok` when it is in both, and puts it again
//! otherwise. It ends by its time to live, or when it is confirmed; both leave a mark for [`GRACE_S`], over which a read passes. There are
//! few: what took effect is in the log, so these are refusals.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, DeviceId, Uuid};
use klatch_ports::Error;
use klatch_ports::mailboxes::{KEPT_S, LETTERS_MAX, Letter, Mailboxes};
use scylla::statement::prepared::PreparedStatement;

use crate::drivers::cassandra::{Bound, Database, Level, Schema};

/// The tables of the mailboxes. Commands are ordered by their bytes, as a `uuid` is not.
pub const SCHEMA: Schema = Schema {
    name: "mailboxes",
    migrations: &[
        "CREATE TABLE IF NOT EXISTS KS.mailbox_devices (device uuid, id blob, conversation uuid, payload blob,
        PRIMARY KEY (device, id, conversation)) WITH default_time_to_live = 2592000 AND gc_grace_seconds = 86400",
        "CREATE TABLE IF NOT EXISTS KS.mailbox_conversations (conversation uuid, id blob, device uuid, payload blob,
        PRIMARY KEY (conversation, id, device)) WITH default_time_to_live = 2592000 AND gc_grace_seconds = 86400",
    ],
};

/// For how long a letter that ended leaves a mark: seconds. Longer than a node may be away and still be told of it.
const GRACE_S: u32 = 86_400;
const _: () = assert!(KEPT_S == 2_592_000 && GRACE_S == 86_400, "as the tables say");
/// Letters that one batch writes.
const BATCH: usize = 50;

/// The mailboxes in a keyspace.
pub struct CassandraMailboxes {
    database: Database,
    put: [PreparedStatement; 2],
    remove: [PreparedStatement; 2],
    waiting: PreparedStatement,
    newest: PreparedStatement,
    devices: [PreparedStatement; 2],
    commands: PreparedStatement,
    find: PreparedStatement,
}

impl CassandraMailboxes {
    /// The mailboxes in this keyspace, which `migrate` has prepared with [`SCHEMA`].
    ///
    /// # Errors
    /// `Broken`: it is not prepared, or by a later version; `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        use Level::{Majority, Repeatable};
        database.expect(&SCHEMA).await?;
        let put = [
            "INSERT INTO KS.mailbox_devices (device, id, conversation, payload) VALUES (?, ?, ?, ?)",
            "INSERT INTO KS.mailbox_conversations (device, id, conversation, payload) VALUES (?, ?, ?, ?)",
        ];
        let remove = [
            "DELETE FROM KS.mailbox_devices WHERE device = ? AND id = ? AND conversation = ?",
            "DELETE FROM KS.mailbox_conversations WHERE device = ? AND id = ? AND conversation = ?",
        ];
        let waiting = "SELECT id, conversation, payload FROM KS.mailbox_devices WHERE device = ? LIMIT ?";
        let newest = "SELECT id, conversation FROM KS.mailbox_devices WHERE device = ? ORDER BY id DESC, conversation DESC LIMIT ?";
        let devices = [
            "SELECT DISTINCT device FROM KS.mailbox_devices LIMIT ?",
            "SELECT DISTINCT device FROM KS.mailbox_devices WHERE token(device) > token(?) LIMIT ?",
        ];
        let find = "SELECT payload FROM KS.mailbox_conversations WHERE conversation = ? AND id = ? AND device = ?";
        let commands = "SELECT id FROM KS.mailbox_conversations WHERE conversation = ? LIMIT ?";
        Ok(Self {
            put: [database.prepare(put[0], Repeatable).await?, database.prepare(put[1], Repeatable).await?],
            remove: [database.prepare(remove[0], Repeatable).await?, database.prepare(remove[1], Repeatable).await?],
            waiting: database.prepare(waiting, Majority).await?,
            newest: database.prepare(newest, Majority).await?,
            devices: [database.prepare(devices[0], Majority).await?, database.prepare(devices[1], Majority).await?],
            commands: database.prepare(commands, Majority).await?,
            find: database.prepare(find, Majority).await?,
            database,
        })
    }

    async fn remove(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error> {
        for some in commands.chunks(BATCH) {
            let both = some.iter().flat_map(|(conversation, id)| {
                self.remove.iter().map(|remove| -> Bound {
                    (remove.clone(), Box::new((device.0, Bytes::copy_from_slice(id.as_bytes()), conversation.0)))
                })
            });
            self.database.write_all(both.collect()).await?;
        }
        Ok(())
    }

    /// Forgets what a device has too much of. A put adds at most as many as are looked at beyond the limit.
    async fn trim(&self, device: DeviceId, added: usize) -> Result<(), Error> {
        let limit = i32::try_from(LETTERS_MAX + added).map_err(Error::corrupt)?;
        let newest = self.database.rows::<(Bytes, Uuid)>(&self.newest, (device.0, limit)).await?;
        let surplus = newest.into_iter().skip(LETTERS_MAX);
        let surplus = surplus.map(|(id, conversation)| Ok((ConversationId(conversation), command(&id)?)));
        self.remove(device, &surplus.collect::<Result<Vec<_>, Error>>()?).await
    }
}

#[async_trait]
impl Mailboxes for CassandraMailboxes {
    fn is_durable(&self) -> bool {
        true
    }

    async fn put(&self, letters: Vec<Letter>) -> Result<(), Error> {
        for some in letters.chunks(BATCH) {
            // Writes of one batch have one time, and then not the last counts but the greatest.
            let last = |(at, letter): &(usize, &Letter)| {
                !some[at + 1..].iter().any(|later| {
                    (later.device, later.id, later.conversation) == (letter.device, letter.id, letter.conversation)
                })
            };
            let both = some.iter().enumerate().filter(last).flat_map(|(_, letter)| {
                let Letter { device, conversation, id, payload } = letter;
                self.put.iter().map(move |put| -> Bound {
                    let id = Bytes::copy_from_slice(id.as_bytes());
                    (put.clone(), Box::new((device.0, id, conversation.0, payload.clone())))
                })
            });
            self.database.write_all(both.collect()).await?;
        }
        let mut devices: Vec<_> = letters.iter().map(|letter| letter.device).collect();
        devices.sort_unstable();
        devices.dedup();
        for device in devices {
            self.trim(device, letters.len()).await?;
        }
        Ok(())
    }

    async fn waiting(&self, device: DeviceId, limit: usize) -> Result<Vec<Letter>, Error> {
        let limit = i32::try_from(limit).map_err(Error::corrupt)?;
        let rows = self.database.rows::<(Bytes, Uuid, Bytes)>(&self.waiting, (device.0, limit)).await?;
        let letter = |(id, conversation, payload): (Bytes, Uuid, Bytes)| {
            Ok(Letter { device, conversation: ConversationId(conversation), id: command(&id)?, payload })
        };
        rows.into_iter().map(letter).collect()
    }

    async fn devices(&self, after: Option<DeviceId>, limit: usize) -> Result<Vec<DeviceId>, Error> {
        let (limit, [first, further]) = (i32::try_from(limit).map_err(Error::corrupt)?, &self.devices);
        let rows = match after {
            None => self.database.rows::<(Uuid,)>(first, (limit,)).await?,
            Some(after) => self.database.rows(further, (after.0, limit)).await?,
        };
        Ok(rows.into_iter().map(|(device,)| DeviceId(device)).collect())
    }

    async fn confirm(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error> {
        self.remove(device, commands).await
    }

    async fn commands(&self, conversation: ConversationId, limit: usize) -> Result<Vec<CommandId>, Error> {
        let limit = i32::try_from(limit).map_err(Error::corrupt)?;
        let rows = self.database.rows::<(Bytes,)>(&self.commands, (conversation.0, limit)).await?;
        rows.iter().map(|(id,)| command(id)).collect()
    }

    async fn find(
        &self,
        conversation: ConversationId,
        asked: &[(CommandId, DeviceId)],
    ) -> Result<Vec<Option<Bytes>>, Error> {
        let mut found = Vec::with_capacity(asked.len());
        for (id, device) in asked {
            let values = (conversation.0, Bytes::copy_from_slice(id.as_bytes()), device.0);
            let rows = self.database.rows::<(Bytes,)>(&self.find, values).await?;
            found.push(rows.into_iter().next().map(|(payload,)| payload));
        }
        Ok(found)
    }
}

fn command(bytes: &[u8]) -> Result<CommandId, Error> {
    CommandId::from_slice(bytes).ok_or_else(|| Error::corrupt("the id of a command has not sixteen bytes"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drivers::cassandra::bench;

    klatch_ports::mailboxes_contract!({
        let place = bench::prepared(&SCHEMA).await;
        async move || Arc::new(CassandraMailboxes::open(bench::open(&place).await).await.unwrap())
    });
}
