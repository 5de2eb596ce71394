//! A row of the overlay as bytes.

use bytes::Bytes;
use klatch_core::conversation::{Edit, Mark, Overlay, Reaction};
use klatch_core::ids::{Seq, Timestamp, UserId};
use prost::Message as _;

use super::{Malformed, bytes_of, users, uuid};

#[derive(Clone, PartialEq, prost::Message)]
struct OverlayProto {
    #[prost(uint64, tag = "1")]
    as_of: u64,
    #[prost(message, repeated, tag = "2")]
    edits: Vec<EditProto>,
    #[prost(message, optional, tag = "3")]
    deleted: Option<MarkProto>,
    #[prost(message, repeated, tag = "4")]
    reactions: Vec<ReactionProto>,
    #[prost(message, optional, tag = "5")]
    pinned: Option<MarkProto>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct EditProto {
    #[prost(uint64, tag = "1")]
    seq: u64,
    #[prost(uint64, tag = "2")]
    at: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MarkProto {
    #[prost(uint64, tag = "1")]
    seq: u64,
    #[prost(uint64, tag = "2")]
    at: u64,
    #[prost(bytes = "bytes", tag = "3")]
    by: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReactionProto {
    #[prost(string, tag = "1")]
    emoji: String,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    users: Vec<Bytes>,
}

/// The bytes of a row.
pub fn encode_overlay(overlay: &Overlay) -> Bytes {
    let mark = |mark: &Mark| MarkProto { seq: mark.seq.0, at: mark.at.0, by: bytes_of(&mark.by.0) };
    let reaction = |reaction: &Reaction| ReactionProto {
        emoji: reaction.emoji.clone(),
        users: reaction.users.iter().map(|user| bytes_of(&user.0)).collect(),
    };
    let proto = OverlayProto {
        as_of: overlay.as_of.0,
        edits: overlay.edits.iter().map(|edit| EditProto { seq: edit.seq.0, at: edit.at.0 }).collect(),
        deleted: overlay.deleted.as_ref().map(mark),
        reactions: overlay.reactions.iter().map(reaction).collect(),
        pinned: overlay.pinned.as_ref().map(mark),
    };
    proto.encode_to_vec().into()
}

/// The row in these bytes.
///
/// # Errors
/// [`Malformed`].
pub fn decode_overlay(bytes: Bytes) -> Result<Overlay, Malformed> {
    let proto = OverlayProto::decode(bytes)?;
    let mark = |mark: MarkProto| -> Result<Mark, Malformed> {
        Ok(Mark { seq: Seq(mark.seq), at: Timestamp(mark.at), by: UserId(uuid(&mark.by, "by")?) })
    };
    let reaction = |reaction: ReactionProto| -> Result<Reaction, Malformed> {
        Ok(Reaction { users: users(&reaction.users, "users")?, emoji: reaction.emoji })
    };
    Ok(Overlay {
        as_of: Seq(proto.as_of),
        edits: proto.edits.iter().map(|edit| Edit { seq: Seq(edit.seq), at: Timestamp(edit.at) }).collect(),
        deleted: proto.deleted.map(mark).transpose()?,
        reactions: proto.reactions.into_iter().map(reaction).collect::<Result<_, _>>()?,
        pinned: proto.pinned.map(mark).transpose()?,
    })
}
