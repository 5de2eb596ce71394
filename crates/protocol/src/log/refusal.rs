//! What a mailbox keeps: that a command was refused after it had been accepted.

use bytes::Bytes;
use klatch_core::conversation::{CommandHash, Rejection};
use klatch_core::ids::UserId;
use prost::Message as _;

use super::{Malformed, bytes_of, uuid};

/// A command was refused after it had been accepted: whoever sends it again hears the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Whose command.
    pub author: UserId,
    /// What it said, as the index of the log knows it.
    pub hash: CommandHash,
    /// Why.
    pub rejection: Rejection,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RefusalProto {
    #[prost(bytes = "bytes", tag = "1")]
    author: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    hash: Bytes,
    /// The slug of the rejection.
    #[prost(string, tag = "3")]
    rejection: String,
}

impl Refusal {
    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let proto = RefusalProto {
            author: bytes_of(&self.author.0),
            hash: Bytes::copy_from_slice(&self.hash),
            rejection: self.rejection.slug().to_owned(),
        };
        proto.encode_to_vec().into()
    }

    /// The refusal in these bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let proto = RefusalProto::decode(bytes)?;
        Ok(Self {
            author: UserId(uuid(&proto.author, "author")?),
            hash: proto.hash.as_ref().try_into().map_err(|_| Malformed::Field("hash"))?,
            rejection: Rejection::from_slug(&proto.rejection).ok_or(Malformed::Field("rejection"))?,
        })
    }
}
