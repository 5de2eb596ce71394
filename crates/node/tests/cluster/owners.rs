//! Two processors that both believe that they own everything: each gets every command, each device's in order, and both write to one log on a
//! real server, each over connections of its own. The queue that gives everybody everything is made for this test; it breaks C4 of
//! `commands` on purpose, for minutes, which a real one does for moments. No damage may come of it, and no rejection that the true state
//! would not have given.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_backing::{Kind as Server, Servers};
use klatch_client::new_id;
use klatch_core::conversation::{Command, CommandKind, Founding, History, Kind};
use klatch_core::ids::{CommandId, ConversationId, Seq, UserId, WorkspaceId};
use klatch_engines::drivers::place::Place;
use klatch_engines::drivers::{cassandra, postgres};
use klatch_engines::event_log;
use klatch_node::{SystemClock, SystemEntropy};
use klatch_ports::commands::{Commands, Consumer, Dead, memory};
use klatch_ports::event_log::{EventLog, Record};
use klatch_ports::feed::MemoryFeed;
use klatch_ports::live::{Listener, Topic, Topics};
use klatch_ports::{Error, directory, keys, live, mailboxes, overlay, owners, presence, views};
use klatch_protocol::log::{Envelope, Outcome, decode_outcomes};
use klatch_server::checking::check;
use klatch_server::partitioning::{Partitioning, partition};
use klatch_server::processor;
use klatch_server::services::Services;
use klatch_server::workers::projector;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{ALONE, rounds};

/// Append conflicts that are counted before one looks, in each round.
const CONFLICTS_MIN: u64 = 1_000;
/// The same in the short form on Cassandra, where each takes a tenth of a second.
const CONFLICTS_SLOW_MIN: u64 = 200;
/// Conversations that are written to, and devices that write to each.
const CONVERSATIONS: usize = 6;
const DEVICES: usize = 2;
/// Commands of one device that are on their way at a time.
const IN_FLIGHT: usize = 8;
/// Partitions of the queue.
const PARTITIONS: usize = 4;
/// More than ever waits.
const QUEUE: usize = 1_000;
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// What one owner takes from; it gets everything, whatever the other takes.
struct Own(memory::Memory);

#[async_trait]
impl Commands for Own {
    fn partitions(&self) -> usize {
        self.0.partitions()
    }

    async fn grow(&self, partitions: usize) -> Result<(), Error> {
        self.0.grow(partitions).await
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        self.0.submit(partition, payload).await
    }

    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error> {
        self.0.consume(partition).await
    }

    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error> {
        self.0.bury(letters).await
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        self.0.dead().await
    }
}

/// One device in one conversation, whose commands name each other.
struct Device {
    conversation: ConversationId,
    user: UserId,
    said: Vec<CommandId>,
    open: usize,
    /// What another device in this conversation said last, as far as either owner has answered, if nobody reacted yet.
    news: Option<CommandId>,
}

/// What was asked for, and what both owners answered.
struct Asked {
    device: usize,
    id: CommandId,
    may: bool,
    /// Whether it is a message.
    is_said: bool,
    outcomes: Vec<Outcome>,
}

/// Both owners, and those who command.
struct Fight {
    owners: [Arc<Services>; 2],
    outcomes: Box<dyn Listener>,
    /// Whoever drops them hears no more.
    _topics: Arc<dyn Topics>,
    node: klatch_core::ids::Uuid,
    asked: HashMap<u64, Asked>,
    devices: Vec<Device>,
    /// Commands that are in no queue yet: of which device, for which partition.
    waiting: Vec<(usize, usize, Bytes)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_of_everything_do_no_damage() {
    let _alone = ALONE.lock().await;
    let begun = Instant::now();
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let conflicts = || {
        let line =
            |line: &str| line.strip_prefix("klatch_append_conflicts_total ").and_then(|count| count.parse().ok());
        metrics.render().lines().find_map(line).unwrap_or(0_u64)
    };
    let wanted = conflicts() + conflicts_wanted();
    let mut fight = Fight::begin().await;
    let (stop, mut running) = (CancellationToken::new(), Vec::new());
    for services in &fight.owners {
        let heads = Arc::new(klatch_server::heads::Memory::new(services.clone(), None));
        for number in 0..PARTITIONS {
            running.push(tokio::spawn(processor::partition::run(
                services.clone(),
                heads.clone(),
                number,
                stop.clone(),
            )));
        }
    }
    running.push(tokio::spawn(projector::run(fight.owners[0].clone(), stop.clone())));
    fight.found().await;
    while conflicts() < wanted {
        fight.ask().await;
        timeout(PATIENCE, fight.hear()).await.expect("somebody answers");
    }
    while fight.asked.values().any(|asked| asked.outcomes.len() < 2) {
        timeout(PATIENCE, fight.hear()).await.expect("both owners answer everything");
    }
    let (events, refused) = fight.check().await;
    println!(
        "{} conflicts over {events} events and {refused} rejections, in {:?}; each of both owners answered all of it alike",
        conflicts(),
        begun.elapsed()
    );
    stop.cancel();
    for task in running {
        task.await.unwrap();
    }
}

impl Fight {
    async fn begin() -> Self {
        let place = place().await;
        let (overlays, feed) = (Arc::new(overlay::MemoryOverlays::default()), Arc::new(MemoryFeed::default()));
        let (live, views) = (Arc::new(live::memory::Memory::default()), Arc::new(views::memory::Memory::default()));
        let mut owners = Vec::new();
        for _ in 0..2 {
            owners.push(Arc::new(Services {
                process: "test".to_owned(),
                workspace: WorkspaceId(new_id()),
                event_log: log(&place).await,
                overlays: overlays.clone(),
                feed: feed.clone(),
                commands: Arc::new(Own(memory::Memory::new(PARTITIONS, QUEUE))),
                partitioning: Partitioning::alone(PARTITIONS),
                owners: Arc::new(owners::memory::Memory::default()),
                live: live.clone(),
                mailboxes: Arc::new(mailboxes::memory::Memory::default()),
                views: views.clone(),
                directory: Arc::new(directory::memory::Memory::default()),
                keys: Arc::new(keys::memory::Memory::default()),
                presence: Arc::new(presence::memory::Memory::default()),
                clock: Arc::new(SystemClock),
                entropy: Arc::new(SystemEntropy),
            }));
        }
        let node = new_id();
        let (topics, outcomes) = owners[0].live.listen().await.unwrap();
        topics.add(Topic::Node(node)).await.unwrap();
        let owners = [owners.remove(0), owners.remove(0)];
        Self {
            owners,
            outcomes,
            _topics: topics,
            node,
            asked: HashMap::new(),
            devices: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Begins the conversations.
    async fn found(&mut self) {
        for _ in 0..CONVERSATIONS {
            let conversation = ConversationId(new_id());
            let users: Vec<_> = (0..DEVICES).map(|_| UserId(new_id())).collect();
            let founding = Founding {
                kind: Kind::Group,
                name: "tea".to_owned(),
                topic: String::new(),
                history: History::All,
                members: users[1..].to_vec(),
            };
            let first = self.devices.len();
            for user in users {
                self.devices.push(Device { conversation, user, said: Vec::new(), open: 0, news: None });
            }
            self.command(first, CommandKind::Create(founding), true);
        }
        self.submit().await;
        while self.asked.values().any(|asked| asked.outcomes.is_empty()) {
            timeout(PATIENCE, self.hear()).await.expect("conversations begin");
        }
    }

    /// Everybody who may asks for something more: mostly to say something, now and then to react to what another has just said, which one of
    /// the owners may not know of; and somebody whom nobody let in wants to speak, too.
    async fn ask(&mut self) {
        for at in 0..self.devices.len() {
            while self.devices[at].open < IN_FLIGHT {
                let number = self.devices[at].said.len();
                let kind = match self.devices[at].news.take() {
                    Some(target) => CommandKind::React { target, emoji: "🍵".to_owned(), on: true },
                    None => send(number),
                };
                self.command(at, kind, true);
                if number % 10 == 9 {
                    self.command(at, send(number), false);
                }
            }
        }
        self.submit().await;
    }

    /// Gives both owners what waits, each device's commands in order, but to each owner the devices in another order.
    async fn submit(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for services in &self.owners {
            for (_, partition, payload) in &waiting {
                services.commands.submit(*partition, payload.clone()).await.unwrap();
            }
            waiting.sort_by_key(|(device, ..)| std::cmp::Reverse(*device));
        }
    }

    fn command(&mut self, at: usize, kind: CommandKind, may: bool) {
        let device = &mut self.devices[at];
        let (id, conversation) = (CommandId(new_id()), device.conversation);
        let correlation = self.asked.len() as u64 + 1;
        let after = device.said.last().copied().filter(|_| may);
        let actor = if may { device.user } else { UserId(new_id()) };
        let is_said = matches!(kind, CommandKind::Send { .. });
        let command = Command { id, actor, hash: [0; 16], after, seen: None, claimed_at: None, kind };
        let envelope =
            Envelope { reply_to: self.node, correlation, conversation, blocked: Some(false), device: None, command };
        if may {
            device.said.push(id);
        }
        device.open += 1;
        self.asked.insert(correlation, Asked { device: at, id, may, is_said, outcomes: Vec::new() });
        self.waiting.push((at, partition(conversation, PARTITIONS), envelope.encode()));
    }

    /// Takes what was answered by either.
    async fn hear(&mut self) {
        for said in self.outcomes.next().await.unwrap() {
            for (correlation, outcome) in decode_outcomes(said.payload).unwrap() {
                self.answered(correlation, outcome);
            }
        }
    }

    fn answered(&mut self, correlation: u64, outcome: Outcome) {
        let asked = self.asked.get_mut(&correlation).unwrap();
        asked.outcomes.push(outcome);
        let (by, id) = (asked.device, asked.id);
        let is_news = asked.is_said && asked.outcomes.len() == 1 && matches!(outcome, Outcome::Committed { .. });
        // Nobody goes on before both have answered: so neither falls far behind, and they fight on.
        if asked.outcomes.len() == self.owners.len() {
            self.devices[by].open -= 1;
        }
        if is_news {
            let conversation = self.devices[by].conversation;
            let mut devices = self.devices.iter_mut().enumerate();
            let other = devices.find(|(at, device)| *at != by && device.conversation == conversation);
            other.unwrap().1.news = Some(id);
        }
    }

    /// Whether all is as it must be: how many events there are, and how many commands were refused.
    async fn check(&self) -> (usize, usize) {
        let mut places = HashMap::new();
        let conversations = self.devices.iter().step_by(DEVICES).map(|device| device.conversation);
        let mut events = 0;
        for conversation in conversations {
            let records = read(&*self.owners[0].event_log, conversation).await;
            assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == Seq(seq)), "no holes, nothing twice");
            for record in &records {
                assert_eq!(places.insert(record.id, record.seq), None, "{:?} is there twice", record.id);
            }
            events += records.len();
            // The lists follow the feed by moments.
            let tail = Seq(records.len() as u64);
            let is_a_replay = async {
                while !check(&self.owners[0], None, conversation, tail).await.unwrap().findings.is_empty() {
                    sleep(Duration::from_millis(100)).await;
                }
            };
            let followed = timeout(PATIENCE, is_a_replay).await;
            assert!(
                followed.is_ok(),
                "{:#?}",
                check(&self.owners[0], None, conversation, tail).await.unwrap().findings
            );
        }
        let mut refused = 0;
        for Asked { id, may, outcomes, .. } in self.asked.values() {
            for outcome in outcomes {
                match (*may, outcome) {
                    (true, Outcome::Committed { seq, .. }) => {
                        assert_eq!(places.get(id), Some(seq), "{id:?} was acknowledged at another place")
                    }
                    (false, Outcome::Rejected(_)) => refused += 1,
                    _ => panic!("{id:?}: may it be done? {may}; {outcomes:?}"),
                }
            }
        }
        assert_eq!(places.len(), self.asked.values().filter(|asked| asked.may).count(), "nothing else is there");
        for device in &self.devices {
            let order: Vec<_> = device.said.iter().map(|id| places[id]).collect();
            assert!(order.is_sorted(), "one device's order: {order:?}");
        }
        (events, refused)
    }
}

fn send(number: usize) -> CommandKind {
    CommandKind::Send {
        body: format!("number {number}").into(),
        mentions: Vec::new(),
        replies: Vec::new(),
        thread: None,
        expires_at: None,
    }
}

async fn read(log: &dyn EventLog, conversation: ConversationId) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let page = log.read(conversation, Seq(records.len() as u64 + 1), 1_000).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

fn conflicts_wanted() -> u64 {
    match rounds() {
        Some(rounds) => CONFLICTS_MIN * rounds as u64,
        None if is_cassandra() => CONFLICTS_SLOW_MIN,
        None => CONFLICTS_MIN,
    }
}

/// Whether the log is on Cassandra.
fn is_cassandra() -> bool {
    std::env::var("KLATCH_STACK").is_ok_and(|stack| stack.contains("cassandra"))
}

/// A log of its own on a server, with all its tables.
async fn place() -> Place {
    if is_cassandra() {
        let server = Servers::shared(Server::Cassandra).address(1);
        let place = format!("cassandra://{server}/owners?replication=1&timeout_ms=10000").parse().unwrap();
        let database = cassandra::Database::connect(Place::clone(&place)).await.unwrap();
        database.migrate(&event_log::cassandra::SCHEMA).await.unwrap();
        return place;
    }
    let server = Servers::shared(Server::PostgreSql).address(1);
    let place: Place = format!("postgres://postgres@{server}/postgres?pool=8").parse().unwrap();
    postgres::Database::at(place.clone()).unwrap().migrate(&event_log::postgres::SCHEMA).await.unwrap();
    place
}

/// The log, over connections of its own.
async fn log(place: &Place) -> Arc<dyn EventLog> {
    if is_cassandra() {
        let database = cassandra::Database::connect(place.clone()).await.unwrap();
        return Arc::new(event_log::cassandra::CassandraEventLog::open(database).await.unwrap());
    }
    let database = postgres::Database::at(place.clone()).unwrap();
    Arc::new(event_log::postgres::Postgres::open(database).await.unwrap())
}
