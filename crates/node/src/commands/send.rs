//! `klatch send`: says something.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use klatch_client::{Error, Rest, new_id};
use klatch_core::limits::TEXT_BYTES_MAX;
use klatch_protocol::objects::{Body, CommandBody, NewCommand, Slug};
use klatch_protocol::rest::CommandAnswer;
use uuid::Uuid;

use crate::shell::output;
use crate::shell::places::conversation;
use crate::shell::server::{Server, block_on};

/// How often a message is sent before one gives up, a second longer apart each time, or as the server says.
const TRIES: u64 = 5;

/// Say something in a conversation
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  klatch send '#ubuntu' 'Good morning'\n  klatch send @ada 'Are you there?'\n  \
    make 2>&1 | tail -20 | klatch send builds -")]
pub struct Send {
    /// A name, #channel, @person or id
    #[arg(value_name = "CONVERSATION")]
    conversation: String,
    /// What to say; - reads it from standard input
    #[arg(value_name = "TEXT")]
    text: String,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Send {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let rest = self.server.open()?;
        let text = if self.text == "-" { from_stdin()? } else { self.text };
        let answer = block_on(async {
            let conversation = conversation(&rest, &self.conversation).await?.id;
            say(&rest, conversation, text).await
        })?;
        if self.json { output::json(&answer) } else { Ok(()) }
    }
}

/// All of standard input, without the ends of its last lines.
fn from_stdin() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    // Read beyond what fits, so that whatever else is wrong with a long text, it is called long.
    std::io::stdin().lock().take(2 * TEXT_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    bytes.truncate(end);
    if bytes.len() > TEXT_BYTES_MAX {
        bail!("the text is too long: at most {TEXT_BYTES_MAX} bytes fit into a message");
    }
    String::from_utf8(bytes).context("standard input is no text (UTF-8)")
}

/// Says it once, however often that must be tried.
async fn say(rest: &Rest, conversation: Uuid, text: String) -> anyhow::Result<CommandAnswer> {
    let command = CommandBody::Send {
        body: Body::Text { text, emote: false },
        mentions: Vec::new(),
        replies: Vec::new(),
        thread: None,
    };
    let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
    for attempt in 1..TRIES {
        match rest.submit(conversation, &new).await {
            Err(error) if let Some(told) = passing(&error) => {
                tokio::time::sleep(told.max(Duration::from_secs(attempt))).await;
            }
            answer => return Ok(answer?),
        }
    }
    Ok(rest.submit(conversation, &new).await?)
}

/// Where it is worth trying again: how long the server wants one to wait.
fn passing(error: &Error) -> Option<Duration> {
    match error {
        Error::Unreachable(_) => Some(Duration::ZERO),
        Error::Refused(problem) => {
            matches!(problem.slug(), Some(Slug::Unavailable | Slug::Stopping | Slug::RateLimited))
                .then(|| Duration::from_millis(problem.retry_after_ms.unwrap_or_default()))
        }
        _ => None,
    }
}
