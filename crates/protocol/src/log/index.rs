//! What the index id → event holds: forty-one bytes, read for every command that the window does not know.

use bytes::Bytes;
use klatch_core::conversation::Remembered;
use klatch_core::ids::{Seq, UserId};

use super::Malformed;

/// Bytes of an entry: seq (big endian), author, hash, flags.
pub const INDEX_BYTES: usize = 8 + 16 + 16 + 1;

/// The bytes of an entry.
pub fn encode_index(remembered: &Remembered) -> Bytes {
    let mut bytes = Vec::with_capacity(INDEX_BYTES);
    bytes.extend_from_slice(&remembered.seq.0.to_be_bytes());
    bytes.extend_from_slice(remembered.author.as_bytes());
    bytes.extend_from_slice(&remembered.hash);
    bytes.push(u8::from(remembered.is_message));
    bytes.into()
}

/// The entry in these bytes.
///
/// # Errors
/// [`Malformed`] if they are too few.
pub fn decode_index(bytes: &[u8]) -> Result<Remembered, Malformed> {
    let short = || Malformed::Field("index");
    let (seq, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let (author, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
    let (hash, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
    let flags = rest.first().ok_or_else(short)?;
    Ok(Remembered {
        seq: Seq(u64::from_be_bytes(*seq)),
        author: UserId::from_bytes(*author),
        hash: *hash,
        is_message: flags & 1 == 1,
    })
}
