//! Snapshots: one per conversation, overwritten, in as many pieces as it needs. A piece says which save it is of, so that what two
//! saves left between them is no snapshot.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::event_log::Snapshot;
use rand::RngExt;

use super::CassandraEventLog;

/// Bytes of one piece.
const PIECE_BYTES: usize = 1 << 20;
/// What a piece begins with: which save, its seq, and how many pieces there are.
const PREFIX_BYTES: usize = 16 + 8 + 4;
/// Pieces of the largest snapshot that is read: 64 MiB.
const PIECES_MAX: usize = 64;

impl CassandraEventLog {
    pub(super) async fn write_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        let save: u128 = rand::rng().random();
        let count = snapshot.bytes.len().div_ceil(PIECE_BYTES).max(1);
        for at in 0..count {
            let piece = &snapshot.bytes[at * PIECE_BYTES..snapshot.bytes.len().min((at + 1) * PIECE_BYTES)];
            // In one cell, so that whichever of two writes wins, it wins as a whole.
            let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + piece.len());
            bytes.put_u128(save);
            bytes.put_u64(snapshot.seq.0);
            bytes.put_u32(count as u32);
            bytes.put_slice(piece);
            let values = (conversation.0, at as i32, bytes.freeze());
            self.database.write(&self.statements.save_snapshot, values).await?;
        }
        Ok(())
    }

    pub(super) async fn read_snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        let Some((head, mut bytes)) = self.piece(conversation, 0).await? else { return Ok(None) };
        for at in 1..head.count {
            match self.piece(conversation, at).await? {
                Some((other, piece)) if other == head => bytes.extend_from_slice(&piece),
                _ => return Ok(None),
            }
        }
        Ok(Some(Snapshot { seq: head.seq, bytes: bytes.freeze() }))
    }

    async fn piece(&self, conversation: ConversationId, at: usize) -> Result<Option<(Head, BytesMut)>, Error> {
        let key = (conversation.0, at as i32);
        let rows = self.database.rows::<(Bytes,)>(&self.statements.snapshot, key).await?;
        let Some((mut bytes,)) = rows.into_iter().next() else { return Ok(None) };
        if bytes.len() < PREFIX_BYTES {
            return Err(Error::corrupt("a snapshot is not as it was written"));
        }
        let head = Head { save: bytes.get_u128(), seq: Seq(bytes.get_u64()), count: bytes.get_u32() as usize };
        Ok((head.count <= PIECES_MAX).then(|| (head, bytes.into())))
    }
}

/// What the pieces of one save have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    save: u128,
    seq: Seq,
    count: usize,
}
