//! Bytes that were written once and are read for ever. A file is never changed; where the format grows, files are added.
//! `KLATCH_GOLDEN=write` writes those that are missing.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use klatch_core::conversation::Rejection;
use klatch_core::ids::{ConversationId, Seq};
use klatch_protocol::log::{
    DeadLetter, Envelope, Failure, Malformed, Outcome, Refusal, SaidEvent, Signal, StoredEvent, decode_body,
    decode_bundle, decode_event, decode_index, decode_mark, decode_outcomes, decode_overlay, decode_snapshot,
    encode_body, encode_bundle, encode_event, encode_index, encode_mark, encode_outcomes, encode_overlay,
    encode_snapshot,
};
use klatch_protocol::objects::Body;

use crate::samples;

/// The parts of a file: hexadecimal, one part a line; `#` begins a comment.
fn read(name: &str) -> Vec<Bytes> {
    let path = path(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            (0..line.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&line[at..at + 2], 16).expect("hexadecimal"))
                .collect()
        })
        .collect()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("hex")
}

/// What this build writes is what was written once.
fn same(name: &str, parts: &[&[u8]]) {
    if std::env::var_os("KLATCH_GOLDEN").is_some() && !path(name).exists() {
        let hex = |part: &&[u8]| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
        fs::write(path(name), parts.iter().map(hex).collect::<String>()).expect("written");
    }
    assert_eq!(read(name), parts, "{name}: what is written now is not what was written once");
}

fn event(name: &str) -> (Bytes, Bytes) {
    let [head, body] = read(name).try_into().expect("head and body");
    (head, body)
}

#[test]
fn every_kind_of_event() {
    for (name, expected) in samples::events() {
        let StoredEvent { head, body } = encode_event(&expected);
        same(name, &[&head, &body]);
        let (head, body) = event(name);
        assert_eq!(decode_event(Seq(7), head, body).unwrap(), expected, "{name}");
    }
}

/// Written by a later version: the fields of a kind that is known have grown, and so has the head.
#[test]
fn an_event_with_unknown_fields_is_read_without_them() {
    let (_, expected) = samples::events().into_iter().find(|(name, _)| *name == "event-sent").unwrap();
    let (head, body) = event("event-sent-unknown_fields");
    assert_ne!(head, encode_event(&expected).head);
    assert_eq!(decode_event(Seq(7), head, body).unwrap(), expected);
}

/// Whether somebody may decide on what follows is said by the event itself.
#[test]
fn an_event_of_unknown_kind_says_whether_it_may_be_passed_over() {
    for (name, expected) in samples::unknown_events() {
        let (head, body) = event(name);
        let read = decode_event(Seq(7), head, body).unwrap();
        assert_eq!(read, expected, "{name}");
        let mut state = samples::conversation();
        (state.seq, state.sealed_off) = (Seq(6), None);
        state.apply(&read);
        let is_passable = name == "event-unknown-passable";
        assert_eq!(state.sealed_off, (!is_passable).then_some(Seq(7)), "{name}");
    }
}

#[test]
fn the_index() {
    same("index", &[&encode_index(&samples::REMEMBERED)]);
    assert_eq!(decode_index(&read("index")[0]).unwrap(), samples::REMEMBERED);
}

#[test]
fn an_entry_of_the_index_may_grow() {
    assert_eq!(decode_index(&read("index-longer")[0]).unwrap(), samples::REMEMBERED);
}

#[test]
fn a_snapshot() {
    let state = samples::conversation();
    same("snapshot", &[&encode_snapshot(&state)]);
    assert_eq!(decode_snapshot(state.id, read("snapshot").remove(0)).unwrap(), state);
}

#[test]
fn a_snapshot_of_another_version_is_not_read() {
    let refused = decode_snapshot(ConversationId(samples::uuid(0x44)), read("snapshot-version_999").remove(0));
    assert!(matches!(refused, Err(Malformed::Version(999))), "{refused:?}");
}

#[test]
fn an_overlay() {
    let row = samples::overlay();
    same("overlay", &[&encode_overlay(&row)]);
    assert_eq!(decode_overlay(read("overlay").remove(0)).unwrap(), row);
}

#[test]
fn every_kind_of_envelope() {
    for (name, envelope) in samples::envelopes() {
        same(name, &[&envelope.encode()]);
        assert_eq!(Envelope::decode(read(name).remove(0)).unwrap(), envelope, "{name}");
    }
}

#[test]
fn every_kind_of_body() {
    let bodies = [
        ("body-text", Body::Text { text: "héllo".into(), emote: true }),
        ("body-notice", Body::Notice { text: "joined".into() }),
    ];
    for (name, body) in bodies {
        same(name, &[&encode_body(&body)]);
        assert_eq!(decode_body(&read(name)[0]).unwrap(), body);
    }
    assert_eq!(decode_body(&read("body-unknown")[0]).unwrap(), Body::Unsupported);
}

#[test]
fn a_refusal_in_a_mailbox() {
    same("refusal", &[&samples::REFUSAL.encode()]);
    assert_eq!(Refusal::decode(read("refusal").remove(0)).unwrap(), samples::REFUSAL);
}

#[test]
fn dead_letters() {
    for (name, letter) in samples::dead_letters() {
        same(name, &[&letter.encode()]);
        assert_eq!(DeadLetter::decode(read(name).remove(0)).unwrap(), letter);
    }
}

#[test]
fn every_kind_of_outcome() {
    let outcomes = [
        ("outcome-committed", Outcome::Committed { seq: Seq(7), repeated: true }),
        ("outcome-rejected", Outcome::Rejected(Rejection::LastOwner)),
        ("outcome-unavailable", Outcome::Failed(Failure::Unavailable)),
        ("outcome-storage_failed", Outcome::Failed(Failure::StorageFailed)),
    ];
    for (name, outcome) in outcomes {
        same(name, &[&encode_outcomes(&[(12, outcome)])]);
        assert_eq!(decode_outcomes(read(name).remove(0)).unwrap(), [(12, outcome)]);
    }
    let all: Vec<_> = (12..).zip(outcomes.map(|(_, outcome)| outcome)).collect();
    same("outcomes", &[&encode_outcomes(&all)]);
    assert_eq!(decode_outcomes(read("outcomes").remove(0)).unwrap(), all);
}

#[test]
fn a_bundle_of_commands() {
    let commands: Vec<_> = samples::envelopes().into_iter().map(|(_, envelope)| envelope.encode()).collect();
    let alone = commands[0].clone();
    assert_eq!(encode_bundle(vec![alone.clone()]), alone, "one needs no bundle");
    assert_eq!(decode_bundle(alone.clone()).unwrap(), [alone]);
    same("bundle", &[&encode_bundle(commands.clone())]);
    assert_eq!(decode_bundle(read("bundle").remove(0)).unwrap(), commands);
    for message in commands.iter().chain(&read("bundle")) {
        assert_eq!(decode_mark(message), None, "it is no mark");
    }
}

#[test]
fn a_mark_in_a_queue() {
    same("mark", &[&encode_mark(300)]);
    let mark = read("mark").remove(0);
    assert_eq!(decode_mark(&mark), Some(300));
    assert!(Envelope::decode(mark).is_err(), "who does not know marks takes it for no command");
}

#[test]
fn events_that_are_said_together() {
    let event = |(seq, (_, event))| {
        let StoredEvent { head, body } = encode_event(&event);
        SaidEvent { seq: Seq(seq), head, body }
    };
    let events: Vec<_> = (7..).zip(samples::events()).map(event).collect();
    for (name, events) in [("said-event", events[..1].to_vec()), ("said-events", events)] {
        same(name, &[&Signal::Events(events.clone()).encode()]);
        assert_eq!(Signal::decode(read(name).remove(0)).unwrap(), Some(Signal::Events(events)));
    }
}
