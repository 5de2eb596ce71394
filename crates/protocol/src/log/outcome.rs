//! What became of a command, on its way back.

use bytes::Bytes;
use klatch_core::conversation::Rejection;
use klatch_core::ids::Seq;
use prost::Message as _;

use super::Malformed;

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is durable.
    Committed {
        /// Where.
        seq: Seq,
        /// Whether it took effect before.
        repeated: bool,
    },
    /// It took no effect.
    Rejected(Rejection),
    /// Nothing is known, or nothing was done: it is to be sent again.
    Failed(Failure),
}

/// Why a command was not decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The store is away, or took too long.
    Unavailable,
    /// The store takes no writes until an operator has looked.
    StorageFailed,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OutcomeProto {
    #[prost(uint64, tag = "1")]
    correlation: u64,
    /// 0 where it was not committed.
    #[prost(uint64, tag = "2")]
    seq: u64,
    #[prost(bool, tag = "3")]
    repeated: bool,
    /// The slug of the rejection, if any.
    #[prost(string, tag = "4")]
    rejected: String,
    #[prost(bool, tag = "5")]
    storage_failed: bool,
}

impl Outcome {
    /// The bytes, for the asker known by `correlation`.
    pub fn encode(&self, correlation: u64) -> Bytes {
        let mut proto = OutcomeProto { correlation, ..OutcomeProto::default() };
        match self {
            Self::Committed { seq, repeated } => (proto.seq, proto.repeated) = (seq.0, *repeated),
            Self::Rejected(rejection) => rejection.slug().clone_into(&mut proto.rejected),
            Self::Failed(failure) => proto.storage_failed = *failure == Failure::StorageFailed,
        }
        proto.encode_to_vec().into()
    }

    /// The asker and the outcome in these bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: Bytes) -> Result<(u64, Self), Malformed> {
        let proto = OutcomeProto::decode(bytes)?;
        let outcome = if proto.seq > 0 {
            Self::Committed { seq: Seq(proto.seq), repeated: proto.repeated }
        } else if !proto.rejected.is_empty() {
            Self::Rejected(Rejection::from_slug(&proto.rejected).ok_or(Malformed::Field("rejected"))?)
        } else if proto.storage_failed {
            Self::Failed(Failure::StorageFailed)
        } else {
            Self::Failed(Failure::Unavailable)
        };
        Ok((proto.correlation, outcome))
    }
}
