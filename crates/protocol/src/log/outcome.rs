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
    /// Those that follow, of other commands. Who does not know of them looks for them in the log.
    #[prost(message, repeated, tag = "6")]
    following: Vec<OutcomeProto>,
}

/// What became of several commands, each known to its asker by a number.
pub fn encode_outcomes(outcomes: &[(u64, Outcome)]) -> Bytes {
    let mut all = outcomes.iter().map(|(correlation, outcome)| outcome.proto(*correlation));
    let mut first = all.next().unwrap_or_default();
    first.following = all.collect();
    first.encode_to_vec().into()
}

/// The outcomes in these bytes, each with its asker.
///
/// # Errors
/// [`Malformed`].
pub fn decode_outcomes(bytes: Bytes) -> Result<Vec<(u64, Outcome)>, Malformed> {
    let mut first = OutcomeProto::decode(bytes)?;
    let following = std::mem::take(&mut first.following);
    [first].into_iter().chain(following).map(|proto| Ok((proto.correlation, Outcome::of(&proto)?))).collect()
}

impl Outcome {
    fn proto(&self, correlation: u64) -> OutcomeProto {
        let mut proto = OutcomeProto { correlation, ..OutcomeProto::default() };
        match self {
            Self::Committed { seq, repeated } => (proto.seq, proto.repeated) = (seq.0, *repeated),
            Self::Rejected(rejection) => rejection.slug().clone_into(&mut proto.rejected),
            Self::Failed(failure) => proto.storage_failed = *failure == Failure::StorageFailed,
        }
        proto
    }

    fn of(proto: &OutcomeProto) -> Result<Self, Malformed> {
        Ok(if proto.seq > 0 {
            Self::Committed { seq: Seq(proto.seq), repeated: proto.repeated }
        } else if !proto.rejected.is_empty() {
            Self::Rejected(Rejection::from_slug(&proto.rejected).ok_or(Malformed::Field("rejected"))?)
        } else if proto.storage_failed {
            Self::Failed(Failure::StorageFailed)
        } else {
            Self::Failed(Failure::Unavailable)
        })
    }
}
