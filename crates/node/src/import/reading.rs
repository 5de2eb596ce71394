//! What one imports, one need not read: who had read everything has read everything afterwards.

use klatch_client::{Error, Rest};
use klatch_protocol::gateway::ReadMove;
use klatch_protocol::objects::{Conversation, ReadCursor};
use klatch_protocol::rest::CursorMove;
use reqwest::Method;
use uuid::Uuid;

/// Whether somebody had read everything in a conversation before an import.
pub struct Reading<'a> {
    rest: &'a Rest,
    conversation: Uuid,
    was_all_read: bool,
}

impl<'a> Reading<'a> {
    /// How it is before.
    ///
    /// # Errors
    /// The server refused, or cannot be reached.
    pub async fn before(rest: &'a Rest, conversation: Uuid) -> Result<Self, Error> {
        let seen: Conversation = rest.get(&format!("/conversations/{conversation}")).await?;
        Ok(Self { rest, conversation, was_all_read: seen.head.worthy == seen.read.worthy })
    }

    /// Marks what was imported as read, unless there was something unread before it.
    ///
    /// # Errors
    /// The server refused, or cannot be reached.
    pub async fn after(self) -> Result<(), Error> {
        let Self { rest, conversation, was_all_read } = self;
        let path = format!("/conversations/{conversation}");
        if was_all_read {
            let seen: Conversation = rest.get(&path).await?;
            let head = rest.history(conversation, "limit=1").await?.head;
            let read = ReadMove { seq: head, version: seen.read.version + 1 };
            let moved = CursorMove { read: Some(read), delivered: Some(head) };
            rest.write::<_, ReadCursor>(Method::PUT, &format!("{path}/cursor"), Some(&moved)).await?;
        }
        Ok(())
    }
}
