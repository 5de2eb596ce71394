//! What was not heard is found in the log: holes are mended, and rooms that nobody is in are let go.

use std::sync::Arc;
use std::time::Duration;

use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::live::Topic;
use klatch_protocol::gateway::ServerFrame;
use tokio_util::sync::CancellationToken;

use super::Hub;
use crate::gateway::outbox::encode;
use crate::gateway::rooms::Room;

/// Looks for lost events between two at conversations that nobody has on the screen.
const REPAIRS_PER_SWEEP: u64 = 15;

impl Hub {
    /// Looks for events that were not heard: often where somebody is looking, now and then everywhere; and lets go of rooms that
    /// nobody is in any more.
    pub async fn repair(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        let mut tick = tokio::time::interval(every);
        let mut rounds = 0_u64;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return,
            }
            rounds += 1;
            let everywhere = rounds.is_multiple_of(REPAIRS_PER_SWEEP);
            if everywhere {
                self.sweep().await;
            }
            self.tell_heads();
            if let Err(error) = self.look(everywhere).await {
                tracing::warn!(%error, "could not look for events that were not heard");
            }
        }
    }

    /// Tells those who do not look at large conversations where these stand.
    fn tell_heads(&self) {
        for shard in &self.rooms {
            for (conversation, room) in &mut *shard.lock() {
                let Some(head) = room.untold.take() else { continue };
                let frame = encode(&ServerFrame::Head { heads: vec![head] });
                let others = room.listeners.iter().filter(|connection| !connection.has_open(*conversation));
                others.for_each(|connection| connection.outbox.push_signal(frame.clone()));
            }
        }
    }

    async fn look(self: &Arc<Self>, everywhere: bool) -> Result<(), Error> {
        let mut asked: Vec<_> = if everywhere {
            self.rooms.iter().flat_map(|shard| shard.lock().keys().copied().collect::<Vec<_>>()).collect()
        } else {
            self.open.lock().keys().copied().collect()
        };
        asked.retain(|conversation| self.position(*conversation).is_some());
        for (conversation, head) in self.heads.of(&asked, everywhere).await? {
            let mut shard = self.shard(conversation).lock();
            let Some(room) = shard.get_mut(&conversation) else { continue };
            // One look later, so that what is on its way is not read as well.
            if room.begin_to_mend() {
                metrics::counter!("klatch_gateway_repairs_total").increment(1);
                tokio::spawn(self.clone().mend(conversation));
            }
            room.wanted = room.wanted.max(head);
        }
        Ok(())
    }

    /// Reads from the log what was not heard, until nothing is wanted.
    pub(super) async fn mend(self: Arc<Self>, conversation: ConversationId) {
        loop {
            let position = {
                let mut shard = self.shard(conversation).lock();
                let Some(room) = shard.get_mut(&conversation) else { return };
                if room.position >= room.wanted {
                    room.is_busy = false;
                    return;
                }
                room.position
            };
            let mended = match self.read(conversation, position, Seq(u64::MAX)).await {
                Ok(events) if events.is_empty() => Err(Error::unavailable("an event that was heard is not in the log")),
                Ok(events) => self.deliver(conversation, &events).await,
                Err(error) => Err(error),
            };
            if let Err(error) = mended {
                tracing::warn!(%conversation, %error, "what was not heard could not be read; it will be tried again");
                let mut shard = self.shard(conversation).lock();
                if let Some(room) = shard.get_mut(&conversation) {
                    room.is_busy = false;
                }
                return;
            }
        }
    }

    /// Lets go of rooms that nobody is in.
    async fn sweep(&self) {
        let mut empty = Vec::new();
        for shard in &self.rooms {
            empty.extend(shard.lock().iter().filter(|(_, room)| room.listeners.is_empty()).map(|(id, _)| *id));
        }
        for conversation in empty {
            let _changing = self.changing_topics.lock().await;
            let is_empty = |room: &mut Room| room.listeners.is_empty() && !room.is_busy;
            let gone = {
                let mut shard = self.shard(conversation).lock();
                shard.get_mut(&conversation).is_some_and(is_empty) && shard.remove(&conversation).is_some()
            };
            if gone && let Err(error) = self.topics.remove(Topic::Conversation(conversation)).await {
                tracing::warn!(%error, "a topic was not removed");
            }
        }
    }
}
