//! What a message says, before it is sealed: a tagged union with room for what comes later.

use prost::Message as _;

use super::Malformed;
use crate::objects::Body;

#[derive(Clone, PartialEq, prost::Message)]
struct BodyProto {
    #[prost(oneof = "KindProto", tags = "1, 2")]
    kind: Option<KindProto>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum KindProto {
    #[prost(message, tag = "1")]
    Text(TextProto),
    #[prost(message, tag = "2")]
    Notice(TextProto),
}

#[derive(Clone, PartialEq, prost::Message)]
struct TextProto {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(bool, tag = "2")]
    emote: bool,
}

/// The bytes of a body.
pub fn encode_body(body: &Body) -> Vec<u8> {
    let kind = match body {
        Body::Text { text, emote } => Some(KindProto::Text(TextProto { text: text.clone(), emote: *emote })),
        Body::Notice { text } => Some(KindProto::Notice(TextProto { text: text.clone(), emote: false })),
        Body::Unsupported => None,
    };
    BodyProto { kind }.encode_to_vec()
}

/// The body in these bytes; [`Body::Unsupported`] where a later version made it.
///
/// # Errors
/// [`Malformed`].
pub fn decode_body(bytes: &[u8]) -> Result<Body, Malformed> {
    Ok(match BodyProto::decode(bytes)?.kind {
        Some(KindProto::Text(proto)) => Body::Text { text: proto.text, emote: proto.emote },
        Some(KindProto::Notice(proto)) => Body::Notice { text: proto.text },
        None => Body::Unsupported,
    })
}
