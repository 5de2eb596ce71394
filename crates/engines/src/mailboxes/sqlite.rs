//! [`Mailboxes`] on SQLite, in the file of the directory, which knows the devices. **Embedded**: one process, one disk. What lies here came
//! with a site from its cluster, or was accepted by a broker's queue beside a log on this disk; what is too old goes when the directory is
//! pruned.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, DeviceId};
use klatch_ports::Error;
use klatch_ports::mailboxes::{KEPT_S, LETTERS_MAX, Letter, Mailboxes};
use rusqlite::{Connection, OptionalExtension, Result as Sql, Row, params};

use crate::directory;
use crate::drivers::sqlite::Database;
use crate::drivers::sqlite::Durability::Now;

const PUT: &str = "INSERT OR REPLACE INTO mailboxes (device, id, conversation, payload) VALUES (?1, ?2, ?3, ?4)";

/// The letters of a device beyond the newest.
const TRIM: &str = "
    DELETE FROM mailboxes WHERE device = ?1 AND (id, conversation) IN (
        SELECT id, conversation FROM mailboxes WHERE device = ?1 ORDER BY id DESC, conversation DESC LIMIT -1 OFFSET ?2)";

const WAITING: &str = "
    SELECT device, id, conversation, payload FROM mailboxes
    WHERE device = ?1 AND put_at >= unixepoch() - ?3 ORDER BY id, conversation LIMIT ?2";

const DEVICES: &str = "
    SELECT DISTINCT device FROM mailboxes
    WHERE (?1 IS NULL OR device > ?1) AND put_at >= unixepoch() - ?3 ORDER BY device LIMIT ?2";

const CONFIRM: &str = "DELETE FROM mailboxes WHERE device = ?1 AND id = ?2 AND conversation = ?3";

const COMMANDS: &str = "SELECT id FROM mailboxes WHERE conversation = ?1 AND put_at >= unixepoch() - ?3 LIMIT ?2";

const FIND: &str = "
    SELECT payload FROM mailboxes WHERE device = ?1 AND id = ?2 AND conversation = ?3 AND put_at >= unixepoch() - ?4";

/// The mailboxes in the file of a directory.
pub struct Sqlite(Arc<Database>);

impl Sqlite {
    /// The mailboxes beside this directory.
    pub fn beside(directory: &directory::sqlite::Sqlite) -> Self {
        Self(directory.database().clone())
    }
}

#[async_trait]
impl Mailboxes for Sqlite {
    fn is_durable(&self) -> bool {
        true
    }

    async fn put(&self, letters: Vec<Letter>) -> Result<(), Error> {
        if letters.is_empty() {
            return Ok(());
        }
        let job = move |db: &Connection| {
            for Letter { device, conversation, id, payload } in &letters {
                let values = params![device.as_bytes(), id.as_bytes(), conversation.as_bytes(), &payload[..]];
                db.prepare_cached(PUT)?.execute(values)?;
            }
            let mut devices: Vec<_> = letters.iter().map(|letter| letter.device).collect();
            devices.sort_unstable();
            devices.dedup();
            for device in devices {
                db.prepare_cached(TRIM)?.execute(params![device.as_bytes(), LETTERS_MAX])?;
            }
            Ok(())
        };
        self.0.write(Now, job).await
    }

    async fn waiting(&self, device: DeviceId, limit: usize) -> Result<Vec<Letter>, Error> {
        let job = move |db: &Connection| {
            db.prepare_cached(WAITING)?.query_map(params![device.as_bytes(), limit, KEPT_S], letter)?.collect()
        };
        self.0.read(job).await
    }

    async fn devices(&self, after: Option<DeviceId>, limit: usize) -> Result<Vec<DeviceId>, Error> {
        let job = move |db: &Connection| {
            let after = after.as_ref().map(|device| device.as_bytes().as_slice());
            let device = |row: &Row<'_>| Ok(DeviceId::from_bytes(row.get(0)?));
            db.prepare_cached(DEVICES)?.query_map(params![after, limit, KEPT_S], device)?.collect()
        };
        self.0.read(job).await
    }

    async fn confirm(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error> {
        if commands.is_empty() {
            return Ok(());
        }
        let commands = commands.to_vec();
        let job = move |db: &Connection| {
            for (conversation, id) in &commands {
                db.prepare_cached(CONFIRM)?.execute([device.as_bytes(), id.as_bytes(), conversation.as_bytes()])?;
            }
            Ok(())
        };
        self.0.write(Now, job).await
    }

    async fn commands(&self, conversation: ConversationId, limit: usize) -> Result<Vec<CommandId>, Error> {
        let job = move |db: &Connection| {
            let id = |row: &Row<'_>| Ok(CommandId::from_bytes(row.get(0)?));
            db.prepare_cached(COMMANDS)?.query_map(params![conversation.as_bytes(), limit, KEPT_S], id)?.collect()
        };
        self.0.read(job).await
    }

    async fn find(
        &self,
        conversation: ConversationId,
        asked: &[(CommandId, DeviceId)],
    ) -> Result<Vec<Option<Bytes>>, Error> {
        let asked = asked.to_vec();
        let job = move |db: &Connection| {
            let find = |(id, device): &(CommandId, DeviceId)| {
                let values = params![device.as_bytes(), id.as_bytes(), conversation.as_bytes(), KEPT_S];
                db.prepare_cached(FIND)?.query_row(values, |row| bytes(row, 0)).optional()
            };
            asked.iter().map(find).collect()
        };
        self.0.read(job).await
    }
}

fn letter(row: &Row<'_>) -> Sql<Letter> {
    Ok(Letter {
        device: DeviceId::from_bytes(row.get(0)?),
        id: CommandId::from_bytes(row.get(1)?),
        conversation: ConversationId::from_bytes(row.get(2)?),
        payload: bytes(row, 3)?,
    })
}

fn bytes(row: &Row<'_>, column: usize) -> Sql<Bytes> {
    Ok(row.get::<_, Vec<u8>>(column)?.into())
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use klatch_core::ids::Timestamp;
    use klatch_ports::directory::Directory;
    use rusqlite::params;
    use tempfile::TempDir;

    use super::*;
    use crate::drivers::sqlite::as_if_it_died;

    fn at(folder: &TempDir) -> Sqlite {
        Sqlite::beside(&directory::sqlite::Sqlite::open(&folder.path().join("directory.db")).unwrap())
    }

    klatch_ports::mailboxes_contract!({
        let folder = TempDir::new().unwrap();
        async move || Arc::new(at(&folder))
    });

    fn letter(n: u8) -> Letter {
        let (device, conversation) = (DeviceId::from_bytes([1; 16]), ConversationId::from_bytes([2; 16]));
        Letter { device, conversation, id: CommandId::from_bytes([n; 16]), payload: Bytes::from_static(b"no") }
    }

    #[tokio::test]
    async fn what_was_put_is_there_after_dying() {
        let folder = TempDir::new().unwrap();
        let mailboxes = at(&folder);
        mailboxes.put(vec![letter(3)]).await.unwrap();
        let dead = as_if_it_died(folder.path());
        assert_eq!(at(&dead).waiting(letter(3).device, 9).await.unwrap(), [letter(3)]);
    }

    #[tokio::test]
    async fn what_nobody_confirms_is_forgotten_in_the_end() {
        let folder = TempDir::new().unwrap();
        let directory = directory::sqlite::Sqlite::open(&folder.path().join("directory.db")).unwrap();
        let mailboxes = Sqlite::beside(&directory);
        mailboxes.put(vec![letter(3)]).await.unwrap();
        let age =
            |db: &Connection| db.execute("UPDATE mailboxes SET put_at = put_at - ?1", params![KEPT_S + 60]).map(drop);
        mailboxes.0.write(Now, age).await.unwrap();
        let Letter { device, conversation, id, .. } = letter(3);
        assert_eq!(mailboxes.waiting(device, 9).await.unwrap(), []);
        assert_eq!(mailboxes.devices(None, 9).await.unwrap(), []);
        assert_eq!(mailboxes.commands(conversation, 9).await.unwrap(), []);
        assert_eq!(mailboxes.find(conversation, &[(id, device)]).await.unwrap(), [None]);
        mailboxes.put(vec![letter(4)]).await.unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        directory.prune(Timestamp(now.as_millis() as u64)).await.unwrap();
        let rows = |db: &Connection| db.query_row("SELECT count(*) FROM mailboxes", [], |row| row.get::<_, u64>(0));
        assert_eq!(mailboxes.0.read(rows).await.unwrap(), 1, "and takes no room");
    }
}
