//! Records too large for a conditional write: head and body in pieces, in a partition of the append's own, written before it. They
//! count once a row of the log names the append; nothing there is ever written twice but to be emptied.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use klatch_core::ids::Uuid;
use klatch_ports::Error;

use super::read::Row;
use super::writing::{PARTS_BYTES_MAX, Writing};
use super::{CassandraEventLog, stored};
use crate::drivers::cassandra::Bound;

/// Bytes of one part.
const PART_BYTES: usize = 256 * 1024;
/// Writes of parts that are under way at a time.
const PARTS_CONCURRENT_MAX: usize = 4;

pub const HEAD: i8 = 0;
pub const BODY: i8 = 1;

impl CassandraEventLog {
    pub(super) async fn write_parts(&self, writing: &Writing) -> Result<(), Error> {
        let mut writes: Vec<Vec<Bound>> = vec![Vec::new()];
        let mut bytes = 0;
        for (new, _) in writing.records.iter().zip(&writing.large).filter(|(_, is_large)| **is_large) {
            for (field, content) in [(HEAD, &new.record.head), (BODY, &new.record.body)] {
                for (part, piece) in (0i32..).zip(content.chunks(PART_BYTES)) {
                    if bytes + piece.len() > PARTS_BYTES_MAX {
                        writes.push(Vec::new());
                        bytes = 0;
                    }
                    bytes += piece.len();
                    let values = (writing.append, stored(new.record.seq), field, part, content.slice_ref(piece), 1i64);
                    let last = writes.last_mut().expect("there is a first");
                    last.push((self.statements.put_part.clone(), Box::new(values)));
                }
            }
        }
        let mut under_way = Vec::with_capacity(writes.len());
        for write in writes {
            under_way.push(self.database.write_all(write));
        }
        stream::iter(under_way).buffer_unordered(PARTS_CONCURRENT_MAX).try_collect().await
    }

    /// Forgets the parts of an append that did not come about.
    pub(super) async fn drop_parts(&self, append: Uuid) -> Result<(), Error> {
        self.database.write(&self.statements.drop_parts, (append,)).await
    }

    /// Empties what was a body.
    pub(super) async fn empty_parts(&self, append: Uuid, seq: i64) -> Result<(), Error> {
        let parts = self.database.rows::<(i32,)>(&self.statements.parts_of, (append, seq, BODY)).await?;
        let empty = |(part,): (i32,)| -> Bound {
            (self.statements.put_part.clone(), Box::new((append, seq, BODY, part, Bytes::new(), 2i64)))
        };
        if parts.is_empty() {
            return Ok(());
        }
        self.database.write_all(parts.into_iter().map(empty).collect()).await
    }

    /// Puts heads and bodies into rows that lie in parts. Nothing, if a body was erased after its row was read.
    pub(super) async fn fill(&self, rows: &mut [Row]) -> Result<Option<()>, Error> {
        // As many statements as there are appends with records in parts.
        for rows in rows.chunk_by_mut(|one, other| one.append == other.append) {
            let large = || rows.iter().filter(|row| row.head_bytes.is_some()).map(|row| row.seq);
            let (Some(first), Some(last)) = (large().min(), large().max()) else { continue };
            let key = (rows[0].append, first, last);
            let parts = self.database.rows::<(i64, i8, Bytes)>(&self.statements.parts, key).await?;
            let mut contents: HashMap<(i64, i8), BytesMut> = HashMap::new();
            for (seq, field, bytes) in parts {
                contents.entry((seq, field)).or_default().extend_from_slice(&bytes);
            }
            for row in rows.iter_mut().filter(|row| row.head_bytes.is_some()) {
                let mut content = |field| contents.remove(&(row.seq, field)).unwrap_or_default().freeze();
                let (head, body) = (content(HEAD), content(BODY));
                let length = |bytes: Option<i32>| usize::try_from(bytes.unwrap_or(0)).map_err(Error::corrupt);
                let (head_bytes, body_bytes) = (length(row.head_bytes)?, length(row.body_bytes)?);
                // What is erased counts nothing, even where its parts are still there.
                row.body = Some(if body_bytes == 0 { Bytes::new() } else { body });
                row.head = Some(head);
                if row.head().len() != head_bytes || row.body().len() != body_bytes {
                    return Ok(None);
                }
            }
        }
        Ok(Some(()))
    }
}
