//! The tables of the log, and what is asked of them.

use klatch_ports::Error;
use scylla::statement::prepared::PreparedStatement;

use crate::drivers::cassandra::{Database, Level, Schema};

/// The tables of the log.
pub const SCHEMA: Schema = Schema {
    name: "event_log",
    migrations: &[
        // `append` is the random id of the append that wrote the row; `head_bytes` is there where head and body lie in `parts`.
        "CREATE TABLE IF NOT EXISTS KS.log (conversation uuid, bucket bigint, tail bigint static, seq bigint, append uuid, id uuid,
            answer blob, head blob, body blob, head_bytes int, body_bytes int, PRIMARY KEY ((conversation, bucket), seq))",
        "CREATE TABLE IF NOT EXISTS KS.parts (append uuid, seq bigint, field tinyint, part int, bytes blob,
            PRIMARY KEY (append, seq, field, part))",
        "CREATE TABLE IF NOT EXISTS KS.ids (conversation uuid, period int, id uuid, seq bigint,
            PRIMARY KEY ((conversation, period), id, seq))",
        // Ids as blobs: Cassandra sorts UUIDs by other things first.
        "CREATE TABLE IF NOT EXISTS KS.conversations (prefix int, conversation blob, bucket bigint,
            PRIMARY KEY (prefix, conversation))",
        "CREATE TABLE IF NOT EXISTS KS.prefixes (log tinyint, prefix int, PRIMARY KEY (log, prefix))",
        "CREATE TABLE IF NOT EXISTS KS.snapshots (conversation uuid, part int, bytes blob, PRIMARY KEY (conversation, part))",
    ],
};

macro_rules! statements {
    ($($name:ident: $level:ident, $text:expr;)+) => {
        /// What is asked, prepared.
        pub struct Statements {
            $(pub $name: PreparedStatement,)+
        }

        impl Statements {
            /// Prepares all of them.
            ///
            /// # Errors
            /// `Broken`: the tables are others; `Unavailable`.
            pub async fn prepare(database: &Database) -> Result<Self, Error> {
                Ok(Self { $($name: database.prepare($text, Level::$level).await?,)+ })
            }
        }
    };
}

statements! {
    set_tail: Conditional, "UPDATE KS.log SET tail = ? WHERE conversation = ? AND bucket = ? IF tail = ?";
    insert: Conditional, "INSERT INTO KS.log (conversation, bucket, seq, append, id, answer, head, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    insert_large: Conditional, "INSERT INTO KS.log (conversation, bucket, seq, append, id, answer, head_bytes, body_bytes)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    erase: Conditional, "UPDATE KS.log SET body = 0x, body_bytes = 0 WHERE conversation = ? AND bucket = ? AND seq = ?
        IF EXISTS";
    author: Serial, "SELECT append FROM KS.log WHERE conversation = ? AND bucket = ? AND seq = ?";
    tail_serial: Serial, "SELECT tail FROM KS.log WHERE conversation = ? AND bucket = ? LIMIT 1";
    tail_majority: Majority, "SELECT tail FROM KS.log WHERE conversation = ? AND bucket = ? LIMIT 1";
    range: Majority, "SELECT seq, append, id, answer, head, body, head_bytes, body_bytes FROM KS.log
        WHERE conversation = ? AND bucket = ? AND seq >= ? LIMIT ?";
    rows_at: Majority, "SELECT seq, append, id, answer, head, body, head_bytes, body_bytes FROM KS.log
        WHERE conversation = ? AND bucket = ? AND seq IN ?";
    // The time of a part is no clock's: 1 when it is written, 2 when it is gone. So no clock can bring it back.
    put_part: Repeatable, "INSERT INTO KS.parts (append, seq, field, part, bytes) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?";
    drop_parts: Repeatable, "DELETE FROM KS.parts USING TIMESTAMP 2 WHERE append = ?";
    parts: Majority, "SELECT seq, field, bytes FROM KS.parts WHERE append = ? AND seq >= ? AND seq <= ?";
    parts_of: Majority, "SELECT part FROM KS.parts WHERE append = ? AND seq = ? AND field = ?";
    note_place: Repeatable, "INSERT INTO KS.ids (conversation, period, id, seq) VALUES (?, ?, ?, ?)";
    places: Majority, "SELECT seq FROM KS.ids WHERE conversation = ? AND period = ? AND id IN ?";
    // The time of a note is its bucket: a later bucket wins, whatever clocks say.
    note_conversation: Repeatable, "INSERT INTO KS.conversations (prefix, conversation, bucket) VALUES (?, ?, ?)
        USING TIMESTAMP ?";
    note_prefix: Repeatable, "INSERT INTO KS.prefixes (log, prefix) VALUES (0, ?)";
    noted_bucket: Majority, "SELECT bucket FROM KS.conversations WHERE prefix = ? AND conversation = ?";
    prefixes: Majority, "SELECT prefix FROM KS.prefixes WHERE log = 0 AND prefix >= ? LIMIT ?";
    conversations: Majority, "SELECT conversation, bucket FROM KS.conversations WHERE prefix = ? AND conversation > ? LIMIT ?";
    save_snapshot: Repeatable, "INSERT INTO KS.snapshots (conversation, part, bytes) VALUES (?, ?, ?)";
    snapshot: Majority, "SELECT bytes FROM KS.snapshots WHERE conversation = ? AND part = ?";
}
