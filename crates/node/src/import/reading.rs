//! What one imports, one need not read: who had read everything has read everything afterwards.

use klatch_client::Error;
use klatch_protocol::gateway::ReadMove;
use klatch_protocol::objects::{Conversation, ReadCursor};
use klatch_protocol::rest::CursorMove;
use reqwest::Method;

use super::upload::Target;

/// Whether somebody had read everything before an import.
pub struct Reading(bool);

impl Reading {
    /// How it is before.
    ///
    /// # Errors
    /// The server refused, or cannot be reached.
    pub async fn before(target: &Target<'_>) -> Result<Self, Error> {
        let seen: Conversation = target.rest.get(&format!("/conversations/{}", target.conversation)).await?;
        Ok(Self(seen.head.worthy == seen.read.worthy))
    }

    /// Marks what was imported as read, unless there was something unread before it.
    ///
    /// # Errors
    /// The server refused, or cannot be reached.
    pub async fn after(self, target: &Target<'_>) -> Result<(), Error> {
        let path = format!("/conversations/{}", target.conversation);
        if self.0 {
            let seen: Conversation = target.rest.get(&path).await?;
            let head = target.rest.history(target.conversation, "limit=1").await?.head;
            let read = ReadMove { seq: head, version: seen.read.version + 1 };
            let moved = CursorMove { read: Some(read), delivered: Some(head) };
            target.rest.write::<_, ReadCursor>(Method::PUT, &format!("{path}/cursor"), Some(&moved)).await?;
        }
        Ok(())
    }
}
