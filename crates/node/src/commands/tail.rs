//! `klatch tail`: what was said, and then what is said.

use std::collections::BTreeMap;
use std::convert::Infallible;

use clap::Args;
use klatch_client::{Error, Gateway, Rest};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Conversation, Event, Slug};
use rand::RngExt;
use serde::Serialize;
use uuid::Uuid;

use crate::shell::output;
use crate::shell::places::{self, Names};
use crate::shell::server::{BACKOFF, Server, block_on};

/// Events of a page of history, at most.
const PAGE: u64 = 200;

/// Follow a conversation, or all of yours
///
/// Prints the last messages, then what comes, until you press Ctrl-C. It connects again by itself.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  klatch tail '#ubuntu'\n  klatch tail --json | jq .event.body.text\n  \
    klatch tail '#ubuntu' --lines 1000 --until-now > log.txt")]
pub struct Tail {
    /// A name, #channel, @person or id [default: all of yours]
    #[arg(value_name = "CONVERSATION")]
    conversation: Option<String>,
    /// How many events to begin with
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 10)]
    lines: u64,
    /// Print what was said by now, and end
    #[arg(long)]
    until_now: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Tail {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let rest = self.server.open()?;
        block_on(async {
            let mut follower = Follower { names: Names::default(), have: BTreeMap::new(), json: self.json, only: None };
            let conversations = match &self.conversation {
                Some(wanted) => {
                    let found = places::conversation(&rest, wanted).await?;
                    follower.only = Some(found.id);
                    vec![found]
                }
                None => places::conversations(&rest).await?,
            };
            for conversation in conversations {
                let from = conversation.head.seq.saturating_sub(self.lines);
                let name = conversation.name.clone();
                follower.have.insert(conversation.id, Had { seq: from, name });
                follower.catch_up(&rest, conversation.id, conversation.head.seq).await?;
            }
            if self.until_now { Ok(()) } else { match follower.follow(&rest).await? {} }
        })
    }
}

/// What is followed, and how far it was printed.
struct Follower {
    names: Names,
    have: BTreeMap<Uuid, Had>,
    json: bool,
    /// The one conversation that is followed; otherwise all are.
    only: Option<Uuid>,
}

struct Had {
    seq: u64,
    name: String,
}

#[derive(Serialize)]
struct Line<'a> {
    conversation: Uuid,
    event: &'a Event,
}

impl Follower {
    /// Prints what came since, by pages of history.
    async fn catch_up(&mut self, rest: &Rest, conversation: Uuid, upto: u64) -> anyhow::Result<()> {
        while let Some(had) = self.have.get(&conversation)
            && had.seq < upto
        {
            let before = had.seq;
            let page = rest.history(conversation, &format!("after={before}&limit={PAGE}")).await?;
            if page.events.is_empty() {
                break;
            }
            self.print(rest, conversation, &page.events).await?;
        }
        Ok(())
    }

    /// Follows until somebody ends it; connects again, later each time, where the connection is lost.
    async fn follow(&mut self, rest: &Rest) -> anyhow::Result<Infallible> {
        let mut wait = BACKOFF.0;
        loop {
            let Err(error) = self.session(rest, &mut wait).await;
            if !is_passing(&error) {
                return Err(error);
            }
            let chance = rand::rng().random_range(0.5..1.0);
            tokio::time::sleep(wait.mul_f64(chance)).await;
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    /// One connection, from hello to its end.
    async fn session(&mut self, rest: &Rest, wait: &mut std::time::Duration) -> anyhow::Result<Infallible> {
        // With a fresh token, unless the one in hand still works.
        rest.me().await?;
        let (mut gateway, _) = Gateway::connect(rest.base(), &rest.tokens().await.access).await?;
        gateway.send(&self.sync(None)).await?;
        loop {
            match gateway.next().await? {
                Err(closed) => return Err(Error::Closed(closed).into()),
                Ok(ServerFrame::Conversations { items, gone, next }) => {
                    for item in items {
                        self.synced(rest, item).await?;
                    }
                    for id in gone {
                        self.have.remove(&id);
                    }
                    match next {
                        Some(next) => gateway.send(&self.sync(Some(next))).await?,
                        // All is well: the next loss is a new one.
                        None => *wait = BACKOFF.0,
                    }
                }
                Ok(ServerFrame::Conversation { item }) => self.synced(rest, item).await?,
                Ok(ServerFrame::Events { conversation, events }) => self.came(rest, conversation, &events).await?,
                Ok(ServerFrame::Head { heads }) => {
                    for head in heads {
                        self.catch_up(rest, head.conversation, head.seq).await?;
                    }
                }
                Ok(_) => {}
            }
        }
    }

    /// What to say at the beginning of each page; a page holds at most 200, so only the first so many are named.
    fn sync(&self, after: Option<String>) -> ClientFrame {
        let have = self.have.iter().take(PAGE as usize).map(|(id, had)| (*id, had.seq)).collect();
        ClientFrame::Sync { have, after }
    }

    async fn synced(&mut self, rest: &Rest, item: Conversation) -> anyhow::Result<()> {
        if self.only.is_some_and(|only| only != item.id) {
            return Ok(());
        }
        let first = item.joined_seq.saturating_sub(1);
        self.have.entry(item.id).or_insert(Had { seq: first, name: item.name });
        if let Some(events) = item.events.filter(|_| item.afresh != Some(true)) {
            self.came(rest, item.id, &events).await?;
        }
        self.catch_up(rest, item.id, item.head.seq).await
    }

    /// Prints what is new of these, and what is missing before them.
    async fn came(&mut self, rest: &Rest, conversation: Uuid, events: &[Event]) -> anyhow::Result<()> {
        let (Some(had), Some(first)) = (self.have.get(&conversation), events.first()) else { return Ok(()) };
        if first.seq > had.seq + 1 {
            self.catch_up(rest, conversation, first.seq - 1).await?;
        }
        self.print(rest, conversation, events).await
    }

    async fn print(&mut self, rest: &Rest, conversation: Uuid, events: &[Event]) -> anyhow::Result<()> {
        let Some(had) = self.have.get_mut(&conversation) else { return Ok(()) };
        let new: Vec<_> = events.iter().filter(|event| event.seq > had.seq).collect();
        if !self.json {
            self.names.learn(rest, new.iter().copied()).await?;
        }
        for event in new {
            had.seq = event.seq;
            if self.json {
                output::json(&Line { conversation, event })?;
                continue;
            }
            let shown = output::event(event, &self.names.of(event.author), |user| self.names.of(user));
            if let Some(shown) = shown {
                let place =
                    if self.only.is_none() { format!("[{}] ", output::plain(&had.name)) } else { String::new() };
                output::line(&format!("{place}{shown}"))?;
            }
        }
        Ok(())
    }
}

/// Whether it is worth coming back.
fn is_passing(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Error>() {
        Some(Error::Unreachable(_)) => true,
        Some(Error::Closed(closed)) => !closed.is_final(),
        Some(error) => matches!(error.slug(), Some(Slug::Unavailable | Slug::Stopping | Slug::RateLimited)),
        None => false,
    }
}
