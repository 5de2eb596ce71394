//! Somebody who chats, through real sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use klatch_client::{Closed, Error, Gateway, Rest, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{
    Body, CommandBody, Conversation, ConversationKind, Event, EventBody, NewCommand, Slug, User,
};
use klatch_protocol::rest::{CommandAnswer, NewConversation};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

/// How long a test waits for what must come. Long enough for a busy machine; no test measures it.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a device waits for what it is to be told: three times the longest that is promised, which is for a message that was lost on
/// its way (docs/protocol/promises.md).
const TOLD_WITHIN: Duration = Duration::from_secs(3 * 60);
/// How long a command is sent again that found a part of the server away: three times what is promised where another process takes over
/// (docs/operating/cluster.md).
const SERVED_WITHIN: Duration = Duration::from_secs(3 * 15);
/// Where the server does not say when to come again.
const REST: Duration = Duration::from_secs(1);
/// After which a signal that nobody has seen is sent again.
const SIGNAL_AGAIN: Duration = Duration::from_secs(1);

/// Somebody who has an account.
pub struct TestUser {
    /// Their REST client.
    pub rest: Rest,
    /// Who they are.
    pub user: User,
}

/// A device of theirs that is connected to the gateway.
pub struct TestDevice {
    gateway: Gateway,
    /// Frames that came and that nobody asked for yet.
    waiting: Vec<ServerFrame>,
    /// The events that came, in order, by conversation.
    pub events: BTreeMap<Uuid, Vec<Event>>,
}

/// A command to say something.
pub fn text(text: &str) -> CommandBody {
    CommandBody::Send {
        body: Body::Text { text: text.to_owned(), emote: false },
        mentions: Vec::new(),
        replies: Vec::new(),
        thread: None,
    }
}

impl TestUser {
    pub(crate) fn new(rest: Rest, user: User) -> Self {
        Self { rest, user }
    }

    /// Their id.
    pub fn id(&self) -> Uuid {
        self.user.id
    }

    /// The same person at another address of the same site.
    pub async fn at(&self, base: &str) -> Self {
        let rest = Rest::new(base, self.rest.tokens().await).expect("a client");
        Self { rest, user: self.user.clone() }
    }

    /// A conversation that they begin.
    pub async fn begin(&self, kind: ConversationKind, name: &str, members: &[Uuid]) -> Conversation {
        let wanted = NewConversation {
            id: new_id(),
            kind,
            name: name.to_owned(),
            topic: String::new(),
            history: None,
            members: if kind == ConversationKind::Direct { Vec::new() } else { members.to_vec() },
            with: if kind == ConversationKind::Direct { members.first().copied() } else { None },
        };
        let deadline = Instant::now() + SERVED_WITHIN;
        loop {
            let answer = self.rest.create(&wanted).await;
            match again_after(&answer, deadline) {
                Some(rest) => sleep(rest).await,
                None => return answer.expect("a conversation"),
            }
        }
    }

    /// Does something by REST.
    ///
    /// # Errors
    /// [`Error`]; `unavailable` only where that lasts longer than is promised.
    pub async fn command(&self, conversation: Uuid, command: CommandBody) -> Result<CommandAnswer, Error> {
        let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
        self.submit(conversation, &new).await
    }

    /// Sends a command by REST, and sends it again while nobody can say what became of it, as clients must: it takes effect once.
    ///
    /// # Errors
    /// [`Error`]; `unavailable` only where that lasts longer than is promised.
    pub async fn submit(&self, conversation: Uuid, new: &NewCommand) -> Result<CommandAnswer, Error> {
        let deadline = Instant::now() + SERVED_WITHIN;
        loop {
            let answer = self.rest.submit(conversation, new).await;
            match again_after(&answer, deadline) {
                Some(rest) => sleep(rest).await,
                None => return answer,
            }
        }
    }

    /// Says something by REST, and returns its place.
    pub async fn say(&self, conversation: Uuid, said: &str) -> u64 {
        self.command(conversation, text(said)).await.expect("committed").seq
    }

    /// A device that said hello and has synced everything.
    pub async fn device(&self) -> TestDevice {
        let mut device = self.silent_device().await;
        device.sync(BTreeMap::new()).await;
        device
    }

    /// A device that said hello and no more.
    pub async fn silent_device(&self) -> TestDevice {
        let tokens = self.rest.tokens().await;
        let (gateway, _) = Gateway::connect(self.rest.base(), &tokens.access).await.expect("a connection");
        TestDevice { gateway, waiting: Vec::new(), events: BTreeMap::new() }
    }
}

impl TestDevice {
    /// Sends a frame.
    pub async fn send(&mut self, frame: &ClientFrame) {
        self.gateway.send(frame).await.expect("the connection is there");
    }

    /// The connection itself.
    pub fn gateway(&mut self) -> &mut Gateway {
        &mut self.gateway
    }

    /// Syncs, page by page, and returns all conversations.
    pub async fn sync(&mut self, have: BTreeMap<Uuid, u64>) -> Vec<Conversation> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            self.send(&ClientFrame::Sync { have: have.clone(), after }).await;
            let page = self.next_where(|frame| matches!(frame, ServerFrame::Conversations { .. })).await;
            let ServerFrame::Conversations { items, next, .. } = page else { unreachable!("asked for") };
            all.extend(items);
            match next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    }

    /// Sends a command, without waiting.
    pub async fn command(&mut self, conversation: Uuid, command: CommandBody) -> Uuid {
        let id = new_id();
        let new = NewCommand { id, command, seen: None, after: None, claimed_at: None };
        self.send(&ClientFrame::Command { conversation, new }).await;
        id
    }

    /// Waits until a command is committed, and returns its seq.
    pub async fn committed(&mut self, wanted: Uuid) -> u64 {
        let answer = self.answer(wanted).await;
        let ServerFrame::Committed { seq, .. } = answer else { panic!("not committed: {answer:?}") };
        seq
    }

    /// Waits for the answer to a command.
    pub async fn answer(&mut self, wanted: Uuid) -> ServerFrame {
        self.next_where(|frame| {
            matches!(frame, ServerFrame::Committed { id, .. } | ServerFrame::Rejected { id, .. } if *id == wanted)
        })
        .await
    }

    /// Waits until a command is accepted.
    pub async fn accepted(&mut self, wanted: Uuid) {
        self.next_where(|frame| matches!(frame, ServerFrame::Accepted { id, .. } if *id == wanted)).await;
    }

    /// Waits until the event at `seq` has come.
    pub async fn until(&mut self, conversation: Uuid, seq: u64) {
        let deadline = Instant::now() + TOLD_WITHIN;
        while self.last(conversation) < seq {
            let frame = self.next_frame(deadline).await;
            self.waiting.push(frame);
        }
    }

    /// Waits for a signal of another device, which sends it again until this one has seen it: signals may be lost on their way, and
    /// nothing repairs them. `signal` makes it, and is told how often it was sent before.
    pub async fn signalled(
        &mut self,
        other: &mut Self,
        signal: impl Fn(u64) -> ClientFrame,
        wanted: impl Fn(&ServerFrame) -> bool,
    ) -> ServerFrame {
        let deadline = Instant::now() + PATIENCE;
        let mut time = 0;
        loop {
            other.send(&signal(time)).await;
            if let Ok(seen) = timeout(SIGNAL_AGAIN, self.next_where(&wanted)).await {
                return seen;
            }
            assert!(Instant::now() < deadline, "never seen: {:?}; waiting: {:?}", signal(time), self.waiting);
            time += 1;
        }
    }

    /// The last event that came.
    pub fn last(&self, conversation: Uuid) -> u64 {
        self.events.get(&conversation).and_then(|events| events.last()).map_or(0, |event| event.seq)
    }

    /// The texts that came, in order.
    pub fn texts(&self, conversation: Uuid) -> Vec<String> {
        let events = self.events.get(&conversation).into_iter().flatten();
        let text = |event: &Event| match &event.kind {
            EventBody::Sent { body: Some(Body::Text { text, .. }), .. } => Some(text.clone()),
            _ => None,
        };
        events.filter_map(text).collect()
    }

    /// Waits for a frame; those that came before it are kept for others to ask for.
    pub async fn next_where(&mut self, wanted: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
        if let Some(at) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(at);
        }
        let deadline = Instant::now() + TOLD_WITHIN;
        loop {
            let frame = self.next_frame(deadline).await;
            if wanted(&frame) {
                return frame;
            }
            self.waiting.push(frame);
        }
    }

    /// Reads until the connection is closed.
    pub async fn closed(&mut self) -> Closed {
        let deadline = Instant::now() + TOLD_WITHIN;
        loop {
            let next = timeout_at(deadline, self.gateway.next()).await.expect("it is closed in time");
            match next.expect("frames that are understood") {
                Ok(frame) => self.keep(&frame),
                Err(closed) => return closed,
            }
        }
    }

    async fn next_frame(&mut self, deadline: Instant) -> ServerFrame {
        let next = timeout_at(deadline, self.gateway.next()).await;
        let next = next.unwrap_or_else(|_| panic!("it did not come; waiting: {:?}", self.waiting));
        let frame = next.expect("frames that are understood");
        let frame = frame.unwrap_or_else(|closed| panic!("closed: {closed:?}"));
        self.keep(&frame);
        frame
    }

    /// Keeps events as a client must: in order, without holes, dropping what it has.
    fn keep(&mut self, frame: &ServerFrame) {
        let (conversation, news) = match frame {
            ServerFrame::Events { conversation, events } => (*conversation, events.clone()),
            ServerFrame::Conversations { items, .. } => {
                for item in items {
                    let events = item.events.clone().unwrap_or_default();
                    self.events.entry(item.id).or_default().extend(events);
                }
                return;
            }
            _ => return,
        };
        let events = self.events.entry(conversation).or_default();
        for event in news {
            if let Some(last) = events.last() {
                if event.seq <= last.seq {
                    continue;
                }
                assert_eq!(event.seq, last.seq + 1, "events come without holes");
            }
            events.push(event);
        }
    }
}

/// When to send again what was answered like this: a part of the server is away, and nobody knows whether it took effect.
fn again_after<T>(answer: &Result<T, Error>, deadline: Instant) -> Option<Duration> {
    match answer {
        Err(Error::Refused(problem)) if problem.slug() == Some(Slug::Unavailable) && Instant::now() < deadline => {
            Some(problem.retry_after_ms.map_or(REST, Duration::from_millis))
        }
        _ => None,
    }
}
