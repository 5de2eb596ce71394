//! Commands that go through the queue in one message: each costs a broker as much as it costs to carry it.

use bytes::Bytes;
use prost::Message as _;
use prost::encoding::{WireType, encode_key};

use super::Malformed;

/// The number of the field is none of an envelope's, all of which begin with their first field: so a command by itself needs no bundle.
const COMMAND: u32 = 15;
/// Nor is that of a mark.
const MARK: u32 = 14;

#[derive(Clone, PartialEq, prost::Message)]
struct BundleProto {
    #[prost(bytes = "bytes", repeated, tag = "15")]
    commands: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MarkProto {
    #[prost(uint64, tag = "14")]
    attempt: u64,
}

/// These commands as one message, in their order: a single one as it is.
pub fn encode_bundle(commands: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(commands) {
        Ok([command]) => command,
        Err(commands) => BundleProto { commands }.encode_to_vec().into(),
    }
}

/// The commands in a message.
///
/// # Errors
/// [`Malformed`]: it is a bundle, and cannot be read.
pub fn decode_bundle(message: Bytes) -> Result<Vec<Bytes>, Malformed> {
    match begins_with(&message, COMMAND, WireType::LengthDelimited) {
        true => Ok(BundleProto::decode(message)?.commands),
        false => Ok(vec![message]),
    }
}

/// No command, but a mark in a queue: once it is reached, whatever was sent before this attempt to change partitions is decided.
pub fn encode_mark(attempt: u64) -> Bytes {
    MarkProto { attempt }.encode_to_vec().into()
}

/// The attempt of a mark, if the message is one.
pub fn decode_mark(message: &Bytes) -> Option<u64> {
    let is_mark = begins_with(message, MARK, WireType::Varint);
    is_mark.then(|| MarkProto::decode(message.clone()).ok()).flatten().map(|mark| mark.attempt)
}

fn begins_with(message: &Bytes, field: u32, wire: WireType) -> bool {
    // The keys of these fields are a byte each.
    let mut first = [0];
    encode_key(field, wire, &mut first.as_mut_slice());
    message.starts_with(&first)
}
