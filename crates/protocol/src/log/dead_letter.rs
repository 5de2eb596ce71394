//! What nobody could decide, as it waits for an operator. What people wrote stays sealed in it.

use bytes::Bytes;
use klatch_core::ids::{ConversationId, Timestamp};
use prost::Message as _;

use super::{Malformed, bytes_of, uuid};

/// LIMIT: bytes of a reason; the rest is cut off.
const REASON_BYTES_MAX: usize = 1_000;

/// A command that could not be decided, or something in a queue that is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// In which partition it waited.
    pub partition: u32,
    /// In which conversation, if it could be read so far.
    pub conversation: Option<ConversationId>,
    /// When it was given up.
    pub at: Timestamp,
    /// Why, for an operator.
    pub reason: String,
    /// What lay in the queue: an envelope, if it could be read.
    pub payload: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct DeadLetterProto {
    #[prost(uint32, tag = "1")]
    partition: u32,
    #[prost(bytes = "bytes", optional, tag = "2")]
    conversation: Option<Bytes>,
    #[prost(uint64, tag = "3")]
    at: u64,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(bytes = "bytes", tag = "5")]
    payload: Bytes,
}

impl DeadLetter {
    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let end = self.reason.floor_char_boundary(REASON_BYTES_MAX);
        let proto = DeadLetterProto {
            partition: self.partition,
            conversation: self.conversation.map(|id| bytes_of(&id.0)),
            at: self.at.0,
            reason: self.reason[..end].to_owned(),
            payload: self.payload.clone(),
        };
        proto.encode_to_vec().into()
    }

    /// The letter in these bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let proto = DeadLetterProto::decode(bytes)?;
        let conversation = proto.conversation.map(|id| uuid(&id, "conversation").map(ConversationId)).transpose()?;
        let DeadLetterProto { partition, at, reason, payload, .. } = proto;
        Ok(Self { partition, conversation, at: Timestamp(at), reason, payload })
    }
}
