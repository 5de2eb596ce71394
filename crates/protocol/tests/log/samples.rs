//! One of each: the values that the golden files hold.

use bytes::Bytes;
use klatch_core::conversation::{
    Change, Command, CommandKind, Conversation, Edit, Event, EventKind, Founding, History, Kind, Mark, Member, Message,
    Origin, Overlay, Reaction, Rejection, Remembered, Role,
};
use klatch_core::ids::{CommandId, ConversationId, DeviceId, Link, Seq, Timestamp, UserId, Uuid};
use klatch_protocol::log::{DeadLetter, Envelope, Refusal};

pub fn uuid(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

pub fn user(n: u8) -> UserId {
    UserId(uuid(n))
}

pub fn id(n: u8) -> CommandId {
    CommandId(uuid(n))
}

fn link(n: u8) -> Link {
    Link { id: id(n), seq: Seq(u64::from(n)) }
}

fn event(kind: EventKind) -> Event {
    Event {
        seq: Seq(7),
        id: id(0x11),
        author: user(0x22),
        at: Timestamp(1_800_000_000_000),
        claimed_at: Some(Timestamp(1_799_999_999_000)),
        worthy: 5,
        hash: [0x33; 16],
        kind,
    }
}

/// Every kind of event, with every field set.
pub fn events() -> Vec<(&'static str, Event)> {
    let change = Change { name: Some("rust".into()), topic: Some("crabs".into()), history: Some(History::SinceJoined) };
    let message = Message {
        body: Some(Bytes::from_static(b"sealed")),
        mentions: vec![user(1), user(2)],
        replies: vec![link(3), link(4)],
        thread: Some(link(3)),
        expires_at: Some(Timestamp(1_900_000_000_000)),
        origin: Some(Origin { network: "irc.example".into(), name: "ada".into() }),
        quiet: true,
    };
    let created = EventKind::Created {
        kind: Kind::Channel,
        name: "général 🦀".into(),
        topic: "two\nlines".into(),
        history: History::All,
        members: vec![user(1), user(2)],
    };
    let edited =
        EventKind::Edited { target: link(3), body: Some(Bytes::from_static(b"sealed anew")), mentions: vec![user(1)] };
    let kinds = [
        ("event-created", created),
        ("event-changed", EventKind::Changed(change)),
        ("event-joined", EventKind::Joined { user: user(1), role: Role::Moderator }),
        ("event-left", EventKind::Left),
        ("event-removed", EventKind::Removed { user: user(1) }),
        ("event-role_set", EventKind::RoleSet { user: user(1), role: Role::Owner }),
        ("event-sent", EventKind::Sent(message)),
        ("event-sent-erased", EventKind::Sent(Message::default())),
        ("event-edited", edited),
        ("event-deleted", EventKind::Deleted { target: link(3), edits: vec![Seq(4), Seq(5)] }),
        ("event-reacted", EventKind::Reacted { target: link(3), emoji: "👍".into(), on: true }),
        ("event-unreacted", EventKind::Reacted { target: link(3), emoji: "👍".into(), on: false }),
        ("event-pinned", EventKind::Pinned { target: link(3), on: true }),
        ("event-unpinned", EventKind::Pinned { target: link(3), on: false }),
    ];
    kinds.into_iter().map(|(name, kind)| (name, event(kind))).collect()
}

/// What an older reader makes of events of a kind that came later.
pub fn unknown_events() -> [(&'static str, Event); 2] {
    [
        ("event-unknown-passable", event(EventKind::Unknown { kind: 900, passable: true })),
        ("event-unknown-impassable", event(EventKind::Unknown { kind: 901, passable: false })),
    ]
}

pub const REMEMBERED: Remembered =
    Remembered { seq: Seq(6), author: UserId(Uuid::from_bytes([0x22; 16])), hash: [0x33; 16], is_message: true };

pub fn conversation() -> Conversation {
    let mut state = Conversation::empty(ConversationId(uuid(0x44)));
    state.kind = Some(Kind::Group);
    state.name = "crew".into();
    state.topic = "who brings cake".into();
    state.history = History::SinceJoined;
    state.members.insert(user(1), Member { role: Role::Owner, joined: Seq(1) });
    state.members.insert(user(2), Member { role: Role::Member, joined: Seq(3) });
    state.pins.extend([Seq(4), Seq(6)]);
    state.seq = Seq(7);
    state.worthy = 5;
    state.at = Timestamp(1_800_000_000_000);
    state.window.restore(id(5), Remembered { seq: Seq(5), is_message: false, ..REMEMBERED });
    state.window.restore(id(6), REMEMBERED);
    state.sealed_off = Some(Seq(7));
    state
}

pub fn overlay() -> Overlay {
    let mark = |n: u8| Mark { seq: Seq(u64::from(n)), at: Timestamp(1_800_000_000_000), by: user(n) };
    Overlay {
        as_of: Seq(9),
        edits: vec![Edit { seq: Seq(4), at: Timestamp(1) }, Edit { seq: Seq(5), at: Timestamp(2) }],
        deleted: Some(mark(8)),
        reactions: vec![Reaction { emoji: "👍".into(), users: vec![user(1), user(2)] }],
        pinned: Some(mark(9)),
    }
}

/// Every kind of command, with every field set.
pub fn envelopes() -> Vec<(&'static str, Envelope)> {
    let body = || Bytes::from_static(b"sealed");
    let founding = Founding {
        kind: Kind::Direct,
        name: String::new(),
        topic: String::new(),
        history: History::All,
        members: vec![user(1)],
    };
    let kinds = [
        ("envelope-create", CommandKind::Create(founding)),
        ("envelope-change", CommandKind::Change(Change { name: Some("rust".into()), topic: None, history: None })),
        ("envelope-join", CommandKind::Join),
        ("envelope-leave", CommandKind::Leave),
        ("envelope-add", CommandKind::Add { user: user(1) }),
        ("envelope-remove", CommandKind::Remove { user: user(1) }),
        ("envelope-set_role", CommandKind::SetRole { user: user(1), role: Role::Owner }),
        (
            "envelope-send",
            CommandKind::Send {
                body: body(),
                mentions: vec![user(1)],
                replies: vec![id(3)],
                thread: Some(id(3)),
                expires_at: Some(Timestamp(1_900_000_000_000)),
            },
        ),
        ("envelope-edit", CommandKind::Edit { target: id(3), body: body(), mentions: vec![user(1)] }),
        ("envelope-delete", CommandKind::Delete { target: id(3) }),
        ("envelope-react", CommandKind::React { target: id(3), emoji: "👍".into(), on: true }),
        ("envelope-pin", CommandKind::Pin { target: id(3), on: true }),
        (
            "envelope-import",
            CommandKind::Import {
                author: user(1),
                body: body(),
                replies: vec![id(3)],
                origin: Origin { network: "irc.example".into(), name: "ada".into() },
                quiet: true,
            },
        ),
    ];
    let accepted = Envelope { device: Some(DeviceId(uuid(0x66))), ..envelope(CommandKind::Join) };
    let all = kinds.into_iter().map(|(name, kind)| (name, envelope(kind)));
    all.chain([("envelope-accepted", accepted)]).collect()
}

pub const REFUSAL: Refusal =
    Refusal { author: UserId(Uuid::from_bytes([0x22; 16])), hash: [0x33; 16], rejection: Rejection::NotAllowed };

pub fn dead_letters() -> [(&'static str, DeadLetter); 2] {
    let letter = DeadLetter {
        partition: 3,
        conversation: Some(ConversationId(Uuid::from_bytes([0x44; 16]))),
        at: Timestamp(5),
        reason: "damaged".to_owned(),
        payload: Bytes::from_static(b"an envelope"),
    };
    [("dead_letter-unreadable", DeadLetter { conversation: None, ..letter.clone() }), ("dead_letter", letter)]
}

pub fn envelope(kind: CommandKind) -> Envelope {
    let command = Command {
        id: id(0x11),
        actor: user(0x22),
        hash: [0x33; 16],
        after: Some(id(0x10)),
        seen: Some(Seq(6)),
        claimed_at: Some(Timestamp(1_799_999_999_000)),
        kind,
    };
    let conversation = ConversationId(uuid(0x44));
    Envelope { reply_to: uuid(0x55), correlation: 12, conversation, blocked: Some(true), device: None, command }
}
