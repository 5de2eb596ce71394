//! The versioned, compact format of what lies in the log and in the queues: Protocol Buffers, declared by hand in the modules
//! below so that each field's number stands beside its meaning. Numbers are never used again. Unknown fields are passed over;
//! an event of unknown kind says whether it may be.

mod body;
mod bundle;
mod command;
mod dead_letter;
mod event;
mod index;
mod live;
mod outcome;
mod overlay;
mod refusal;
mod snapshot;

use bytes::Bytes;
use klatch_core::ids::{Link, Seq, Timestamp, Uuid};

pub use body::{decode_body, encode_body};
pub use bundle::{decode_bundle, decode_mark, encode_bundle, encode_mark};
pub use command::Envelope;
pub use dead_letter::DeadLetter;
pub use event::{StoredEvent, decode_event, encode_event};
pub use index::{INDEX_BYTES, decode_index, encode_index};
pub use live::{Personal, SaidEvent, Signal};
pub use outcome::{Failure, Outcome, decode_outcomes, encode_outcomes};
pub use overlay::{decode_overlay, encode_overlay};
pub use refusal::Refusal;
pub use snapshot::{STATE_VERSION, decode_snapshot, encode_snapshot};

/// Bytes that do not follow the format.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Not a message of this kind.
    #[error("the bytes are no message of this kind")]
    Encoding(#[from] prost::DecodeError),
    /// A field that must be there is missing or out of range.
    #[error("the field {0} is missing or out of range")]
    Field(&'static str),
    /// Made by another version of the state.
    #[error("made by version {0} of the state")]
    Version(u32),
}

fn bytes_of(id: &Uuid) -> Bytes {
    Bytes::copy_from_slice(id.as_bytes())
}

fn uuid(bytes: &[u8], field: &'static str) -> Result<Uuid, Malformed> {
    Uuid::from_slice(bytes).map_err(|_| Malformed::Field(field))
}

/// A link to a message.
#[derive(Clone, PartialEq, prost::Message)]
struct LinkProto {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(uint64, tag = "2")]
    seq: u64,
}

impl LinkProto {
    fn of(link: Link) -> Self {
        Self { id: bytes_of(&link.id.0), seq: link.seq.0 }
    }

    fn link(&self) -> Result<Link, Malformed> {
        Ok(Link { id: klatch_core::ids::CommandId(uuid(&self.id, "link.id")?), seq: Seq(self.seq) })
    }
}

fn links(protos: &[LinkProto]) -> Result<Vec<Link>, Malformed> {
    protos.iter().map(LinkProto::link).collect()
}

fn users(ids: &[Bytes], field: &'static str) -> Result<Vec<klatch_core::ids::UserId>, Malformed> {
    ids.iter().map(|id| uuid(id, field).map(klatch_core::ids::UserId)).collect()
}

fn time(ms: Option<u64>) -> Option<Timestamp> {
    ms.map(Timestamp)
}
