//! `klatch import`: what was said elsewhere.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use klatch_client::{Rest, new_id};
use klatch_protocol::objects::{ConversationKind, MemberRole};
use klatch_protocol::rest::NewConversation;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::import::report::Report;
use crate::import::source;
use crate::import::upload::{self, Target};
use crate::shell::output;
use crate::shell::places::{channel, conversation};
use crate::shell::server::{Server, block_on};

/// Bring in what was said elsewhere
#[derive(Args, Debug)]
pub struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand, Debug)]
enum From {
    Irc(Irc),
}

/// Import the log of an IRC channel
///
/// FILE holds one JSON object a line (file, line, date, time, nick, and text, action, event or system; replies_to), packed
/// by xz or not. Nicks become imported people, joins and leaves become notices. It can be stopped and started again, and
/// run twice: nothing is imported twice.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  klatch import irc messages.jsonl.xz --channel ubuntu")]
struct Irc {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The channel to import into; it is made if there is none of this name
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let From::Irc(irc) = self.from;
        block_on(irc.run())
    }
}

impl Irc {
    async fn run(self) -> anyhow::Result<()> {
        let rest = self.server.open()?;
        let name = self.channel.strip_prefix('#').unwrap_or(&self.channel);
        let path = self.file.clone();
        let lines = tokio::task::spawn_blocking(move || source::count(&path)).await??;
        let conversation = target(&rest, name).await?;
        let stop = stop_when_told();
        let report = import(&rest, conversation, name, &self.file, lines, &stop).await?;
        if self.json {
            output::json(&report)?
        } else {
            output::line(&report.to_string())?
        }
        if report.lines < lines {
            bail!("stopped after {} of {lines} lines; run it again, and it goes on from there", report.lines);
        }
        Ok(())
    }
}

/// The channel of this name, made where there is none; one must own it.
///
/// # Errors
/// A sentence that says what to do.
pub async fn target(rest: &Rest, name: &str) -> anyhow::Result<Uuid> {
    match channel(rest, name).await? {
        Some(found) if !found.joined => bail!("you are not in #{name}; only its owners import into it"),
        Some(_) => {
            let found = conversation(rest, &format!("#{name}")).await?;
            if found.role != MemberRole::Owner {
                bail!("you do not own #{name}; only its owners import into it");
            }
            Ok(found.id)
        }
        None => {
            let (id, kind, name, topic) = (new_id(), ConversationKind::Channel, name.to_owned(), String::new());
            let new = NewConversation { id, kind, name, topic, history: None, members: Vec::new(), with: None };
            Ok(rest.create(&new).await?.id)
        }
    }
}

async fn import(
    rest: &Rest,
    conversation: Uuid,
    channel: &str,
    file: &Path,
    lines: u64,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    let template = "{bar:32} {human_pos} of {human_len} lines, {per_sec}, {eta} left";
    let bar = ProgressBar::with_draw_target(Some(lines), ProgressDrawTarget::stderr())
        .with_style(ProgressStyle::with_template(template)?);
    let target = Target { rest, conversation, channel: channel.to_owned() };
    let report = upload::run(&target, file, stop, |report| bar.set_position(report.lines)).await;
    bar.finish_and_clear();
    report
}

/// Cancelled by Ctrl-C: what is under way is finished, so that the report is right.
fn stop_when_told() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    stop
}
