//! Whatever is written is read again as it was; whatever else is read is refused, and nothing panics.

use bytes::Bytes;
use klatch_core::conversation::{
    Event, EventKind, History, Kind, Message, Origin, Overlay, Reaction, Remembered, Role,
};
use klatch_core::ids::{CommandId, ConversationId, Link, Seq, Timestamp, UserId, Uuid};
use klatch_protocol::log::{
    DeadLetter, Envelope, Personal, Refusal, Signal, StoredEvent, decode_body, decode_bundle, decode_event,
    decode_index, decode_mark, decode_outcomes, decode_overlay, decode_snapshot, encode_event, encode_index,
    encode_overlay,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::samples;

fn uuids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn users() -> impl Strategy<Value = UserId> {
    uuids().prop_map(UserId)
}

fn links() -> impl Strategy<Value = Link> {
    (uuids(), any::<u64>()).prop_map(|(id, seq)| Link { id: CommandId(id), seq: Seq(seq) })
}

fn roles() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Member, Role::Moderator, Role::Owner])
}

fn bodies() -> impl Strategy<Value = Option<Bytes>> {
    // An empty body and none are the same in the log: that is what erasing does.
    option::of(vec(any::<u8>(), 1..200).prop_map(Bytes::from))
}

fn messages() -> impl Strategy<Value = Message> {
    let origin = (any::<String>(), any::<String>()).prop_map(|(network, name)| Origin { network, name });
    let links = (vec(links(), 0..4), option::of(links()));
    (bodies(), vec(users(), 0..4), links, option::of(any::<u64>()), option::of(origin), any::<bool>()).prop_map(
        |(body, mentions, (replies, thread), expires_at, origin, quiet)| Message {
            body,
            mentions,
            replies,
            thread,
            expires_at: expires_at.map(Timestamp),
            origin,
            quiet,
        },
    )
}

fn kinds() -> impl Strategy<Value = EventKind> {
    let kind = prop::sample::select(vec![Kind::Direct, Kind::Group, Kind::Channel]);
    let history = prop::sample::select(vec![History::All, History::SinceJoined]);
    let created = (kind, any::<String>(), any::<String>(), history, vec(users(), 0..4));
    prop_oneof![
        created.prop_map(|(kind, name, topic, history, members)| EventKind::Created {
            kind,
            name,
            topic,
            history,
            members
        }),
        (users(), roles()).prop_map(|(user, role)| EventKind::Joined { user, role }),
        Just(EventKind::Left),
        users().prop_map(|user| EventKind::Removed { user }),
        (users(), roles()).prop_map(|(user, role)| EventKind::RoleSet { user, role }),
        messages().prop_map(EventKind::Sent),
        (links(), bodies(), vec(users(), 0..4)).prop_map(|(target, body, mentions)| EventKind::Edited {
            target,
            body,
            mentions
        }),
        (links(), vec(any::<u64>().prop_map(Seq), 0..4))
            .prop_map(|(target, edits)| EventKind::Deleted { target, edits }),
        (links(), any::<String>(), any::<bool>()).prop_map(|(target, emoji, on)| EventKind::Reacted {
            target,
            emoji,
            on
        }),
        (links(), any::<bool>()).prop_map(|(target, on)| EventKind::Pinned { target, on }),
        (12_u32.., any::<bool>()).prop_map(|(kind, passable)| EventKind::Unknown { kind, passable }),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let times = (any::<u64>(), option::of(any::<u64>()));
    (any::<u64>(), uuids(), users(), times, any::<u64>(), any::<[u8; 16]>(), kinds()).prop_map(
        |(seq, id, author, (at, claimed_at), worthy, hash, kind)| Event {
            seq: Seq(seq),
            id: CommandId(id),
            author,
            at: Timestamp(at),
            claimed_at: claimed_at.map(Timestamp),
            worthy,
            hash,
            kind,
        },
    )
}

/// Bytes that are almost those of something: cut off, or with one of them changed.
fn spoil(bytes: &[u8], at: prop::sample::Index, change: Option<u8>) -> Bytes {
    if bytes.is_empty() {
        return Bytes::new();
    }
    let at = at.index(bytes.len());
    let mut spoilt = bytes.to_vec();
    match change {
        Some(byte) => spoilt[at] = byte,
        None => spoilt.truncate(at),
    }
    spoilt.into()
}

fn read_as_everything(bytes: &Bytes) {
    let conversation = ConversationId(samples::uuid(1));
    let _ = decode_event(Seq(1), bytes.clone(), Bytes::new());
    let _ = decode_snapshot(conversation, bytes.clone());
    let _ = decode_overlay(bytes.clone());
    let _ = decode_index(bytes);
    let _ = decode_body(bytes);
    let _ = Envelope::decode(bytes.clone());
    let _ = decode_outcomes(bytes.clone());
    let _ = decode_bundle(bytes.clone());
    let _ = decode_mark(bytes);
    let _ = Refusal::decode(bytes.clone());
    let _ = DeadLetter::decode(bytes.clone());
    let _ = Signal::decode(bytes.clone());
    let _ = Personal::decode(bytes.clone());
}

proptest! {
    #[test]
    fn an_event_is_read_as_it_was_written(event in events()) {
        let StoredEvent { head, body } = encode_event(&event);
        prop_assert_eq!(decode_event(event.seq, head, body).unwrap(), event);
    }

    #[test]
    fn an_erased_event_keeps_everything_but_its_body(event in events()) {
        let erased = decode_event(event.seq, encode_event(&event).head, Bytes::new()).unwrap();
        prop_assert_eq!(erased.kind.body(), None);
        prop_assert_eq!((erased.seq, erased.id, erased.author), (event.seq, event.id, event.author));
        prop_assert_eq!((erased.at, erased.worthy, erased.hash), (event.at, event.worthy, event.hash));
    }

    #[test]
    fn an_entry_of_the_index_is_read_as_it_was_written(event in events()) {
        let remembered = Remembered::of(&event);
        prop_assert_eq!(decode_index(&encode_index(&remembered)).unwrap(), remembered);
    }

    #[test]
    fn an_overlay_is_read_as_it_was_written(as_of in any::<u64>(), all in vec((any::<String>(), vec(users(), 0..4)), 0..4)) {
        let reactions = all.into_iter().map(|(emoji, users)| Reaction { emoji, users }).collect();
        let overlay = Overlay { as_of: Seq(as_of), reactions, ..samples::overlay() };
        prop_assert_eq!(decode_overlay(encode_overlay(&overlay)).unwrap(), overlay);
    }

    #[test]
    fn random_bytes_are_refused_or_read_but_nothing_panics(bytes in vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes.into());
    }

    #[test]
    fn spoilt_bytes_are_refused_or_read_but_nothing_panics(
        event in events(), at in any::<prop::sample::Index>(), change in option::of(any::<u8>())
    ) {
        let StoredEvent { head, .. } = encode_event(&event);
        read_as_everything(&spoil(&head, at, change));
        for (_, envelope) in samples::envelopes() {
            read_as_everything(&spoil(&envelope.encode(), at, change));
        }
    }
}
