//! `klatch conversations`: the list of one's own.

use clap::Args;
use klatch_protocol::objects::{Conversation, ConversationKind, User};
use uuid::Uuid;

use crate::shell::output;
use crate::shell::places::conversations;
use crate::shell::server::{Server, block_on};

/// List your conversations, newest activity first
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  klatch conversations\n  klatch conversations --json | jq -r .id")]
pub struct Conversations {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Conversations {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let rest = self.server.open()?;
        block_on(async {
            for item in conversations(&rest).await? {
                if self.json {
                    output::json(&item)?;
                    continue;
                }
                let other = match item.with {
                    Some(with) => Some(rest.get::<User>(&format!("/users/{with}")).await?.name),
                    None => None,
                };
                output::line(&shown(&item, other.as_deref()))?;
            }
            Ok(())
        })
    }
}

fn shown(item: &Conversation, other: Option<&str>) -> String {
    let Conversation { id, kind, name, head, read, members, .. } = item;
    let name = match (kind, other) {
        (ConversationKind::Direct, other) => format!("@{}", other.unwrap_or("yourself")),
        (ConversationKind::Channel, _) => format!("#{}", output::plain(name)),
        (ConversationKind::Group, _) => output::plain(name),
    };
    let unread = head.worthy.saturating_sub(read.worthy);
    let at = output::clock(head.at);
    format!("{}  {name}  members: {members}, unread: {unread}, last: {at}", Uuid::hyphenated(*id))
}
