//! From a line of an IRC log to an item: who, when, what, and which messages it answers.
//!
//! Messages become messages. What the server said (somebody came or left, a nick changed) becomes a notice: it changes nobody's
//! rights and counts as unread for nobody.

use std::collections::BTreeSet;

use klatch_core::limits::{ORIGIN_BYTES_MAX, REPLIES_MAX, TEXT_BYTES_MAX};
use klatch_protocol::objects::{Body, Origin};
use klatch_protocol::rest::ImportItem;
use serde::Deserialize;
use uuid::Uuid;

use super::report::{Kinds, Links};

/// The network that authors come from.
const NETWORK: &str = "irc";
const DAY_MS: u64 = 86_400_000;

/// A line of the log.
#[derive(Debug, Deserialize)]
struct Line {
    file: String,
    line: u64,
    date: String,
    time: Option<String>,
    nick: Option<String>,
    text: Option<String>,
    action: Option<String>,
    event: Option<String>,
    system: Option<String>,
    #[serde(default)]
    replies_to: Vec<u64>,
}

/// What a line comes to.
#[derive(Debug)]
pub struct Read {
    /// The item; or why there is none.
    pub item: Result<ImportItem, &'static str>,
    /// What became of its links, if it is kept.
    pub links: Links,
}

/// Reads the lines of a log, in order.
pub struct Reader {
    /// Who speaks where a notice names nobody.
    channel: String,
    /// The stretch of log that is being read; links stay within one.
    file: String,
    /// The time of the last line that had one: milliseconds since midnight.
    time: u64,
    /// The lines of this stretch that are messages and are kept.
    messages: BTreeSet<u64>,
    /// What was read so far.
    pub kinds: Kinds,
}

impl Reader {
    /// A reader of the log of this channel.
    pub fn new(channel: &str) -> Self {
        let (channel, file) = (format!("#{channel}"), String::new());
        Self { channel, file, time: 0, messages: BTreeSet::new(), kinds: Kinds::default() }
    }

    /// Reads a line.
    pub fn read(&mut self, json: &[u8]) -> Read {
        let Ok(line) = serde_json::from_slice::<Line>(json) else {
            self.kinds.unknown += 1;
            return Read { item: Err("the line was not understood"), links: Links::default() };
        };
        if line.file != self.file {
            self.file.clone_from(&line.file);
            self.time = 0;
            self.messages.clear();
        }
        let (replies, links) = self.replies(&line);
        let item = self.item(&line, replies);
        let is_message = line.text.is_some() || line.action.is_some();
        if is_message && item.is_ok() {
            self.messages.insert(line.line);
        }
        let links = if item.is_ok() { links } else { links.lost() };
        Read { item, links }
    }

    fn item(&mut self, line: &Line, replies: Vec<Uuid>) -> Result<ImportItem, &'static str> {
        let (name, body) = self.said(line).ok_or_else(|| {
            self.kinds.unknown += 1;
            "the line says nothing that is known"
        })?;
        let day = day(&line.date).ok_or("the date is none")?;
        if let Some(time) = line.time.as_deref().and_then(minutes) {
            self.time = time;
        }
        if name.is_empty() || name.len() > ORIGIN_BYTES_MAX {
            return Err("the nick is missing or too long");
        }
        if matches!(&body, Body::Text { text, .. } | Body::Notice { text } if text.len() > TEXT_BYTES_MAX) {
            return Err("the text is too long");
        }
        Ok(ImportItem {
            id: id(&line.file, line.line),
            author: Origin { network: NETWORK.to_owned(), name },
            at: day + self.time,
            body,
            replies,
        })
    }

    /// Who said what.
    fn said(&mut self, line: &Line) -> Option<(String, Body)> {
        // The log has blanks after some nicks, where it says who came.
        let nick = line.nick.as_deref().unwrap_or_default().trim().to_owned();
        if let Some(text) = &line.text {
            self.kinds.messages += 1;
            return Some((nick, Body::Text { text: text.clone(), emote: false }));
        }
        if let Some(text) = &line.action {
            self.kinds.messages += 1;
            return Some((nick, Body::Text { text: text.clone(), emote: true }));
        }
        let text = match line.event.as_deref() {
            Some("joined") => {
                self.kinds.joined += 1;
                format!("{nick} joined")
            }
            Some("left") => {
                self.kinds.left += 1;
                format!("{nick} left")
            }
            _ => {
                let text = line.system.as_deref()?;
                self.kinds.system += 1;
                let text = text.strip_prefix("=== ").unwrap_or(text).trim().to_owned();
                return Some((self.channel.clone(), Body::Notice { text }));
            }
        };
        Some((nick, Body::Notice { text }))
    }

    /// The messages that a line answers. Only kept messages can be answered: a link to anything else goes to the nearest one
    /// before it.
    fn replies(&self, line: &Line) -> (Vec<Uuid>, Links) {
        let mut links = Links { all: line.replies_to.len() as u64, ..Links::default() };
        let mut answered = Vec::new();
        for wanted in &line.replies_to {
            // A message answers only what was said before it.
            let latest = (*wanted).min(line.line.saturating_sub(1));
            let Some(&found) = self.messages.range(..=latest).next_back() else {
                links.not_kept += 1;
                continue;
            };
            if answered.contains(&found) {
                links.merged += 1;
            } else if answered.len() == REPLIES_MAX {
                links.not_kept += 1;
            } else {
                answered.push(found);
                *if found == *wanted { &mut links.kept } else { &mut links.moved } += 1;
            }
        }
        (answered.into_iter().map(|found| id(&line.file, found)).collect(), links)
    }
}

/// The id of a line: a UUIDv8 (RFC 9562) derived from where it stands, so that it is the same each time.
pub fn id(file: &str, line: u64) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("klatch 2026 imported irc line");
    hasher.update(&(file.len() as u64).to_be_bytes()).update(file.as_bytes()).update(&line.to_be_bytes());
    let bytes = *hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes");
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Milliseconds from midnight to `HH:MM`.
fn minutes(time: &str) -> Option<u64> {
    let (hours, minutes) = time.split_once(':')?;
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60_000)
}

/// Milliseconds from 1970 to the midnight with which `YYYY-MM-DD` (UTC) begins.
fn day(date: &str) -> Option<u64> {
    let mut parts = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let of_month = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (index, length) = (month as usize - 1, of_month[month as usize - 1]);
    if !(1..=length).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(|year| 365 + u64::from(leap(year))).sum();
    Some((years + of_month[..index].iter().sum::<u64>() + day - 1) * DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(reader: &mut Reader, json: &str) -> ImportItem {
        reader.read(json.as_bytes()).item.expect("it is kept")
    }

    #[test]
    fn days_and_minutes_are_counted_as_the_calendar_has_them() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2004-02-29"), Some(1_078_012_800_000));
        assert_eq!(day("2018-02-27"), Some(1_519_689_600_000));
        for bad in ["2018-02-29", "2018-13-01", "2018-00-01", "2018-01", "1969-01-01", "x", "2018-01-01-01"] {
            assert_eq!(day(bad), None, "{bad}");
        }
        assert_eq!(minutes("09:14"), Some(33_240_000));
        assert_eq!((minutes("24:00"), minutes("9"), minutes("")), (None, None, None));
    }

    #[test]
    fn a_missing_time_is_the_last_known_one_of_the_same_stretch() {
        let mut reader = Reader::new("tea");
        let joined = r#"{"file":"a","line":0,"date":"1970-01-02","nick":"Ada ","event":"joined"}"#;
        let first = item(&mut reader, joined);
        assert_eq!((first.at, first.author.name.as_str()), (DAY_MS, "Ada"));
        assert_eq!(first.body, Body::Notice { text: "Ada joined".into() });
        let said = r#"{"file":"a","line":1,"date":"1970-01-02","time":"00:02","nick":"Ada","action":"waves"}"#;
        assert_eq!(item(&mut reader, said).body, Body::Text { text: "waves".into(), emote: true });
        let system = r#"{"file":"a","line":2,"date":"1970-01-02","system":"=== Ada is now known as Eve"}"#;
        let notice = item(&mut reader, system);
        assert_eq!((notice.at, notice.author.name.as_str()), (DAY_MS + 120_000, "#tea"));
        assert_eq!(notice.body, Body::Notice { text: "Ada is now known as Eve".into() });
        let other = r#"{"file":"b","line":0,"date":"1970-01-02","nick":"Ada","event":"left"}"#;
        assert_eq!(item(&mut reader, other).at, DAY_MS);
        let kinds = Kinds { messages: 1, joined: 1, left: 1, system: 1, unknown: 0 };
        assert_eq!(reader.kinds, kinds);
    }

    #[test]
    fn links_go_to_messages_or_to_the_nearest_one_before() {
        let mut reader = Reader::new("tea");
        let line = |line: u64, rest: &str| format!(r#"{{"file":"a","line":{line},"date":"2004-01-01",{rest}}}"#);
        let answers = |to: &str| format!(r#""nick":"a","text":"x","replies_to":{to}"#);
        let early = reader.read(line(0, &answers("[0]")).as_bytes());
        assert_eq!(early.links, Links { all: 1, not_kept: 1, ..Links::default() });
        reader.read(line(1, r#""nick":"b","event":"joined""#).as_bytes());
        reader.read(line(2, r#""nick":"b","text":"hm""#).as_bytes());
        let read = reader.read(line(9, &answers("[0, 2, 1, 7, 3]")).as_bytes());
        assert_eq!(read.links, Links { all: 5, kept: 2, merged: 3, ..Links::default() });
        assert_eq!(read.item.expect("kept").replies, [id("a", 0), id("a", 2)]);
        let read = reader.read(line(10, &answers("[99, 3]")).as_bytes());
        assert_eq!(read.links, Links { all: 2, moved: 2, ..Links::default() });
        assert_eq!(read.item.expect("kept").replies, [id("a", 9), id("a", 2)]);
        let read = reader.read(br#"{"file":"b","line":1,"date":"2004-01-01","nick":"a","text":"x","replies_to":[0]}"#);
        assert_eq!(read.links.not_kept, 1, "links stay within a stretch");
    }

    #[test]
    fn what_cannot_be_kept_says_why() {
        let mut reader = Reader::new("tea");
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let bad = [
            "{}".to_owned(),
            "nonsense".to_owned(),
            r#"{"file":"a","line":0,"date":"2004-01-01","nick":"a"}"#.to_owned(),
            r#"{"file":"a","line":0,"date":"no","nick":"a","text":"x"}"#.to_owned(),
            r#"{"file":"a","line":0,"date":"2004-01-01","nick":" ","text":"x","replies_to":[0]}"#.to_owned(),
            format!(r#"{{"file":"a","line":0,"date":"2004-01-01","nick":"a","text":"{long}"}}"#),
        ];
        for line in bad {
            let read = reader.read(line.as_bytes());
            assert!(read.item.is_err(), "{line}");
            assert_eq!(read.links.all, read.links.not_kept);
        }
        assert_eq!((reader.kinds.unknown, reader.kinds.messages), (3, 3));
    }
}
