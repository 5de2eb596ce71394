//! From the port `live` to the connections of this node.

use std::sync::Arc;

use bytes::Bytes;
use klatch_core::conversation::Event;
use klatch_core::ids::{ConversationId, UserId};
use klatch_ports::live::{Listener, Said, Topic};
use klatch_protocol::gateway::{CloseCode, PresenceItem, PresenceState, ServerFrame};
use klatch_protocol::log::{Personal, SaidEvent, Signal, decode_event};
use klatch_protocol::objects::ReadCursor;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::outbox::encode;
use crate::accounts::notices::AccountNotice;
use crate::accounts::user_object;

/// Events that go into one frame, at most.
const RUN_MAX: usize = 64;

/// Hands on what is heard, until `stop`.
pub async fn run(hub: Arc<Hub>, mut listener: Box<dyn Listener>, stop: CancellationToken) {
    loop {
        let said = tokio::select! {
            said = listener.next() => said,
            () = stop.cancelled() => return,
        };
        let Some(said) = said else { return };
        let mut run = Run::default();
        for Said { topic, payload } in said {
            match topic {
                Topic::Conversation(conversation) => heard(&hub, &mut run, conversation, payload).await,
                Topic::User(user) => {
                    run.flush(&hub).await;
                    personal(&hub, user, payload).await;
                }
                Topic::Node(_) => {}
            }
        }
        run.flush(&hub).await;
    }
}

/// Events of one conversation that came one after the other: they go out in one frame.
#[derive(Default)]
struct Run {
    conversation: Option<ConversationId>,
    events: Vec<Event>,
}

impl Run {
    async fn push(&mut self, hub: &Arc<Hub>, conversation: ConversationId, event: Event) {
        if self.conversation != Some(conversation) || self.events.len() >= RUN_MAX {
            self.flush(hub).await;
        }
        self.conversation = Some(conversation);
        self.events.push(event);
    }

    async fn flush(&mut self, hub: &Arc<Hub>) {
        let events = std::mem::take(&mut self.events);
        if let Some(conversation) = self.conversation.take()
            && let Err(error) = hub.hear(conversation, events).await
        {
            tracing::warn!(%conversation, %error, "events were not handed on; they will be read from the log");
        }
    }
}

async fn heard(hub: &Arc<Hub>, run: &mut Run, conversation: ConversationId, payload: Bytes) {
    let signal = match Signal::decode(payload) {
        Ok(Some(signal)) => signal,
        Ok(None) => return,
        Err(error) => return tracing::warn!(%error, "a signal could not be read"),
    };
    match signal {
        Signal::Events(events) => {
            for SaidEvent { seq, head, body } in events {
                match decode_event(seq, head, body) {
                    Ok(event) => run.push(hub, conversation, event).await,
                    Err(error) => tracing::error!(%conversation, %seq, %error, "an event could not be read"),
                }
            }
        }
        Signal::Typing { user, on, as_of } => {
            run.flush(hub).await;
            let frame = encode(&ServerFrame::Typing { conversation: conversation.0, user: user.0, on });
            hub.signal(conversation, as_of, Some(user), &frame);
        }
        Signal::Cursor { user, delivered, read, read_worthy, version } => {
            run.flush(hub).await;
            let frame = encode(&ServerFrame::Cursor {
                conversation: conversation.0,
                user: user.0,
                read: Some(ReadCursor { seq: read.0, version, worthy: read_worthy }),
                delivered: Some(delivered.0),
            });
            hub.signal(conversation, delivered.max(read), None, &frame);
        }
    }
}

async fn personal(hub: &Arc<Hub>, user: UserId, payload: Bytes) {
    if let Some(notice) = AccountNotice::decode(&payload) {
        return account(hub, user, notice).await;
    }
    match Personal::decode(payload) {
        // What is asked of the stores must not hold up what is heard meanwhile.
        Ok(Some(Personal::Conversation(conversation))) => {
            let hub = hub.clone();
            tokio::spawn(async move { hub.introduce(user, conversation).await });
        }
        Ok(Some(Personal::Presence { state, since })) => {
            let state = [PresenceState::Offline, PresenceState::Away, PresenceState::Online]
                [usize::try_from(state).unwrap_or(2).min(2)];
            let users = vec![PresenceItem { user: user.0, state, since }];
            hub.people.tell_watchers(user, &encode(&ServerFrame::Presence { users }));
        }
        Ok(Some(Personal::Echo { device, frame })) => hub.people.for_own(user, |connection| {
            if connection.device != device {
                connection.outbox.push_signal(frame.clone());
            }
        }),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a signal could not be read"),
    }
}

async fn account(hub: &Arc<Hub>, user: UserId, notice: AccountNotice) {
    match notice {
        AccountNotice::SessionRevoked { device } => hub.people.for_own(user, |connection| {
            if connection.device == device {
                connection.outbox.close(CloseCode::SignedOut);
            }
        }),
        AccountNotice::AccountClosed => {
            hub.forget_key(user);
            hub.people.for_own(user, |connection| connection.outbox.close(CloseCode::AccountClosed));
        }
        AccountNotice::ProfileChanged | AccountNotice::BlocksChanged => {
            let told = tell_change(hub, user, notice).await;
            if let Err(error) = told {
                tracing::warn!(%error, "a change of an account was not told");
            }
        }
    }
}

async fn tell_change(hub: &Hub, user: UserId, notice: AccountNotice) -> Result<(), klatch_ports::Error> {
    let directory = hub.directory();
    if notice == AccountNotice::BlocksChanged {
        let blocks = directory.blocks(user).await?.into_iter().map(|user| user.0).collect();
        hub.people.tell(user, &encode(&ServerFrame::Account { blocks: Some(blocks) }));
        return Ok(());
    }
    if let Some(account) = directory.accounts(&[user]).await?.pop().flatten() {
        let frame = encode(&ServerFrame::User { user: user_object(account) });
        hub.people.tell(user, &frame);
        hub.people.tell_watchers(user, &frame);
    }
    Ok(())
}
