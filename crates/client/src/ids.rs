//! Ids for commands.

use uuid::Uuid;

/// A new UUIDv7 (RFC 9562): the time, then chance; later ones sort after earlier ones.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
