//! The rules, one by one: given what happened, when somebody wants something, then this follows.

use std::collections::HashMap;

use bytes::Bytes;

use super::*;
use crate::conversation::{Change, Founding, History, Message, Origin};
use crate::ids::{ConversationId, UserId, Uuid};
use crate::limits;

const ALICE: UserId = UserId(Uuid::from_u128(0xa));
const BOB: UserId = UserId(Uuid::from_u128(0xb));
const CAROL: UserId = UserId(Uuid::from_u128(0xc));

/// A conversation that is played through decide and apply, with the overlays that a processor would keep.
struct Play {
    state: Conversation,
    overlays: HashMap<Seq, Overlay>,
    index: HashMap<CommandId, Remembered>,
    next_id: u128,
    blocked: bool,
}

impl Play {
    fn new(kind: Kind) -> Self {
        let state = Conversation::empty(ConversationId(Uuid::from_u128(1)));
        let mut play = Self { state, overlays: HashMap::new(), index: HashMap::new(), next_id: 1, blocked: false };
        let name = if kind == Kind::Direct { "" } else { "tea" }.to_owned();
        let founding = Founding { kind, name, topic: String::new(), history: History::All, members: vec![BOB] };
        play.ok(ALICE, CommandKind::Create(founding));
        play
    }

    fn command(&mut self, actor: UserId, kind: CommandKind) -> Command {
        self.next_id += 1;
        let id = CommandId(Uuid::from_u128(self.next_id));
        Command { id, actor, hash: [0; 16], after: None, seen: None, claimed_at: None, kind }
    }

    fn decide(&mut self, command: &Command) -> Result<Decision, Rejection> {
        let target = command.kind.target().and_then(|id| self.index.get(&id)).map(|known| known.seq);
        let context = Context {
            now: Timestamp(1),
            known: Some(&self.index),
            overlay: target.and_then(|seq| self.overlays.get(&seq)),
            blocked: self.blocked,
        };
        let decision = decide(&self.state, command, &context)?;
        if let Decision::New(event) = &decision {
            self.state.apply(event);
            self.state.check().expect("the invariants hold after each event");
            self.index.insert(event.id, Remembered::of(event));
            if let Some(target) = Overlay::target(event) {
                self.overlays.entry(target.seq).or_default().apply(event);
            }
        }
        Ok(decision)
    }

    fn when(&mut self, actor: UserId, kind: CommandKind) -> Result<Event, Rejection> {
        let command = self.command(actor, kind);
        match self.decide(&command)? {
            Decision::New(event) => Ok(event),
            Decision::Repeat(seq) => panic!("a repeat of {seq}"),
        }
    }

    fn ok(&mut self, actor: UserId, kind: CommandKind) -> Event {
        self.when(actor, kind).expect("it is allowed")
    }

    fn say(&mut self, actor: UserId) -> CommandId {
        self.ok(actor, send()).id
    }
}

fn send() -> CommandKind {
    CommandKind::Send {
        body: Bytes::from_static(b"sealed"),
        mentions: Vec::new(),
        replies: Vec::new(),
        thread: None,
        expires_at: None,
    }
}

fn edit(target: CommandId) -> CommandKind {
    CommandKind::Edit { target, body: Bytes::from_static(b"other"), mentions: Vec::new() }
}

fn thumb(target: CommandId, on: bool) -> CommandKind {
    CommandKind::React { target, emoji: "👍".to_owned(), on }
}

fn set_role(user: UserId, role: Role) -> CommandKind {
    CommandKind::SetRole { user, role }
}

#[test]
fn a_message_gets_the_next_seq_and_counts_as_unread() {
    let mut play = Play::new(Kind::Group);
    let event = play.ok(BOB, send());
    assert_eq!((event.seq, event.worthy), (Seq(2), 1));
    assert!(matches!(event.kind, EventKind::Sent(Message { body: Some(_), .. })));
}

#[test]
fn a_repeat_returns_the_first_outcome_even_after_leaving() {
    let mut play = Play::new(Kind::Group);
    let command = play.command(BOB, send());
    play.decide(&command).expect("new");
    play.ok(BOB, CommandKind::Leave);
    assert_eq!(play.decide(&command), Ok(Decision::Repeat(Seq(2))));
}

#[test]
fn an_id_cannot_be_used_for_something_else() {
    let mut play = Play::new(Kind::Group);
    let command = play.command(BOB, send());
    play.decide(&command).expect("new");
    let other_content = Command { hash: [1; 16], ..command.clone() };
    let other_author = Command { actor: ALICE, ..command };
    assert_eq!(play.decide(&other_content), Err(Rejection::CommandReused));
    assert_eq!(play.decide(&other_author), Err(Rejection::CommandReused));
}

#[test]
fn a_command_waits_for_the_one_before_it() {
    let mut play = Play::new(Kind::Group);
    let first = play.command(BOB, send());
    let second = Command { after: Some(first.id), ..play.command(BOB, send()) };
    assert_eq!(play.decide(&second), Err(Rejection::OutOfOrder));
    play.decide(&first).expect("new");
    assert!(play.decide(&second).is_ok());
}

#[test]
fn strangers_see_nothing_and_may_join_channels_only() {
    for kind in [Kind::Direct, Kind::Group, Kind::Channel] {
        let mut play = Play::new(kind);
        let message = play.say(ALICE);
        let kinds = [send(), edit(message), thumb(message, true), CommandKind::Leave, CommandKind::Add { user: CAROL }];
        for wanted in kinds {
            assert_eq!(play.when(CAROL, wanted), Err(Rejection::NotFound));
        }
        let joined = play.when(CAROL, CommandKind::Join);
        assert_eq!(joined.is_ok(), kind == Kind::Channel);
    }
}

#[test]
fn a_removed_member_cannot_act() {
    let mut play = Play::new(Kind::Channel);
    let message = play.say(BOB);
    play.ok(ALICE, CommandKind::Remove { user: BOB });
    for wanted in [send(), edit(message), thumb(message, true), CommandKind::Delete { target: message }] {
        assert_eq!(play.when(BOB, wanted), Err(Rejection::NotFound));
    }
}

#[test]
fn only_the_author_edits_and_moderators_delete() {
    let mut play = Play::new(Kind::Group);
    let message = play.say(BOB);
    assert_eq!(play.when(ALICE, edit(message)), Err(Rejection::NotAllowed));
    play.ok(BOB, edit(message));
    let mine = play.say(ALICE);
    assert_eq!(play.when(BOB, CommandKind::Delete { target: mine }), Err(Rejection::NotAllowed));
    play.ok(ALICE, CommandKind::Delete { target: message });
    assert_eq!(play.when(BOB, edit(message)), Err(Rejection::MessageDeleted));
    assert_eq!(play.when(BOB, thumb(message, true)), Err(Rejection::MessageDeleted));
}

#[test]
fn nobody_changes_or_answers_what_is_not_a_message() {
    let mut play = Play::new(Kind::Group);
    let created = play.state.window.entries().next().expect("there is one").0;
    let nowhere = CommandId(Uuid::from_u128(999));
    for id in [created, nowhere] {
        assert_eq!(play.when(ALICE, edit(id)), Err(Rejection::NoSuchMessage));
        assert_eq!(play.when(ALICE, thumb(id, true)), Err(Rejection::NoSuchMessage));
        let CommandKind::Send { body, mentions, thread, expires_at, .. } = send() else { unreachable!() };
        let reply = CommandKind::Send { body, mentions, replies: vec![id], thread, expires_at };
        assert_eq!(play.when(ALICE, reply), Err(Rejection::NoSuchMessage));
    }
}

#[test]
fn what_was_said_before_one_came_cannot_be_answered() {
    let mut play = Play::new(Kind::Channel);
    play.ok(ALICE, CommandKind::Change(Change { history: Some(History::SinceJoined), ..Change::default() }));
    let before = play.say(ALICE);
    play.ok(CAROL, CommandKind::Join);
    assert_eq!(play.when(CAROL, thumb(before, true)), Err(Rejection::NoSuchMessage));
}

#[test]
fn reactions_are_there_once_and_bounded() {
    let mut play = Play::new(Kind::Group);
    let message = play.say(ALICE);
    play.ok(BOB, thumb(message, true));
    assert_eq!(play.when(BOB, thumb(message, true)), Err(Rejection::NoChange));
    play.ok(BOB, thumb(message, false));
    assert_eq!(play.when(BOB, thumb(message, false)), Err(Rejection::NoChange));
    for n in 0..limits::EMOJI_PER_MESSAGE_MAX as u32 {
        let emoji = char::from_u32(0x1f600 + n).expect("a face").to_string();
        play.ok(BOB, CommandKind::React { target: message, emoji, on: true });
    }
    assert_eq!(play.when(BOB, thumb(message, true)), Err(Rejection::TooManyReactions));
    let word = CommandKind::React { target: message, emoji: "yes".to_owned(), on: true };
    assert_eq!(play.when(BOB, word), Err(Rejection::InvalidEmoji));
}

#[test]
fn roles_cannot_be_raised_above_ones_own() {
    let mut play = Play::new(Kind::Channel);
    play.ok(CAROL, CommandKind::Join);
    play.ok(ALICE, set_role(BOB, Role::Moderator));
    assert_eq!(play.when(BOB, set_role(BOB, Role::Owner)), Err(Rejection::NotAllowed));
    assert_eq!(play.when(BOB, set_role(CAROL, Role::Owner)), Err(Rejection::NotAllowed));
    assert_eq!(play.when(BOB, set_role(ALICE, Role::Member)), Err(Rejection::NotAllowed));
    assert_eq!(play.when(CAROL, set_role(CAROL, Role::Moderator)), Err(Rejection::NotAllowed));
    assert_eq!(play.when(BOB, CommandKind::Remove { user: ALICE }), Err(Rejection::NotAllowed));
    play.ok(BOB, set_role(CAROL, Role::Moderator));
    assert_eq!(play.when(BOB, CommandKind::Remove { user: CAROL }), Err(Rejection::NotAllowed));
    play.ok(BOB, set_role(BOB, Role::Member));
}

#[test]
fn the_last_owner_passes_the_role_before_leaving() {
    let mut play = Play::new(Kind::Group);
    assert_eq!(play.when(ALICE, CommandKind::Leave), Err(Rejection::LastOwner));
    assert_eq!(play.when(ALICE, set_role(ALICE, Role::Member)), Err(Rejection::LastOwner));
    play.ok(ALICE, set_role(BOB, Role::Owner));
    play.ok(ALICE, CommandKind::Leave);
    play.ok(BOB, CommandKind::Leave);
    assert!(play.state.members.is_empty());
}

#[test]
fn a_blocked_pair_cannot_write_in_its_direct_conversation() {
    let mut play = Play::new(Kind::Direct);
    let message = play.say(BOB);
    play.blocked = true;
    for wanted in [send(), edit(message), thumb(message, true)] {
        assert_eq!(play.when(BOB, wanted), Err(Rejection::Blocked));
    }
}

#[test]
fn limits_are_answered_with_their_own_slug() {
    let mut play = Play::new(Kind::Group);
    let body = Bytes::from(vec![0; BODY_BYTES_MAX + 1]);
    let long = CommandKind::Send { body, mentions: vec![], replies: vec![], thread: None, expires_at: None };
    assert_eq!(play.when(ALICE, long), Err(Rejection::BodyTooLong));
    let name = CommandKind::Change(Change { name: Some("x".repeat(81)), ..Change::default() });
    assert_eq!(play.when(ALICE, name), Err(Rejection::InvalidName));
    let topic = CommandKind::Change(Change { topic: Some("x".repeat(501)), ..Change::default() });
    assert_eq!(play.when(ALICE, topic), Err(Rejection::InvalidTopic));
    for _ in 0..limits::PINS_MAX {
        let message = play.say(BOB);
        play.ok(ALICE, CommandKind::Pin { target: message, on: true });
    }
    let message = play.say(BOB);
    assert_eq!(play.when(ALICE, CommandKind::Pin { target: message, on: true }), Err(Rejection::TooManyPins));
}

/// Somebody who is neither Alice nor Bob.
fn guest(n: usize) -> UserId {
    UserId(Uuid::from_u128(0x1000 + n as u128))
}

#[test]
fn a_message_mentions_and_answers_only_so_many() {
    let mut play = Play::new(Kind::Group);
    let said: Vec<_> = (0..=limits::REPLIES_MAX).map(|_| play.say(BOB)).collect();
    let with = |mentions: &[UserId], replies: &[CommandId]| CommandKind::Send {
        body: Bytes::from_static(b"sealed"),
        mentions: mentions.to_vec(),
        replies: replies.to_vec(),
        thread: None,
        expires_at: None,
    };
    assert_eq!(play.when(ALICE, with(&[], &said)), Err(Rejection::TooManyReplies));
    play.ok(ALICE, with(&[], &said[1..]));
    let people: Vec<_> = (0..=limits::MENTIONS_MAX).map(guest).collect();
    for user in &people {
        play.ok(ALICE, CommandKind::Add { user: *user });
    }
    assert_eq!(play.when(ALICE, with(&people, &[])), Err(Rejection::TooManyMentions));
    let mine = play.ok(ALICE, with(&people[1..], &[])).id;
    let edit = CommandKind::Edit { target: mine, body: Bytes::from_static(b"other"), mentions: people };
    assert_eq!(play.when(ALICE, edit), Err(Rejection::TooManyMentions));
}

#[test]
fn a_message_is_edited_only_so_often() {
    let mut play = Play::new(Kind::Group);
    let message = play.say(BOB);
    for _ in 0..limits::EDITS_PER_MESSAGE_MAX {
        play.ok(BOB, edit(message));
    }
    assert_eq!(play.when(BOB, edit(message)), Err(Rejection::TooManyEdits));
}

#[test]
fn a_message_has_only_so_many_reactions_of_all_kinds() {
    let mut play = Play::new(Kind::Group);
    let message = play.say(BOB);
    let face = |n: usize| char::from_u32(0x1f600 + n as u32).expect("a face").to_string();
    let react = |emoji: usize, on| CommandKind::React { target: message, emoji: face(emoji), on };
    for n in 0..limits::REACTIONS_PER_MESSAGE_MAX {
        let (person, emoji) = (n / 20, n % 20);
        if emoji == 0 {
            play.ok(ALICE, CommandKind::Add { user: guest(person) });
        }
        play.ok(guest(person), react(emoji, true));
    }
    assert_eq!(play.when(ALICE, react(0, true)), Err(Rejection::TooManyReactions));
    play.ok(guest(0), react(0, false));
    play.ok(ALICE, react(0, true));
}

#[test]
fn a_group_and_a_channel_have_room_for_only_so_many() {
    let mut play = Play::new(Kind::Group);
    for n in play.state.members.len()..limits::GROUP_MEMBERS_MAX {
        play.ok(ALICE, CommandKind::Add { user: guest(n) });
    }
    assert_eq!(play.when(ALICE, CommandKind::Add { user: CAROL }), Err(Rejection::TooManyMembers));
    play.ok(BOB, CommandKind::Leave);
    play.ok(ALICE, CommandKind::Add { user: CAROL });

    let mut play = Play::new(Kind::Channel);
    let bob = play.state.members[&BOB];
    let guests = play.state.members.len()..limits::CHANNEL_MEMBERS_MAX;
    play.state.members.extend(guests.map(|n| (guest(n), bob)));
    assert_eq!(play.when(CAROL, CommandKind::Join), Err(Rejection::TooManyMembers));
    assert_eq!(play.when(ALICE, CommandKind::Add { user: CAROL }), Err(Rejection::TooManyMembers));
}

#[test]
fn a_conversation_begins_with_only_so_many() {
    let empty = || Conversation::empty(ConversationId(Uuid::from_u128(1)));
    let begin = |count: usize| {
        let mut play = Play::new(Kind::Group);
        play.state = empty();
        let members = (0..count).map(guest).collect();
        let (name, topic) = ("tea".to_owned(), String::new());
        play.when(
            ALICE,
            CommandKind::Create(Founding { kind: Kind::Group, name, topic, history: History::All, members }),
        )
    };
    assert!(begin(limits::FOUNDERS_MAX).is_ok());
    assert_eq!(begin(limits::FOUNDERS_MAX + 1), Err(Rejection::TooManyMembers));
}

#[test]
fn an_imported_message_is_measured_too() {
    let mut play = Play::new(Kind::Channel);
    let said: Vec<_> = (0..=limits::REPLIES_MAX).map(|_| play.say(BOB)).collect();
    let import = |body: usize, network: usize, replies: &[CommandId]| CommandKind::Import {
        author: CAROL,
        body: Bytes::from(vec![0; body]),
        replies: replies.to_vec(),
        origin: Origin { network: "n".repeat(network), name: "n".to_owned() },
        quiet: false,
    };
    assert_eq!(play.when(ALICE, import(BODY_BYTES_MAX + 1, 1, &[])), Err(Rejection::BodyTooLong));
    assert_eq!(play.when(ALICE, import(1, limits::ORIGIN_BYTES_MAX + 1, &[])), Err(Rejection::InvalidName));
    assert_eq!(play.when(ALICE, import(1, 1, &said)), Err(Rejection::TooManyReplies));
    assert_eq!(play.when(BOB, import(1, 1, &[])), Err(Rejection::NotAllowed));
    play.ok(ALICE, import(BODY_BYTES_MAX, limits::ORIGIN_BYTES_MAX, &said[1..]));
}

#[test]
fn an_event_from_the_future_that_may_not_be_passed_over_stops_decisions_but_not_repeats() {
    let mut play = Play::new(Kind::Group);
    let command = play.command(BOB, send());
    play.decide(&command).expect("new");
    let seq = play.state.seq.next();
    let kind = EventKind::Unknown { kind: 999, passable: false };
    let id = CommandId(Uuid::from_u128(77));
    let event = Event { seq, id, author: ALICE, at: Timestamp(1), claimed_at: None, worthy: 1, hash: [0; 16], kind };
    play.state.apply(&event);
    assert_eq!(play.when(BOB, send()), Err(Rejection::NotSupported));
    assert_eq!(play.decide(&command), Ok(Decision::Repeat(Seq(2))));
}
