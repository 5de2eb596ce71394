//! Whatever people want, in whatever order: what holds after every step of a random history, and at its end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::ids::{CommandId, Uuid};

/// Everybody there is.
const PEOPLE: u128 = 6;

/// What somebody does.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody wants something: mostly a member.
    Command { actor: Result<prop::sample::Index, UserId>, wish: Wish, blocked: bool, follows: bool },
    /// An earlier command comes again, as it was, or with other content, or from somebody else.
    Again { which: prop::sample::Index, hash: bool, actor: Option<UserId> },
    /// The server's clock moves; it may be set back.
    Time(Timestamp),
}

/// What somebody wants. Which message is meant is known when it is their turn: mostly one that is there.
#[derive(Clone, Debug)]
enum Wish {
    Known(CommandKind),
    Send { mentions: Vec<UserId>, reply: Option<prop::sample::Index>, thread: Option<prop::sample::Index> },
    Edit(prop::sample::Index, Vec<UserId>),
    Delete(prop::sample::Index),
    React(prop::sample::Index, &'static str, bool),
    Pin(prop::sample::Index, bool),
}

fn person() -> impl Strategy<Value = UserId> {
    (0..PEOPLE).prop_map(|n| UserId(Uuid::from_u128(n)))
}

fn people() -> impl Strategy<Value = Vec<UserId>> {
    prop::collection::vec(person(), 0..4)
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "tea", "coffee", " bad"]).prop_map(String::from)
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Member, Role::Moderator, Role::Owner])
}

fn history() -> impl Strategy<Value = History> {
    prop::sample::select(vec![History::All, History::SinceJoined])
}

fn founding(kind: Kind) -> impl Strategy<Value = CommandKind> {
    let named = if kind == Kind::Direct { Just(String::new()).boxed() } else { Just("tea".to_owned()).boxed() };
    let members = if kind == Kind::Direct { 0..2 } else { 0..6 };
    (named, history(), prop::collection::vec(person(), members)).prop_map(move |(name, history, members)| {
        CommandKind::Create(Founding { kind, name, topic: String::new(), history, members })
    })
}

fn wish() -> impl Strategy<Value = Wish> {
    let index = any::<prop::sample::Index>;
    let change = (prop::option::of(text()), prop::option::of(text()), prop::option::of(history()));
    let import = (person(), any::<bool>()).prop_map(|(author, quiet)| CommandKind::Import {
        author,
        body: Bytes::from_static(b"said elsewhere"),
        replies: Vec::new(),
        origin: Origin { network: "irc".to_owned(), name: "somebody".to_owned() },
        quiet,
    });
    let known = prop_oneof![
        1 => founding(Kind::Group),
        4 => change.prop_map(|(name, topic, history)| CommandKind::Change(Change { name, topic, history })),
        3 => Just(CommandKind::Join),
        1 => Just(CommandKind::Leave),
        5 => person().prop_map(|user| CommandKind::Add { user }),
        2 => person().prop_map(|user| CommandKind::Remove { user }),
        5 => (person(), role()).prop_map(|(user, role)| CommandKind::SetRole { user, role }),
        1 => import,
    ];
    let send = (people(), prop::option::of(index()), prop::option::of(index()));
    prop_oneof![
        20 => known.prop_map(Wish::Known),
        12 => send.prop_map(|(mentions, reply, thread)| Wish::Send { mentions, reply, thread }),
        6 => (index(), people()).prop_map(|(target, mentions)| Wish::Edit(target, mentions)),
        3 => index().prop_map(Wish::Delete),
        8 => (index(), prop::sample::select(vec!["👍", "🦀", "no"]), any::<bool>())
            .prop_map(|(target, emoji, on)| Wish::React(target, emoji, on)),
        5 => (index(), any::<bool>()).prop_map(|(target, on)| Wish::Pin(target, on)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let rarely = prop::bool::weighted(0.05);
    let actor = prop_oneof![4 => any::<prop::sample::Index>().prop_map(Ok), 1 => person().prop_map(Err)];
    let again = (any::<prop::sample::Index>(), prop::bool::weighted(0.2), prop::option::weighted(0.2, person()));
    prop_oneof![
        20 => (actor, wish(), rarely, prop::bool::weighted(0.2))
            .prop_map(|(actor, wish, blocked, follows)| Step::Command { actor, wish, blocked, follows }),
        4 => again.prop_map(|(which, hash, actor)| Step::Again { which, hash, actor }),
        1 => (0..1_000_u64).prop_map(|ms| Step::Time(Timestamp(ms))),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kinds = prop_oneof![1 => Just(Kind::Direct), 2 => Just(Kind::Group), 3 => Just(Kind::Channel)];
    let first = (person(), kinds.prop_flat_map(founding)).prop_map(|(actor, founding)| Step::Command {
        actor: Err(actor),
        wish: Wish::Known(founding),
        blocked: false,
        follows: false,
    });
    (first, prop::collection::vec(step(), 0..200)).prop_map(|(first, rest)| [first].into_iter().chain(rest).collect())
}

/// A conversation as its processor sees it: the state, the log behind it, the index and the overlays.
struct World {
    state: Conversation,
    log: Vec<Event>,
    index: HashMap<CommandId, Remembered>,
    overlays: BTreeMap<Seq, Overlay>,
    commands: Vec<Command>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let state = Conversation::empty(ConversationId(Uuid::from_u128(1)));
        let (index, overlays) = (HashMap::new(), BTreeMap::new());
        Self { state, log: Vec::new(), index, overlays, commands: Vec::new(), now: Timestamp::default() }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Time(now) => self.now = now,
            Step::Command { actor, wish, blocked, follows } => {
                let members: Vec<_> = self.state.members.keys().copied().chain([UserId(Uuid::nil())]).collect();
                let actor = actor.map_or_else(|person| person, |index| *index.get(&members));
                self.command(actor, wish, blocked, follows);
            }
            Step::Again { which, hash, actor } => self.again(which.get(&self.commands).clone(), hash, actor),
        }
        self.state.check().expect("the invariants hold after each step");
    }

    fn decide(&self, command: &Command, blocked: bool) -> Result<Decision, Rejection> {
        let target = command.kind.target().and_then(|id| self.index.get(&id));
        let overlay = target.and_then(|target| self.overlays.get(&target.seq));
        decide(&self.state, command, &Context { now: self.now, known: Some(&self.index), overlay, blocked })
    }

    fn command(&mut self, actor: UserId, wish: Wish, blocked: bool, follows: bool) {
        let after = self.commands.last().filter(|_| follows).map(|before| before.id);
        let id = CommandId(Uuid::from_u128(1_000 + self.commands.len() as u128));
        let kind = self.kind(wish);
        let command = Command { id, actor, hash: [1; 16], after, seen: None, claimed_at: None, kind };
        self.commands.push(command.clone());
        match self.decide(&command, blocked) {
            Ok(Decision::New(event)) => {
                assert!(after.is_none_or(|after| self.index.contains_key(&after)), "it waits for the one before it");
                self.may_follow(&command, &event);
                self.append(event);
            }
            Ok(Decision::Repeat(seq)) => panic!("a new command is no repeat of {seq}"),
            Err(rejection) => {
                let is_joining = matches!(command.kind, CommandKind::Join) && self.state.kind == Some(Kind::Channel);
                if self.state.role(actor).is_none() && !is_joining {
                    let founding = matches!(command.kind, CommandKind::Create(_));
                    assert!(rejection == Rejection::NotFound || founding, "strangers learn nothing, not {rejection:?}");
                }
            }
        }
    }

    fn again(&mut self, before: Command, other_hash: bool, actor: Option<UserId>) {
        let mut again = before.clone();
        again.actor = actor.unwrap_or(before.actor);
        if other_hash {
            again.hash = [2; 16];
        }
        let is_same = again.hash == before.hash && again.author() == before.author();
        let outcome = self.decide(&again, false);
        match self.index.get(&before.id) {
            Some(first) if is_same => assert_eq!(outcome, Ok(Decision::Repeat(first.seq)), "the first outcome"),
            Some(_) => assert_eq!(outcome, Err(Rejection::CommandReused)),
            // It took no effect then, and is decided anew: it may take effect now.
            None => {
                if let Ok(Decision::New(event)) = outcome {
                    self.may_follow(&again, &event);
                    self.append(event);
                    let place = self.commands.iter_mut().find(|command| command.id == again.id);
                    *place.expect("it is one of them") = again;
                }
            }
        }
    }

    /// Mostly a message, sometimes another command, whatever came of it, or an id that nobody ever used.
    fn id(&self, index: prop::sample::Index) -> CommandId {
        let sent = self.log.iter().filter(|event| matches!(event.kind, EventKind::Sent(_))).map(|event| event.id);
        let sent: Vec<_> = sent.collect();
        let unused = CommandId(Uuid::from_u128(1));
        let other: Vec<_> = self.commands.iter().map(|command| command.id).chain([unused]).collect();
        let is_other = sent.is_empty() || index.index(8) == 0;
        *index.get(if is_other { &other } else { &sent })
    }

    fn kind(&self, wish: Wish) -> CommandKind {
        let body = Bytes::from_static(b"sealed");
        match wish {
            Wish::Known(kind) => kind,
            Wish::Send { mentions, reply, thread } => CommandKind::Send {
                body,
                mentions,
                replies: reply.map(|index| self.id(index)).into_iter().collect(),
                thread: thread.map(|index| self.id(index)),
                expires_at: None,
            },
            Wish::Edit(target, mentions) => CommandKind::Edit { target: self.id(target), body, mentions },
            Wish::Delete(target) => CommandKind::Delete { target: self.id(target) },
            Wish::React(target, emoji, on) => {
                CommandKind::React { target: self.id(target), emoji: emoji.to_owned(), on }
            }
            Wish::Pin(target, on) => CommandKind::Pin { target: self.id(target), on },
        }
    }

    /// What holds of an event and the state on which it was decided, whatever the rules are in detail.
    fn may_follow(&self, command: &Command, event: &Event) {
        let state = &self.state;
        assert_eq!((event.seq, event.id, event.author), (state.seq.next(), command.id, command.author()));
        assert!(event.at >= state.at, "time does not run backwards");
        assert!((state.worthy..=state.worthy + 1).contains(&event.worthy));
        let own = state.role(command.actor);
        let role = |user| state.role(user);
        match &event.kind {
            EventKind::Created { .. } => assert_eq!(state.seq, Seq::ZERO),
            EventKind::Joined { user, .. } if *user == command.actor => assert_eq!(state.kind, Some(Kind::Channel)),
            _ => assert!(own.is_some(), "whoever is no member, or no longer, cannot act"),
        }
        match &event.kind {
            EventKind::Joined { user, role: Role::Owner } => {
                assert!(state.members.is_empty() && *user == command.actor)
            }
            EventKind::Joined { user, role } => assert!(*role == Role::Member && state.role(*user).is_none()),
            EventKind::RoleSet { user, role: to } => {
                assert!(Some(*to) <= own, "roles cannot be raised above one's own");
                assert!(role(*user) <= own, "nor can those above be lowered");
            }
            EventKind::Removed { user } => assert!(role(*user).is_some() && role(*user) < own),
            EventKind::Left if own == Some(Role::Owner) => {
                assert!(state.owners() > 1 || state.members.len() == 1, "the last owner passes the role first");
            }
            EventKind::Edited { target, .. } => assert_eq!(self.log[at(target.seq)].author, command.actor),
            _ => {}
        }
        if let Some(target) = event.kind.target() {
            let message = &self.log[at(target.seq)];
            assert_eq!((message.id, matches!(message.kind, EventKind::Sent(_))), (target.id, true));
            assert!(Some(target.seq) >= state.readable_from(command.actor), "what one cannot read one cannot change");
        }
    }

    fn append(&mut self, event: Event) {
        self.state.apply(&event);
        self.index.insert(event.id, Remembered::of(&event));
        if let Some(target) = Overlay::target(&event) {
            self.overlays.entry(target.seq).or_default().apply(&event);
        }
        self.log.push(event);
    }
}

/// The place of an event in the log.
fn at(seq: Seq) -> usize {
    usize::try_from(seq.0).expect("histories are short") - 1
}

/// The log alone gives the same state, window and overlays; what is folded twice is as if folded once.
fn replays(world: &World) {
    let mut state = Conversation::empty(world.state.id);
    let mut overlays = BTreeMap::<Seq, Overlay>::new();
    for (event, seq) in world.log.iter().zip(1..) {
        assert_eq!(event.seq, Seq(seq), "contiguous");
        state.apply(event);
        if let Some(target) = Overlay::target(event) {
            overlays.entry(target.seq).or_default().apply(event);
        }
    }
    assert_eq!(state, world.state);
    assert_eq!(overlays, world.overlays);
    for event in &world.log {
        if let Some(target) = Overlay::target(event) {
            overlays.entry(target.seq).or_default().apply(event);
        }
    }
    assert_eq!(overlays, world.overlays, "a repeat changes nothing");
    let pinned = overlays.iter().filter(|(_, overlay)| overlay.pinned.is_some()).map(|(seq, _)| *seq);
    assert_eq!(pinned.collect::<BTreeSet<_>>(), world.state.pins);
    for overlay in overlays.values() {
        assert!(overlay.reactions.iter().all(|reaction| !reaction.users.is_empty()));
        assert!(overlay.deleted.is_none() || overlay.reactions.is_empty() && overlay.pinned.is_none());
    }
}

/// The effects of all events, folded as lists keep them, give the members of the state; and what is erased is all there is.
fn reacts(world: &World) {
    let mut members = BTreeMap::new();
    for event in &world.log {
        let mut annotated = None;
        for effect in react(event) {
            match effect {
                Effect::Joined { user, role } => {
                    members.insert(user, Member { role, joined: event.seq });
                }
                Effect::RoleSet { user, role } => {
                    members.entry(user).and_modify(|member| member.role = role);
                }
                Effect::Gone { user } => {
                    members.remove(&user);
                }
                Effect::Mentioned { user, message } => {
                    assert_eq!(message, Overlay::target(event).map_or(event.seq, |target| target.seq));
                    assert!(user != event.author && members.contains_key(&user), "members, but not oneself");
                }
                Effect::Read { user } => assert!(user == event.author && members.contains_key(&user)),
                Effect::Annotated { target } => annotated = Some(target),
                Effect::Erase { seqs } => {
                    let about = |other: &&Event| {
                        let link = Overlay::target(other).filter(|_| other.kind.body().is_some());
                        Some(other.seq) == annotated || link.is_some_and(|link| Some(link.seq) == annotated)
                    };
                    let bodies: Vec<_> = world.log.iter().filter(about).map(|other| other.seq).collect();
                    assert_eq!(seqs, bodies, "the message and all its edits");
                }
                Effect::Described => {}
            }
        }
        assert_eq!(annotated, Overlay::target(event).map(|target| target.seq));
    }
    assert_eq!(members, world.state.members);
}

/// The window, kept and restored as a snapshot does it, knows every command that is recent, as the index does.
fn remembers(world: &World) {
    let mut restored = Window::default();
    for (id, remembered) in world.state.window.entries() {
        assert_eq!(world.index.get(&id), Some(&remembered));
        restored.restore(id, remembered);
    }
    assert_eq!(restored, world.state.window);
    assert_eq!(restored.entries().count(), world.log.len().min(crate::limits::WINDOW_COMMANDS));
}

#[test]
fn whatever_people_want_the_conversation_holds() {
    let happened = RefCell::new(BTreeMap::<String, u32>::new());
    let config = Config { cases: 1_500, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        replays(&world);
        reacts(&world);
        remembers(&world);
        for event in &world.log {
            let name = format!("{:?}", event.kind);
            let name = name.split([' ', '(']).next().expect("there is a first word");
            *happened.borrow_mut().entry(name.to_owned()).or_default() += 1;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // All kinds but those that only a later version knows: or this test would hold because nothing happens in it.
    let all = [
        "Changed", "Created", "Deleted", "Edited", "Joined", "Left", "Pinned", "Reacted", "Removed", "RoleSet", "Sent",
    ];
    assert_eq!(happened.borrow().keys().collect::<Vec<_>>(), all, "{happened:?}");
    assert!(happened.borrow().values().all(|count| *count > 100), "{happened:?}");
}
