//! People who listen: on their way back they say what they have, and are told the rest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use klatch_client::{Gateway, Rest};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::Event;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::checker::Placed;
use crate::people::{REST, history_after};

/// How long a connection may be silent: it is pinged every 25 s.
const SILENCE_MAX: Duration = Duration::from_secs(40);
/// How long the answer to `hello` and `sync` may take before another connection is tried.
const ANSWER: Duration = Duration::from_secs(10);

/// What one listener was handed.
pub struct Ear {
    /// The conversation on their screen.
    pub conversation: Uuid,
    heard: Mutex<Vec<Placed>>,
}

impl Ear {
    /// An ear that heard nothing yet.
    pub fn new(conversation: Uuid) -> Arc<Self> {
        Arc::new(Self { conversation, heard: Mutex::default() })
    }

    /// How far they are.
    pub fn last(&self) -> u64 {
        self.heard.lock().unwrap().iter().map(|(place, _)| *place).max().unwrap_or(0)
    }

    /// Everything they were handed, as it came.
    pub fn heard(&self) -> Vec<Placed> {
        self.heard.lock().unwrap().clone()
    }

    fn hear<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        self.heard.lock().unwrap().extend(events.into_iter().map(|event| (event.seq, event.id)));
    }
}

/// Listens until it is told to stop, on one connection after the other.
pub async fn listen(rest: Arc<Rest>, ear: Arc<Ear>, stop: CancellationToken) {
    let listening = async {
        loop {
            if let Ok(Some(gateway)) = timeout(ANSWER, come(&rest, &ear)).await {
                stay(gateway, &ear).await;
            }
            sleep(REST).await;
        }
    };
    let _ = stop.run_until_cancelled(listening).await;
}

/// Listens until the connection ends.
async fn stay(mut gateway: Gateway, ear: &Ear) {
    gateway.give_up_after(SILENCE_MAX);
    while let Ok(Ok(frame)) = gateway.next().await {
        if let ServerFrame::Events { conversation, events } = frame
            && conversation == ear.conversation
        {
            ear.hear(&events);
        }
    }
}

/// A connection that knows what they have; or nothing, if it ended before.
async fn come(rest: &Rest, ear: &Ear) -> Option<Gateway> {
    let tokens = rest.tokens().await;
    let Ok((mut gateway, _)) = Gateway::connect(rest.base(), &tokens.access).await else {
        // It may be that the token is too old: then this gets another.
        let _ = rest.me().await;
        return None;
    };
    let open = ClientFrame::Open { conversations: vec![ear.conversation] };
    gateway.send(&open).await.ok()?;
    let have = BTreeMap::from([(ear.conversation, ear.last())]);
    gateway.send(&ClientFrame::Sync { have, after: None }).await.ok()?;
    loop {
        match gateway.next().await.ok()?.ok()? {
            ServerFrame::Conversations { items, .. } => {
                let item = items.into_iter().find(|item| item.id == ear.conversation)?;
                if item.afresh == Some(true) {
                    let missed = history_after(rest, ear.conversation, ear.last()).await.ok()?;
                    ear.hear(&missed);
                }
                ear.hear(item.events.iter().flatten());
                return Some(gateway);
            }
            ServerFrame::Error { .. } => return None,
            ServerFrame::Events { conversation, events } if conversation == ear.conversation => ear.hear(&events),
            _ => {}
        }
    }
}
