//! Events as they lie in one message of a queue: a version (1 byte), then one event after the other: conversation (16 bytes), seq (8), id
//! (16), length of the head (4), length of the body (4), head, body. Numbers are big-endian.
//!
//! What is published together travels together: a broker has as much work with an event as with a bundle of them.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::event_log::Record;
use klatch_ports::{Error, ErrorKind};

const VERSION: u8 = 2;
/// Bytes of an event before its head.
const FRONT: usize = 16 + 8 + 16 + 4 + 4;
/// LIMIT: events in a message.
pub const EVENTS_MAX: usize = 16;
/// LIMIT: bytes of a message, but for an event that has more by itself.
const BYTES_MAX: usize = 32 * 1024;

/// Messages that hold these events, in their order.
///
/// # Errors
/// `Broken`: one of them is larger than anything may be.
pub fn encode<'a>(events: impl IntoIterator<Item = (ConversationId, &'a Record)>) -> Result<Vec<Bytes>, Error> {
    let (mut messages, mut message, mut count) = (Vec::new(), BytesMut::new(), 0);
    for (conversation, record) in events {
        let bytes = FRONT + record.head.len() + record.body.len();
        if count == EVENTS_MAX || (count > 0 && message.len() + bytes > BYTES_MAX) {
            messages.push(message.split().freeze());
            count = 0;
        }
        if count == 0 {
            message.put_u8(VERSION);
        }
        count += 1;
        let length = |part: &Bytes| u32::try_from(part.len()).map_err(|error| Error::new(ErrorKind::Broken, error));
        message.put_slice(conversation.as_bytes());
        message.put_u64(record.seq.0);
        message.put_slice(record.id.as_bytes());
        message.put_u32(length(&record.head)?);
        message.put_u32(length(&record.body)?);
        message.put_slice(&record.head);
        message.put_slice(&record.body);
    }
    if count > 0 {
        messages.push(message.freeze());
    }
    Ok(messages)
}

/// The events in a message: one at least.
///
/// # Errors
/// `Corrupt`: nobody wrote it, or another version did.
pub fn decode(mut message: Bytes) -> Result<Vec<(ConversationId, Record)>, Error> {
    match message.first() {
        Some(&VERSION) => message.advance(1),
        Some(version) => {
            return Err(Error::corrupt(format!(
                "a message in the feed has version {version}, which is not known here"
            )));
        }
        None => return Err(cut_off()),
    }
    let mut events = Vec::new();
    while events.is_empty() || !message.is_empty() {
        if message.len() < FRONT {
            return Err(cut_off());
        }
        let conversation = ConversationId::from_slice(&message.split_to(16)).ok_or_else(cut_off)?;
        let seq = Seq(message.get_u64());
        let id = CommandId::from_slice(&message.split_to(16)).ok_or_else(cut_off)?;
        let (head, body) = (message.get_u32() as usize, message.get_u32() as usize);
        if message.len() < head.saturating_add(body) {
            return Err(cut_off());
        }
        let (head, body) = (message.split_to(head), message.split_to(body));
        events.push((conversation, Record { seq, id, head, body }));
    }
    Ok(events)
}

fn cut_off() -> Error {
    Error::corrupt("a message in the feed is cut off")
}

#[cfg(test)]
mod tests {
    use klatch_core::ids::Uuid;
    use proptest::prelude::*;

    use super::*;

    fn event(n: u64, head: &'static [u8], body: Bytes) -> (ConversationId, Record) {
        let id = CommandId(Uuid::from_u128(n.into()));
        (ConversationId(Uuid::from_u128(7)), Record { seq: Seq(n), id, head: Bytes::from_static(head), body })
    }

    fn bundles(events: &[(ConversationId, Record)]) -> Vec<Bytes> {
        encode(events.iter().map(|(conversation, record)| (*conversation, record))).unwrap()
    }

    #[test]
    fn an_event_lies_there_as_it_always_did() {
        let event = event(9, b"he", Bytes::from_static(b"body"));
        let ids = [[0; 15].as_slice(), &[7], &[0; 7], &[9], &[0; 15], &[9]].concat();
        let bytes = [&[2], ids.as_slice(), &[0, 0, 0, 2, 0, 0, 0, 4], b"hebody"].concat();
        assert_eq!(bundles(std::slice::from_ref(&event)), [Bytes::from(bytes.clone())]);
        assert_eq!(decode(bytes.into()).unwrap(), [event]);
    }

    #[test]
    fn a_message_has_a_limit() {
        let many: Vec<_> = (0..EVENTS_MAX as u64 + 1).map(|n| event(n, b"", Bytes::new())).collect();
        assert_eq!(bundles(&many).len(), 2);
        let large: Vec<_> = (0..4).map(|n| event(n, b"", vec![0; BYTES_MAX / 2].into())).collect();
        assert_eq!(bundles(&large).len(), 4, "two would be more than fits");
        assert!(bundles(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn events_come_out_as_they_went_in(events: Vec<(u128, u64, u128, Vec<u8>, Vec<u8>)>) {
            let event = |(conversation, seq, id, head, body): (_, _, _, Vec<u8>, Vec<u8>)| {
                let (conversation, id) = (ConversationId(Uuid::from_u128(conversation)), CommandId(Uuid::from_u128(id)));
                (conversation, Record { seq: Seq(seq), id, head: head.into(), body: body.into() })
            };
            let events: Vec<_> = events.into_iter().map(event).collect();
            let messages = bundles(&events);
            let decoded: Vec<_> = messages.iter().flat_map(|message| decode(message.clone()).unwrap()).collect();
            prop_assert_eq!(decoded, events);
            for message in messages {
                prop_assert!(decode(message.slice(..message.len() - 1)).is_err());
            }
        }

        #[test]
        fn whatever_comes_is_read_or_refused(mut bytes: Vec<u8>, is_ours: bool) {
            if let (true, Some(first)) = (is_ours, bytes.first_mut()) {
                *first = VERSION;
            }
            let _ = decode(bytes.into());
        }
    }
}
