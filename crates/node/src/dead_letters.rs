//! The dead letters of a site, for its operator: commands that could not be decided though its servers were well.

use anyhow::{anyhow, bail};
use bytes::Bytes;
use klatch_core::conversation::CommandKind;
use klatch_ports::commands::{Commands, DEAD_SEEN_MAX, Dead};
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{DeadLetter, Envelope};
use klatch_server::partitioning;
use klatch_server::replaying::{self, Replayed};
use serde::Serialize;

use crate::config::Config;
use crate::engines;
use crate::environment::Overrides;
use crate::moving::open_here;

/// Letters that are replayed before those are taken away.
const PAGE: usize = 100;

/// A dead letter, as an operator sees it. What somebody wrote is not in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Shown {
    /// When it was given up: milliseconds since 1970.
    pub at: u64,
    /// In which partition it waited.
    pub partition: u32,
    /// In which conversation, if that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// Whose command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The command's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it wants, in a word.
    pub kind: &'static str,
    /// Why it was not decided.
    pub reason: String,
}

/// What became of a letter that was replayed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Done {
    /// The letter.
    #[serde(flatten)]
    pub letter: Shown,
    /// The command that it has become.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted: Option<String>,
    /// Where it took effect without that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_effect_at: Option<u64>,
    /// Why it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// How many there are, and the oldest of them.
///
/// # Errors
/// A sentence that says what to do.
pub async fn list(config: &Config, limit: usize) -> anyhow::Result<(u64, Vec<Shown>)> {
    let commands = engines::queue(config).await?;
    let mut dead = look(&*commands).await?;
    let mut shown = Vec::new();
    while shown.len() < limit {
        let letters = dead.next((limit - shown.len()).min(DEAD_SEEN_MAX)).await.map_err(engines::whole)?;
        if letters.is_empty() {
            break;
        }
        shown.extend(letters.into_iter().map(|letter| Shown::of(DeadLetter::decode(letter.payload).ok())));
    }
    Ok((dead.count(), shown))
}

/// Makes a new command of each of those that there are now. `tell` hears what became of each. A letter is taken away once its command is
/// in the queue; one of which no command can be made stays, behind all others.
///
/// # Errors
/// A sentence that says what to do: what was done before stays done.
pub async fn replay(
    config: &Config,
    overrides: &Overrides,
    tell: impl FnMut(Done) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let opened = open(config, overrides).await?;
    let (services, sealer) = (&opened.services, &opened.sealer);
    let replay = async |letter: &DeadLetter| {
        partitioning::send(services).await?;
        replaying::replay(services, sealer, letter).await
    };
    let delivered = deliver(&*services.commands, replay, tell).await;
    let left = services.partitioning.leave(&services.process).await.map_err(engines::whole);
    delivered.and(left)
}

/// Replays page by page.
async fn deliver(
    commands: &dyn Commands,
    mut replay: impl AsyncFnMut(&DeadLetter) -> Result<Replayed, Error>,
    mut tell: impl FnMut(Done) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut dead = look(commands).await?;
    loop {
        let letters = dead.next(PAGE).await.map_err(engines::whole)?;
        let (mut kept, mut done, mut failure) = (Vec::new(), None, None);
        for letter in letters {
            let read = DeadLetter::decode(letter.payload.clone()).ok();
            let replayed = match &read {
                Some(read) => replay(read).await,
                None => Ok(Replayed::Kept("it cannot be read".to_owned())),
            };
            let replayed = match replayed {
                Ok(replayed) => replayed,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            };
            if let Replayed::Kept(_) = &replayed {
                kept.push(letter.payload);
            }
            done = Some(letter.position);
            tell(Done::of(Shown::of(read), replayed))?;
        }
        if let Some(position) = done {
            keep(commands, kept).await?;
            dead.take_away(position).await.map_err(engines::whole)?;
        }
        match failure {
            // The letters after it were told, and not replayed: whoever went on would take them away with those that follow.
            Some(error) => return Err(engines::whole(error)),
            None if done.is_none() => return Ok(()),
            None => {}
        }
    }
}

/// Puts letters that stay behind all others, before they are taken away: to have a letter twice does no harm.
async fn keep(commands: &dyn Commands, kept: Vec<Bytes>) -> anyhow::Result<()> {
    commands.bury(kept).await.map_err(|error| match error.kind {
        ErrorKind::Full => anyhow!("there is no room to keep those that stay: drop some of the oldest first"),
        _ => engines::whole(error),
    })
}

/// Throws so many of the oldest away, or all that there are now, and returns how many those were.
///
/// # Errors
/// A sentence that says what to do.
pub async fn throw_away(config: &Config, count: Option<u64>) -> anyhow::Result<u64> {
    let commands = engines::queue(config).await?;
    let mut dead = look(&*commands).await?;
    let (mut gone, count) = (0, count.unwrap_or(u64::MAX));
    while gone < count {
        let limit = usize::try_from(count - gone).unwrap_or(PAGE).min(PAGE);
        let letters = dead.next(limit).await.map_err(engines::whole)?;
        let Some(last) = letters.last() else { break };
        dead.take_away(last.position).await.map_err(engines::whole)?;
        gone += letters.len() as u64;
    }
    Ok(gone)
}

async fn look(commands: &dyn Commands) -> anyhow::Result<Box<dyn Dead>> {
    commands.dead().await.map_err(engines::whole)
}

async fn open(config: &Config, overrides: &Overrides) -> anyhow::Result<engines::Opened> {
    let embedded = config.engines.choose().map_err(anyhow::Error::msg)?.embedded();
    if !embedded.is_empty() {
        bail!(
            "only the node that runs has what is embedded ({}): dead letters are replayed where all is on servers",
            embedded.join(", ")
        );
    }
    open_here(config, overrides).await
}

impl Shown {
    fn of(letter: Option<DeadLetter>) -> Self {
        let Some(DeadLetter { partition, conversation, at, reason, payload }) = letter else {
            let reason = "this is no dead letter, or one of a later version".to_owned();
            return Self {
                at: 0,
                partition: 0,
                conversation: None,
                author: None,
                id: None,
                kind: "unreadable",
                reason,
            };
        };
        let command = Envelope::decode(payload).ok().map(|envelope| envelope.command);
        Self {
            at: at.0,
            partition,
            conversation: conversation.map(|id| id.to_string()),
            author: command.as_ref().map(|command| command.actor.to_string()),
            id: command.as_ref().map(|command| command.id.to_string()),
            kind: command.map_or("unreadable", |command| word(&command.kind)),
            reason,
        }
    }
}

impl Done {
    fn of(letter: Shown, replayed: Replayed) -> Self {
        let mut done = Self { letter, submitted: None, took_effect_at: None, kept: None };
        match replayed {
            Replayed::Submitted(id) => done.submitted = Some(id.to_string()),
            Replayed::TookEffect(seq) => done.took_effect_at = Some(seq.0),
            Replayed::Kept(why) => done.kept = Some(why),
        }
        done
    }
}

const fn word(kind: &CommandKind) -> &'static str {
    match kind {
        CommandKind::Create(_) => "create",
        CommandKind::Change(_) => "change",
        CommandKind::Join => "join",
        CommandKind::Leave => "leave",
        CommandKind::Add { .. } => "add",
        CommandKind::Remove { .. } => "remove",
        CommandKind::SetRole { .. } => "set_role",
        CommandKind::Send { .. } => "send",
        CommandKind::Edit { .. } => "edit",
        CommandKind::Delete { .. } => "delete",
        CommandKind::React { .. } => "react",
        CommandKind::Pin { .. } => "pin",
        CommandKind::Import { .. } => "import",
    }
}

#[cfg(test)]
mod tests {
    use klatch_core::ids::{Seq, Timestamp};
    use klatch_ports::commands::memory::Memory;

    use super::*;

    #[tokio::test]
    async fn what_an_outage_interrupts_is_all_there_for_the_next_time() {
        let commands = Memory::new(1, 10);
        let count = PAGE + 50;
        let letter = |at| DeadLetter {
            partition: 0,
            conversation: None,
            at: Timestamp(at),
            reason: "damaged".to_owned(),
            payload: Bytes::new(),
        };
        commands.bury((0..count as u64).map(|at| letter(at).encode()).collect()).await.unwrap();
        let (mut is_away, mut replayed) = (true, Vec::new());
        for is_done in [false, true] {
            let replay = async |letter: &DeadLetter| {
                if letter.at == Timestamp(2) && std::mem::take(&mut is_away) {
                    return Err(Error::unavailable("for a moment"));
                }
                replayed.push(letter.at.0);
                Ok(Replayed::TookEffect(Seq(1)))
            };
            assert_eq!(deliver(&commands, replay, |_| Ok(())).await.is_ok(), is_done);
        }
        assert_eq!(replayed, (0..count as u64).collect::<Vec<_>>());
        assert_eq!(commands.dead().await.unwrap().count(), 0);
    }
}
