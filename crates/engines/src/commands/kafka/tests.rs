use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use klatch_backing::{Flow, Kind, Servers};
use klatch_ports::commands::contract;
use klatch_ports::contract::{soon, within};
use rdkafka::consumer::Consumer as _;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::*;
use crate::drivers::kafka::{Observer, bench};

/// Makes topics, and opens the engine on them as often as it is asked to.
async fn factory(partitions: usize) -> impl AsyncFn() -> Arc<KafkaCommands> {
    let (_, prefix) = bench::topics(bench::shared(), partitions, "").await;
    async move || {
        let kafka = bench::again(bench::shared(), &prefix, "queue_limit=100");
        Arc::new(KafkaCommands::new(kafka, partitions).unwrap())
    }
}

// With more partitions than one, the second process would be given one of them at once, and C4's test could not say whose turn it is;
// what becomes of turns then is tried below.
klatch_ports::commands_contract!(factory(1).await, growing().await);

/// Makes as many partitions as it is asked for, and opens the engine on them.
async fn growing() -> impl AsyncFn(usize) -> Arc<KafkaCommands> {
    let prefix = bench::prefix();
    async move |partitions| {
        let kafka = bench::again(bench::shared(), &prefix, "queue_limit=100");
        bench::make(&kafka, partitions).await;
        Arc::new(KafkaCommands::new(kafka, partitions).unwrap())
    }
}

#[tokio::test]
async fn several_partitions_keep_the_contract_as_well() {
    contract::c1_commands_are_delivered_in_order(factory(3).await).await;
    contract::c2_unsettled_is_delivered_again_and_settled_is_not(factory(3).await).await;
    contract::c3_a_full_queue_refuses_and_takes_nothing(factory(3).await).await;
    contract::c5_what_was_taken_survives_as_is_durable_says(factory(3).await).await;
}

#[tokio::test]
async fn what_nobody_made_is_not_learned_of() {
    let (kafka, _) = bench::topics(bench::shared(), 1, "").await;
    let commands = KafkaCommands::new(kafka, 1).unwrap();
    let refused = commands.grow(2).await.unwrap_err();
    assert_eq!((refused.kind, commands.partitions()), (ErrorKind::Broken, 1));
    let sentence = std::error::Error::source(&refused).unwrap().to_string();
    assert!(sentence.contains("klatch partitions --set 2"), "{sentence}");
}

#[tokio::test]
async fn partitions_that_are_new_are_handed_out_at_once_and_nobody_loses_one_for_it() {
    let (kafka, prefix) = bench::topics(bench::shared(), 2, "").await;
    let processes = [kafka.clone(), bench::again(bench::shared(), &prefix, "")];
    let processes = processes.map(|kafka| Arc::new(KafkaCommands::new(kafka, 2).unwrap()));
    // Each has one of the two, and something that it has not settled.
    let mut consumers = Vec::new();
    for commands in &processes {
        for partition in 0..2 {
            consumers.push((partition, commands.consume(partition).await.unwrap()));
        }
    }
    for partition in 0..2 {
        processes[0].submit(partition, payload(0)).await.unwrap();
    }
    let mut had: Vec<(usize, usize, u64)> = Vec::new();
    let is_shared = async {
        while !matches!(had[..], [(one, ..), (other, ..)] if one / 2 != other / 2) {
            for (number, (partition, consumer)) in consumers.iter_mut().enumerate() {
                let next = tokio::time::timeout(Duration::from_millis(100), consumer.next(1)).await;
                if let Ok(Ok(deliveries)) = next {
                    had.retain(|(_, known, _)| known != partition);
                    had.push((number, *partition, deliveries[0].position));
                }
            }
        }
    };
    soon(is_shared).await;

    kafka.migrate(4, false).await.unwrap();
    let mut new = Vec::new();
    let are_handed_out = async {
        let (one, other) = tokio::join!(processes[0].grow(4), processes[1].grow(4));
        one.and(other).unwrap();
        for partition in 2..4 {
            processes[1].submit(partition, payload(1)).await.unwrap();
            for commands in &processes {
                new.push(commands.consume(partition).await.unwrap());
            }
        }
        let waiting: FuturesUnordered<_> = new.iter_mut().map(|consumer| consumer.next(1)).collect();
        assert_eq!(waiting.take(2).collect::<Vec<_>>().await.len(), 2);
    };
    within(Duration::from_secs(5), are_handed_out).await;
    for (number, _, position) in had {
        consumers[number].1.settle(position).await.unwrap();
    }
}

fn payload(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

fn number(delivery: &Delivery) -> u64 {
    u64::from_be_bytes(delivery.payload[..].try_into().unwrap())
}

/// A processor of one partition, which begins again when it fails.
struct Processor {
    task: AbortHandle,
    /// What was delivered, but for repeats.
    heard: mpsc::UnboundedReceiver<u64>,
}

impl Processor {
    fn of(commands: &Arc<KafkaCommands>) -> Self {
        let (hear, heard) = mpsc::unbounded_channel();
        let commands = commands.clone();
        let work = async move {
            let mut known = BTreeSet::new();
            loop {
                let mut consumer = commands.consume(0).await.unwrap();
                while let Ok(deliveries) = consumer.next(100).await {
                    for delivery in &deliveries {
                        if known.insert(number(delivery)) && hear.send(number(delivery)).is_err() {
                            return;
                        }
                    }
                    if consumer.settle(deliveries.last().unwrap().position).await.is_err() {
                        break;
                    }
                }
            }
        };
        Self { task: tokio::spawn(work).abort_handle(), heard }
    }

    /// Everything up to this one, in order.
    async fn until(&mut self, last: u64) -> Vec<u64> {
        let mut heard = Vec::new();
        while heard.last() != Some(&last) {
            heard.push(soon(self.heard.recv()).await.unwrap());
        }
        heard
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One who submits a command after the other, and knows which were taken.
struct Sender {
    commands: Arc<KafkaCommands>,
    next: u64,
    taken: Vec<u64>,
}

impl Sender {
    fn of(commands: &Arc<KafkaCommands>) -> Self {
        Self { commands: commands.clone(), next: 0, taken: Vec::new() }
    }

    /// Submits one, and says whether it was taken.
    async fn try_one(&mut self) -> bool {
        self.next += 1;
        let answer = self.commands.submit(0, payload(self.next)).await;
        if let Err(error) = &answer {
            assert_eq!(error.kind, ErrorKind::Unavailable, "{:?}", std::error::Error::source(error));
        } else {
            self.taken.push(self.next);
        }
        answer.is_ok()
    }

    /// Submits until so many more were taken.
    async fn send(&mut self, count: usize) {
        for _ in 0..count {
            self.until_taken().await;
        }
    }

    /// Submits until one is taken.
    async fn until_taken(&mut self) -> u64 {
        soon(async { while !self.try_one().await {} }).await;
        self.next
    }
}

/// Everything that was taken was heard, and nothing out of order.
fn compare(heard: &[u64], taken: &[u64]) {
    assert!(heard.is_sorted(), "{heard:?}");
    let missing: Vec<_> = taken.iter().filter(|number| !heard.contains(number)).collect();
    assert!(missing.is_empty(), "lost: {missing:?}");
}

#[tokio::test]
async fn a_process_that_joins_takes_its_share_and_whoever_had_it_settles_nothing_more() {
    let open = factory(4).await;
    let (one, other) = (open().await, open().await);
    for partition in 0..4 {
        one.submit(partition, payload(partition as u64)).await.unwrap();
    }
    let mut former = Vec::new();
    for partition in 0..4 {
        let mut consumer = one.consume(partition).await.unwrap();
        let position = soon(consumer.next(1)).await.unwrap()[0].position;
        former.push((consumer, position));
    }
    let waiting: FuturesUnordered<_> = (0..4)
        .map(|partition| {
            let other = other.clone();
            async move {
                let mut consumer = other.consume(partition).await.unwrap();
                let delivered = consumer.next(1).await.unwrap();
                assert_eq!(number(&delivered[0]), partition as u64, "what was not settled");
                (partition, consumer)
            }
        })
        .collect();
    let moved: Vec<_> = soon(waiting.take(2).collect()).await;
    let moved: BTreeSet<_> = moved.iter().map(|(partition, _)| *partition).collect();
    for (partition, (consumer, position)) in former.iter_mut().enumerate() {
        let settled = consumer.settle(*position).await.map_err(|error| error.kind);
        if moved.contains(&partition) {
            assert_eq!(settled, Err(ErrorKind::Conflict));
            assert_eq!(consumer.next(1).await.unwrap_err().kind, ErrorKind::Conflict);
        } else {
            assert_eq!(settled, Ok(()), "half of them stay");
        }
    }
}

#[tokio::test]
async fn who_has_left_keeps_nobody_waiting() {
    let (kafka, prefix) = bench::topics(bench::shared(), 1, "").await;
    let commands = KafkaCommands::new(kafka.clone(), 1).unwrap();
    let mut consumer = commands.consume(0).await.unwrap();
    commands.submit(0, payload(1)).await.unwrap();
    soon(consumer.next(1)).await.unwrap();
    let group = kafka.group(GROUP);
    let members = || {
        let (kafka, group) = (kafka.clone(), group.clone());
        let ask = move || {
            let groups =
                kafka.observer(GROUP).unwrap().fetch_group_list(Some(&group), Duration::from_secs(30)).unwrap();
            groups.groups().iter().map(|group| group.members().len()).sum::<usize>()
        };
        async { tokio::task::spawn_blocking(ask).await.unwrap() }
    };
    assert_eq!(members().await, 1, "{prefix}");
    drop(consumer);
    soon(commands.have_left()).await;
    assert_eq!(members().await, 0, "the broker has them wait for nobody");
}

#[tokio::test]
async fn a_consumer_that_settles_nothing_is_given_no_more_and_then_everything() {
    let (kafka, _) = bench::topics(bench::shared(), 1, "").await;
    let commands = Arc::new(KafkaCommands::new(kafka, 1).unwrap());
    let count = UNSETTLED.messages_max as u64 + 1_000;
    // The first one waits until it is known how many there are, and those beside it would be woken in any order.
    commands.submit(0, payload(0)).await.unwrap();
    let submits = (1..count).map(|n| commands.submit(0, payload(n)));
    for submitted in soon(join_all(submits)).await {
        submitted.unwrap();
    }
    let mut consumer = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < UNSETTLED.messages_max {
        delivered.extend(soon(consumer.next(1_000)).await.unwrap());
    }
    assert_eq!(delivered.len(), UNSETTLED.messages_max);
    assert!(consumer.next(1).now_or_never().is_none());
    consumer.settle(delivered.last().unwrap().position).await.unwrap();
    while delivered.len() < count as usize {
        delivered.extend(soon(consumer.next(1_000)).await.unwrap());
    }
    assert!(delivered.iter().map(number).eq(0..count));
}

#[tokio::test]
async fn a_broker_that_was_killed_has_what_it_confirmed_and_everybody_goes_on() {
    let servers = Servers::start(Kind::Kafka, 1);
    let options = format!("timeout_ms=2000&{}", bench::SHORT_SESSION);
    let (kafka, _) = bench::topics(&servers, 1, &options).await;
    let commands = Arc::new(KafkaCommands::new(kafka, 1).unwrap());
    let (mut sender, mut processor) = (Sender::of(&commands), Processor::of(&commands));
    sender.send(50).await;
    let mut heard = processor.until(10).await;
    servers.kill(1);
    soon(async { while sender.try_one().await {} }).await;
    servers.revive();
    let is_back = async {
        let last = sender.until_taken().await;
        heard.extend(processor.until(last).await);
    };
    within(Duration::from_secs(10), is_back).await;
    sender.send(50).await;
    heard.extend(processor.until(sender.next).await);
    compare(&heard, &sender.taken);
}

/// How many members a group has.
fn members(observer: &Observer, group: &str, timeout: Duration) -> usize {
    let groups = observer.fetch_group_list(Some(group), timeout);
    groups.map_or(0, |groups| groups.groups().iter().map(|group| group.members().len()).sum())
}

#[tokio::test]
async fn who_lost_the_coordinator_for_a_session_does_not_wait_for_the_member_that_it_was() {
    let servers = Servers::start(Kind::Kafka, 1);
    // It takes less until the broker is back.
    let (kafka, _) = bench::topics(&servers, 1, "session_ms=12000").await;
    let commands = Arc::new(KafkaCommands::new(kafka.clone(), 1).unwrap());
    const MANY: u64 = 2_000;
    let submitted = join_all((0..MANY).map(|n| commands.submit(0, payload(n)))).await;
    submitted.into_iter().for_each(Result::unwrap);
    let mut consumer = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < MANY as usize {
        delivered.extend(soon(consumer.next(MANY as usize)).await.unwrap());
    }
    servers.kill(1);
    // Until its session is over. Nothing of that may be committed later in the name of who has its place then.
    let lost = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        for delivery in &delivered {
            ticks.tick().await;
            if let Err(error) = consumer.settle(delivery.position).await {
                return error;
            }
        }
        panic!("it settled everything");
    };
    assert_eq!(within(Duration::from_secs(15), lost).await.kind, ErrorKind::Conflict);
    servers.revive();
    // Ends with this test, however that ends.
    let served = Arc::new(());
    let is_over = Arc::downgrade(&served);
    let (observer, group, timeout) = (kafka.observer(GROUP).unwrap(), kafka.group(GROUP), kafka.timeout());
    let watching = tokio::task::spawn_blocking(move || {
        let mut most = 0;
        loop {
            // A look after the end as well: the client that looks may have been slower to come back.
            let is_last = is_over.strong_count() == 0;
            most = most.max(members(&observer, &group, timeout));
            if is_last {
                return most;
            }
        }
    });
    let again = async {
        while commands.submit(0, payload(MANY)).await.is_err() {}
        loop {
            match consumer.next(MANY as usize).await {
                Ok(delivered) if delivered.iter().any(|delivery| number(delivery) == MANY) => return,
                Ok(_) => {}
                Err(error) => {
                    assert!(!format!("{error:?}").contains("Fenced"), "{error:?}");
                    tokio::task::yield_now().await;
                    consumer = commands.consume(0).await.unwrap();
                }
            }
        }
    };
    within(Duration::from_secs(10), again).await;
    drop(served);
    assert_eq!(soon(watching).await.unwrap(), 1, "members at the most");
    let member = commands.shared.seat().member.clone().unwrap();
    assert!(member.inboxes().places().is_ok(), "it had to begin again");
}

#[tokio::test]
async fn a_submit_that_is_cut_off_is_unavailable_and_later_ones_are_taken() {
    let servers = Servers::start(Kind::Kafka, 1);
    let link = bench::linked(&servers).await;
    let (_, prefix) = bench::topics(&servers, 1, "").await;
    let kafka = bench::at(link.address(), &prefix, "timeout_ms=2000");
    let commands = Arc::new(KafkaCommands::new(kafka, 1).unwrap());
    let direct = bench::again(&servers, &prefix, "");
    let (mut sender, mut processor) =
        (Sender::of(&commands), Processor::of(&Arc::new(KafkaCommands::new(direct, 1).unwrap())));
    let mut heard = Vec::new();
    for (to_server, to_client) in [(Flow::Held, Flow::Held), (Flow::Open, Flow::Held), (Flow::Held, Flow::Open)] {
        sender.send(20).await;
        link.set(to_server, to_client);
        assert!(!sender.try_one().await, "no answer came");
        link.set(Flow::Open, Flow::Open);
        within(Duration::from_secs(10), sender.until_taken()).await;
        link.tear();
        let last = sender.until_taken().await;
        heard.extend(processor.until(last).await);
    }
    compare(&heard, &sender.taken);
}

#[tokio::test]
async fn a_processor_that_is_cut_off_loses_its_turn_to_another_one() {
    let servers = Servers::start(Kind::Kafka, 1);
    let link = bench::linked(&servers).await;
    let (kafka, prefix) = bench::topics(&servers, 1, "").await;
    let distant = KafkaCommands::new(bench::at(link.address(), &prefix, ""), 1).unwrap();
    let near = Arc::new(KafkaCommands::new(kafka.clone(), 1).unwrap());
    let mut sender = Sender::of(&near);
    sender.send(3).await;
    let mut former = distant.consume(0).await.unwrap();
    let delivered = soon(former.next(3)).await.unwrap();
    former.settle(delivered[0].position).await.unwrap();
    until_committed(&kafka, 1).await;
    link.set(Flow::Held, Flow::Held);
    let mut processor = Processor::of(&near);
    let mut heard = vec![1];
    // When its session is over.
    heard.extend(within(Duration::from_secs(15), processor.until(3)).await);
    // It may not know yet.
    let _ = former.settle(3).await;
    link.set(Flow::Open, Flow::Open);
    let knows = async {
        while former.settle(3).await.map_err(|error| error.kind) != Err(ErrorKind::Conflict) {
            tokio::task::yield_now().await;
        }
    };
    soon(knows).await;
    assert_eq!(soon(former.next(1)).await.unwrap_err().kind, ErrorKind::Conflict);
    sender.send(3).await;
    heard.extend(processor.until(sender.next).await);
    compare(&heard, &sender.taken);
    assert_eq!(heard[..3], [1, 2, 3], "what was settled before did not come again");
}

/// Waits until everything in the one partition before this offset is committed.
async fn until_committed(kafka: &Arc<Kafka>, offset: i64) {
    let (observer, topic, timeout) = (kafka.observer(GROUP).unwrap(), kafka.commands_topic(), kafka.timeout());
    let committed = move || {
        while crate::drivers::kafka::committed(&observer, &topic, 0..1, timeout).unwrap().get(&0) != Some(&offset) {}
    };
    soon(tokio::task::spawn_blocking(committed)).await.unwrap();
}

#[tokio::test]
async fn what_was_settled_is_committed_soon_and_before_the_partition_moves() {
    let (kafka, prefix) = bench::topics(bench::shared(), 1, "").await;
    let commands = KafkaCommands::new(kafka.clone(), 1).unwrap();
    for n in 0..4 {
        commands.submit(0, payload(n)).await.unwrap();
    }
    let mut consumer = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < 4 {
        delivered.extend(soon(consumer.next(4)).await.unwrap());
    }
    consumer.settle(delivered[1].position).await.unwrap();
    until_committed(&kafka, 2).await;
    // Of this one nobody waits until it is committed.
    consumer.settle(delivered[2].position).await.unwrap();
    drop((consumer, commands));
    let next = KafkaCommands::new(bench::again(bench::shared(), &prefix, ""), 1).unwrap();
    let delivered = soon(next.consume(0).await.unwrap().next(4)).await.unwrap();
    assert_eq!(delivered.iter().map(number).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn three_brokers_lose_nothing_with_their_leader() {
    let servers = Servers::start(Kind::Kafka, 3);
    let options = format!("timeout_ms=3000&{}", bench::SHORT_SESSION);
    let (kafka, _) = bench::topics(&servers, 1, &options).await;
    let commands = Arc::new(KafkaCommands::new(kafka.clone(), 1).unwrap());
    let (mut sender, mut processor) = (Sender::of(&commands), Processor::of(&commands));
    sender.send(50).await;
    let mut heard = processor.until(sender.next).await;
    let observer = kafka.observer("test").unwrap();
    let metadata = observer.fetch_metadata(Some(&kafka.commands_topic()), kafka.timeout()).unwrap();
    let leader = metadata.topics()[0].partitions()[0].leader();

    // In the middle of what is on its way.
    let on_the_way: Vec<_> = (1_000_000..1_000_500).map(|n| (n, commands.submit(0, payload(n)))).collect();
    let on_the_way = on_the_way.into_iter().map(async |(n, submit)| submit.await.is_ok().then_some(n));
    let all = join_all(on_the_way);
    let (all, ()) = tokio::join!(all, async { servers.kill(leader.try_into().unwrap()) });
    sender.next = 2_000_000;
    let goes_on = async {
        let last = sender.until_taken().await;
        heard.extend(processor.until(last).await);
    };
    within(Duration::from_secs(15), goes_on).await;
    sender.send(50).await;
    heard.extend(processor.until(sender.next).await);
    let taken: Vec<_> = sender.taken.into_iter().chain(all.into_iter().flatten()).collect();
    compare(&heard, &taken);
}

#[tokio::test]
async fn dead_letters_that_were_taken_away_leave_the_disk() {
    let (kafka, _) = bench::topics(bench::shared(), 1, "").await;
    let commands = KafkaCommands::new(kafka.clone(), 1).unwrap();
    commands.bury((0..5).map(payload).collect()).await.unwrap();
    let mut dead = commands.dead().await.unwrap();
    let first = soon(dead.next(3)).await.unwrap();
    dead.take_away(first[2].position).await.unwrap();
    let (topic, timeout) = (kafka.dead_topic(), kafka.timeout());
    let known = move || {
        let observer = kafka.observer(OPERATORS).unwrap();
        let begins = crate::drivers::kafka::starts(&observer, &topic, 0..1, timeout).unwrap();
        (begins, crate::drivers::kafka::committed(&observer, &topic, 0..1, timeout).unwrap())
    };
    let (begins, committed) = tokio::task::spawn_blocking(known).await.unwrap();
    assert_eq!(begins, BTreeMap::from([(0, 3)]));
    assert_eq!(committed, begins, "a broker that is killed may forget where a topic began a moment ago");
}

#[tokio::test]
async fn many_commands_share_a_request() {
    let (kafka, _) = bench::topics(bench::shared(), 4, "").await;
    let commands = Arc::new(KafkaCommands::new(kafka.clone(), 4).unwrap());
    const COUNT: usize = 20_000;
    let work = async {
        let (mut consumers, mut left) = (Vec::new(), COUNT);
        for partition in 0..4 {
            consumers.push(commands.consume(partition).await.unwrap());
        }
        let each = consumers.into_iter().map(async |mut consumer| {
            let mut count = 0;
            while count < COUNT / 4 {
                let deliveries = consumer.next(1_024).await.unwrap();
                consumer.settle(deliveries.last().unwrap().position).await.unwrap();
                count += deliveries.len();
            }
            count
        });
        left -= join_all(each).await.into_iter().sum::<usize>();
        assert_eq!(left, 0);
    };
    let submits = futures_util::stream::iter(0..COUNT)
        .map(async |n| commands.submit(n % 4, Bytes::from(vec![0; 300])).await.unwrap())
        .buffer_unordered(1_000)
        .count();
    let began = Instant::now();
    let (count, ()) = soon(async { tokio::join!(submits, work) }).await;
    let took = began.elapsed();
    // Until all clients have said how much they sent.
    for _ in 0..2 {
        let before = kafka.requests();
        soon(async {
            while kafka.requests() == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    let each = kafka.requests() as f64 / count as f64;
    println!("{count} commands with 1,000 on their way: {took:?}, {each:.3} requests each");
    assert!(each < 0.3, "{each} requests for each command");
}
