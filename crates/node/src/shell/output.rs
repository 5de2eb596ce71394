//! What commands print: lines for people, or one JSON object a line; and how a command ends.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use klatch_protocol::objects::{Body, Event, EventBody, Slug};
use serde::Serialize;

/// What stands below the list of commands.
pub const BELOW_HELP: &str = "\
To begin:
  klatch run                          start a site, and open the link that it prints
  klatch login                        from then on, the commands of the shell know who you are
  klatch send '#tea' 'Kettle is on.'
  klatch tail '#tea'

`klatch COMMAND --help` has examples of each. Those with --json print one object a line, for other programs.

Exit codes:
  0  done
  1  failed, or something was found
  2  the command line was not understood
  3  not signed in, or not allowed
  4  the server cannot be reached";

/// Nobody is signed in at the server, or no longer.
#[derive(Debug, thiserror::Error)]
#[error("you are not signed in at {0}; run `klatch login --server {0}`")]
pub struct NotSignedIn(pub String);

/// A check found something, which was printed already.
#[derive(Debug, thiserror::Error)]
#[error("something was found")]
pub struct Found;

/// How the program ends with this failure; says why where nobody has yet.
pub fn end(error: &anyhow::Error) -> ExitCode {
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    // Whoever read our output has seen enough; a connection that broke comes as another error.
    if error.is::<io::Error>() && error.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    if error.is::<Found>() {
        return ExitCode::FAILURE;
    }
    eprintln!("klatch: {error:#}");
    if error.is::<NotSignedIn>() {
        return ExitCode::from(3);
    }
    let Some(error) = error.downcast_ref::<klatch_client::Error>() else { return ExitCode::FAILURE };
    if let Some(advice) = advice(error) {
        eprintln!("{advice}");
    }
    match (error, error.slug()) {
        (klatch_client::Error::Unreachable(_), _) => ExitCode::from(4),
        // What HTTP calls unauthorized and forbidden.
        (_, Some(slug)) if matches!(slug.status(), 401 | 403) => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    }
}

/// What to do about a failure, where it does not say so itself.
fn advice(error: &klatch_client::Error) -> Option<&'static str> {
    use klatch_client::Error::{Unexpected, Unreachable};
    match (error, error.slug()) {
        (Unreachable(_), _) => Some("Is it running, and is this its address? --server or KLATCH_SERVER names another."),
        (Unexpected(_), _) => Some("Is that a Klatch, of this version? --server or KLATCH_SERVER names another."),
        (_, Some(Slug::SignedOut | Slug::Unauthorized | Slug::TokenExpired)) => {
            Some("Sign in again with `klatch login`.")
        }
        _ => None,
    }
}

/// Prints a line, now.
///
/// # Errors
/// Nobody reads any more, or the disk is full.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Prints an object on a line of its own.
///
/// # Errors
/// As [`line`].
pub fn json(object: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(object)?)
}

/// What others wrote, safe to print: no control characters reach a terminal.
pub fn plain(text: &str) -> String {
    let shown = |c: char| if c == '\t' || !klatch_core::text::is_forbidden_in_name(c) { c } else { '\u{fffd}' };
    text.chars().map(shown).collect()
}

/// Whether somebody sits in front of standard error.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// An event as a line for people; `None` where there is nothing to read.
pub fn event(event: &Event, author: &str, name_of: impl Fn(uuid::Uuid) -> String) -> Option<String> {
    let at = clock(event.claimed_at.filter(|_| event.origin.is_some()).unwrap_or(event.at));
    let author = plain(author);
    let said = |body: &Option<Body>| match body {
        Some(Body::Text { text, emote: false }) => format!("<{author}> {}", indented(text)),
        Some(Body::Text { text, emote: true }) => format!("* {author} {}", indented(text)),
        Some(Body::Notice { text }) => format!("-- {}", indented(text)),
        Some(Body::Unsupported) => format!("<{author}> (not supported here)"),
        None => format!("<{author}> (deleted)"),
    };
    let what = match &event.kind {
        EventBody::Sent { body, .. } => said(body),
        EventBody::Edited { body, .. } => format!("{} (edited)", said(body)),
        EventBody::Created { name, .. } => format!("-- {author} began {}", plain(name)),
        EventBody::Changed { .. } => format!("-- {author} changed the conversation"),
        EventBody::Joined { user, .. } if *user == event.author => format!("-- {author} joined"),
        EventBody::Joined { user, .. } => format!("-- {author} added {}", plain(&name_of(*user))),
        EventBody::Left { .. } => format!("-- {author} left"),
        EventBody::Removed { user } => format!("-- {author} removed {}", plain(&name_of(*user))),
        EventBody::RoleSet { user, .. } => format!("-- {author} set the role of {}", plain(&name_of(*user))),
        EventBody::Deleted { .. } => format!("-- {author} deleted a message"),
        EventBody::Reacted { emoji, .. } => format!("-- {author} reacted with {}", plain(emoji)),
        EventBody::Unreacted { .. } | EventBody::Unpinned { .. } => return None,
        EventBody::Pinned { .. } => format!("-- {author} pinned a message"),
        EventBody::Unsupported => "-- (not supported here)".to_owned(),
    };
    Some(format!("{at} {what}"))
}

/// The lines of a text, the later ones set in.
fn indented(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n    ")
}

/// `2004-12-25 09:14` (UTC).
pub fn clock(ms: u64) -> String {
    let (days, minutes) = (ms / 86_400_000, ms / 60_000 % 1_440);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

/// The date so many days after 1970-01-01, by the days of 400-year eras that begin in March.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + if month <= 2 { 1 } else { 0 }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_calendar_has_them() {
        assert_eq!(clock(0), "1970-01-01 00:00");
        assert_eq!(clock(1_078_012_800_000 + 60_000), "2004-02-29 00:01");
        assert_eq!(clock(1_519_776_000_000 - 1), "2018-02-27 23:59");
        assert_eq!(clock(1_704_067_199_999), "2023-12-31 23:59");
    }

    #[test]
    fn nothing_that_others_wrote_commands_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c"), "a\u{fffd}[31mb\u{fffd}c");
        assert_eq!(indented("a\r\nb\r"), "a\n    b\u{fffd}");
    }
}
