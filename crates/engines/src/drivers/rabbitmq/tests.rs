use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bytes::Bytes;
use klatch_backing::{Flow, Kind, Link, Servers};
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use klatch_ports::commands::Commands;
use klatch_ports::contract::{soon, within};
use klatch_ports::event_log::Record;
use klatch_ports::feed::Feed;
use tokio::task::{JoinHandle, spawn_blocking};

use super::*;
use crate::commands::rabbitmq::RabbitMqCommands;
use crate::feed::rabbitmq::RabbitMqFeed;

const WAITING_MAX: u32 = 100_000;

#[test]
fn what_cannot_be_meant_is_refused_with_a_sentence() {
    for (address, sentence) in [
        ("amqp://h/?copies=0", "`copies`"),
        ("amqp://h/?timeout_ms=soon", "`timeout_ms`"),
        ("amqp://h/?prefix=", "`prefix`"),
        ("amqp://h/?speed=1", "`speed`"),
    ] {
        let refused = Broker::at(address.parse().unwrap()).err().unwrap();
        assert!(refused.contains(sentence), "{address}: {refused}");
    }
}

#[tokio::test]
async fn what_several_consumers_had_when_they_died_comes_again_in_order() {
    let broker = bench::at(&bench::shared());
    let queue = Queue { name: broker.name("line"), length_max: None, bound: None };
    broker.make(&[Crew::exchange(&broker)], std::slice::from_ref(&queue)).await.unwrap();
    let crew = Crew::join(broker.clone(), "line".to_owned(), 1);
    let open = async || Inlet::open(broker.clone(), queue.name.clone(), 256, crew.clone()).await.unwrap();
    let messages: Vec<_> = (0..600).map(number).collect();
    Outlet::to_queue(broker.clone(), queue.clone()).put(&messages).await.unwrap();

    let (mut first, mut second) = (open().await, open().await);
    let last = take(&mut first, 0..200).await;
    first.settle(last - 150).await.unwrap();
    drop(first);
    // More than it had at the first look: it has all that went back, and of the rest as much as there is room for.
    take(&mut second, 50..306).await;
    let mut third = open().await;
    drop(second);
    let last = take(&mut third, 50..250).await;
    third.settle(last).await.unwrap();
    // All waiting consumers and the one whose turn it is die together, and nobody is left for a while.
    drop((third, open().await));
    let mut fourth = open().await;
    for from in [250, 450] {
        let last = take(&mut fourth, from..(from + 200).min(600)).await;
        fourth.settle(last).await.unwrap();
    }
}

#[tokio::test]
async fn who_gives_up_while_the_broker_has_yet_to_answer_has_no_turn() {
    let broker = bench::at(&bench::shared());
    let queue = Queue { name: broker.name("line"), length_max: None, bound: None };
    broker.make(&[Crew::exchange(&broker)], std::slice::from_ref(&queue)).await.unwrap();
    let crew = Crew::join(broker.clone(), "line".to_owned(), 1);
    let open = || Inlet::open(broker.clone(), queue.name.clone(), 256, crew.clone());
    let outlet = Outlet::to_queue(broker.clone(), queue.clone());
    // Each time it waits once more, and in the end it has waited for everything.
    for times in 1.. {
        let is_open = given_up(open(), times).await.is_some();
        outlet.put(&[number(times)]).await.unwrap();
        let mut next = open().await.unwrap();
        let last = take(&mut next, times..times + 1).await;
        next.settle(last).await.unwrap();
        if is_open {
            println!("given up in {} places", times - 1);
            return;
        }
    }
}

/// Does as much of it as can be done while it waits fewer than so many `times`.
async fn given_up<T>(future: impl Future<Output = T>, times: u64) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut waits = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => {
            waits += 1;
            if waits < times { Poll::Pending } else { Poll::Ready(None) }
        }
    })
    .await
}

/// Takes messages, which must be these, and returns the tag of the last.
async fn take(inlet: &mut Inlet, numbers: std::ops::Range<u64>) -> u64 {
    let mut last = 0;
    for expected in numbers {
        let (tag, message) = soon(poll_fn(|context| inlet.poll_next(context))).await.unwrap();
        assert_eq!(message, number(expected), "in order");
        last = tag;
    }
    last
}

#[tokio::test]
async fn an_operator_is_told_what_is_wrong() {
    let broker = bench::at(&format!("{}&copies=1", bench::shared()));
    let queue = |name, length_max| Queue { name: broker.name(name), length_max, bound: None };
    let there = [queue("a", Some(10)), queue("b", Some(10))];
    broker.make(&[], &there).await.unwrap();
    let messages: Vec<_> = (0..9).map(number).collect();
    Outlet::to_queue(broker.clone(), there[0].clone()).put(&messages).await.unwrap();
    let asked = [there[0].clone(), queue("b", Some(20)), queue("c", None)];
    let findings = broker.health(&asked).await.unwrap();
    for (finding, word) in findings.iter().zip(["`copies=1`", "9 messages wait", "is not as", "is not there"]) {
        assert!(finding.contains(word), "{finding}");
    }
    assert_eq!(findings.len(), 4, "{findings:?}");
    assert_eq!(broker.expect(&asked).await.unwrap_err().kind, ErrorKind::Broken);
    broker.expect(&there).await.unwrap();
}

#[tokio::test]
async fn an_operator_is_told_that_there_is_no_room() {
    let servers =
        Servers::prepared(Kind::RabbitMq, 1, |it| it.configure(1, "disk_free_limit.absolute = 1000000000000000"));
    let broker = bench::at(&bench::address(&servers.addresses()));
    let is_short = |findings: Vec<String>| findings.iter().any(|finding| finding.contains("short of disk or memory"));
    soon(async { while !broker.health(&[]).await.is_ok_and(is_short) {} }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_cut_off_is_told_and_goes_on() {
    let link = Link::to(Servers::shared(Kind::RabbitMq).address(1)).await;
    let address = bench::address(&[link.address().to_owned()]);
    let traffic = Traffic::start(&address, &format!("{address}&timeout_ms=500")).await;
    traffic.flows().await;
    for (to_server, to_client) in [(Flow::Held, Flow::Open), (Flow::Open, Flow::Held), (Flow::Held, Flow::Held)] {
        link.set(to_server, to_client);
        traffic.fails().await;
        link.set(Flow::Open, Flow::Open);
        traffic.flows().await;
        link.tear();
        traffic.flows().await;
    }
    traffic.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_comes_back_with_all_that_it_accepted() {
    let servers = Arc::new(Servers::start(Kind::RabbitMq, 1));
    let address = bench::address(&servers.addresses());
    make(&bench::at(&address)).await;
    // RabbitMQ 3.10 keeps the names of new queues to itself for half a second, and after a kill within that they answer nobody.
    let settled = servers.clone();
    let restart = move || {
        settled.stop();
        settled.revive();
    };
    spawn_blocking(restart).await.unwrap();
    let traffic = Traffic::start(&address, &address).await;
    for _ in 0..2 {
        traffic.flows().await;
        servers.kill(1);
        traffic.fails().await;
        let revived = servers.clone();
        spawn_blocking(move || revived.revive()).await.unwrap();
        within(Duration::from_secs(10), traffic.flows()).await;
    }
    traffic.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_brokers_the_one_that_leads_may_die() {
    let servers = spawn_blocking(|| Servers::start(Kind::RabbitMq, 3)).await.unwrap();
    let address = bench::address(&servers.addresses());
    // Who makes a queue leads it.
    let through_the_first = address.replace(&servers.addresses().join(","), &servers.address(1));
    let traffic = Traffic::start(&through_the_first, &address).await;
    traffic.flows().await;
    servers.kill(1);
    within(Duration::from_secs(15), traffic.flows()).await;
    traffic.finish().await;
}

/// Makes the queues, as far as they are not there.
async fn make(broker: &Broker) {
    RabbitMqCommands::migrate(broker, 1, WAITING_MAX).await.unwrap();
    RabbitMqFeed::migrate(broker, &["search"]).await.unwrap();
}

/// What is opened in the end: until then nobody answers in time.
async fn opened<T>(open: impl AsyncFn() -> Result<T, Error>) -> T {
    let opening = async {
        loop {
            match open().await {
                Err(error) if error.kind == ErrorKind::Unavailable => {}
                opened => return opened.unwrap(),
            }
        }
    };
    soon(opening).await
}

/// Commands that are submitted and consumed, and events that are published and followed, one after the other and without end. Each
/// begins again where it fails, as processors and workers do.
struct Traffic {
    stop: Arc<AtomicBool>,
    /// What each of the four did: the number, or a failure.
    submitted: Done,
    consumed: Done,
    published: Done,
    followed: Done,
    tasks: Vec<JoinHandle<()>>,
}

/// What was done so far, in order.
type Done = Arc<std::sync::Mutex<Vec<Result<u64, Error>>>>;

impl Traffic {
    async fn start(made_at: &str, address: &str) -> Self {
        make(&bench::at(made_at)).await;
        let broker = bench::at(address);
        // Where calls have little time, some of these do not come in time.
        let commands = Arc::new(opened(|| RabbitMqCommands::open(broker.clone(), WAITING_MAX)).await);
        let feed = Arc::new(opened(|| RabbitMqFeed::open(broker.clone(), &["search"])).await);
        let stop = Arc::new(AtomicBool::new(false));
        let done: [Done; 4] = Default::default();
        let [submitted, consumed, published, followed] = done.clone();
        let tasks = vec![
            tokio::spawn(submit(commands.clone(), stop.clone(), submitted)),
            tokio::spawn(consume(commands, consumed)),
            tokio::spawn(publish(feed.clone(), stop.clone(), published)),
            tokio::spawn(follow(feed, followed)),
        ];
        let [submitted, consumed, published, followed] = done;
        Self { stop, submitted, consumed, published, followed, tasks }
    }

    fn all(&self) -> [&Done; 4] {
        [&self.submitted, &self.consumed, &self.published, &self.followed]
    }

    /// Waits until something goes all the way that began after this was called.
    async fn flows(&self) {
        for (one, other) in [(&self.submitted, &self.consumed), (&self.published, &self.followed)] {
            let before = one.lock().unwrap().len();
            let after =
                |done: &Done| done.lock().unwrap().iter().skip(before).find_map(|done| done.as_ref().ok().copied());
            let accepted = until(|| after(one)).await;
            until(|| other.lock().unwrap().iter().flatten().any(|number| *number == accepted).then_some(())).await;
        }
    }

    /// Waits until submitting and publishing failed after this was called, and none of it in another way than it may.
    async fn fails(&self) {
        for done in [&self.submitted, &self.published] {
            let before = done.lock().unwrap().len();
            until(|| done.lock().unwrap().iter().skip(before).any(Result::is_err).then_some(())).await;
        }
        for failure in
            self.all().iter().flat_map(|done| done.lock().unwrap().iter().filter_map(kind).collect::<Vec<_>>())
        {
            assert!([ErrorKind::Unavailable, ErrorKind::Conflict].contains(&failure), "{failure:?}");
        }
    }

    /// Stops, and makes sure that everything that was accepted came, in order.
    async fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        for (what, one, other) in
            [("commands", &self.submitted, &self.consumed), ("events", &self.published, &self.followed)]
        {
            let accepted = || one.lock().unwrap().iter().flatten().copied().collect::<BTreeSet<_>>();
            let arrived = || other.lock().unwrap().iter().flatten().copied().collect::<BTreeSet<_>>();
            until(|| accepted().is_subset(&arrived()).then_some(())).await;
            let accepted = accepted();
            let mut seen = BTreeSet::new();
            let first = other
                .lock()
                .unwrap()
                .iter()
                .flatten()
                .copied()
                .filter(|number| seen.insert(*number))
                .collect::<Vec<_>>();
            let first: Vec<_> = first.into_iter().filter(|number| accepted.contains(number)).collect();
            assert!(first.is_sorted(), "{what} came in another order");
            println!(
                "{what}: {} accepted, {} failures",
                accepted.len(),
                one.lock().unwrap().iter().filter_map(kind).count()
            );
        }
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn kind(done: &Result<u64, Error>) -> Option<ErrorKind> {
    done.as_ref().err().map(|error| error.kind)
}

/// Waits until there is something.
async fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(there) = there() {
                return there;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(waiting).await
}

async fn submit(commands: Arc<RabbitMqCommands>, stop: Arc<AtomicBool>, done: Done) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let submitted = commands.submit(0, number(n)).await;
        done.lock().unwrap().push(submitted.map(|()| n));
        tokio::task::yield_now().await;
    }
}

async fn consume(commands: Arc<RabbitMqCommands>, done: Done) {
    let consumed = async || -> Result<(), Error> {
        let mut consumer = commands.consume(0).await?;
        loop {
            let deliveries = consumer.next(100).await?;
            let numbers: Vec<_> = deliveries.iter().map(|delivery| Ok(read(&delivery.payload))).collect();
            done.lock().unwrap().extend(numbers);
            consumer.settle(deliveries.last().unwrap().position).await?;
        }
    };
    loop {
        let failure = consumed().await.unwrap_err();
        done.lock().unwrap().push(Err(failure));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn publish(feed: Arc<RabbitMqFeed>, stop: Arc<AtomicBool>, done: Done) {
    let conversation = ConversationId(Uuid::from_u128(1));
    for n in 0.. {
        let record = Record { seq: Seq(n), id: CommandId(Uuid::from_u128(2)), head: Bytes::new(), body: number(n) };
        let events = [(conversation, record)];
        // What happened is published until it was.
        while !stop.load(Ordering::Relaxed) {
            let published = feed.publish(&events).await;
            let is_done = published.is_ok();
            done.lock().unwrap().push(published.map(|()| n));
            tokio::task::yield_now().await;
            if is_done {
                break;
            }
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
}

async fn follow(feed: Arc<RabbitMqFeed>, done: Done) {
    let followed = async || -> Result<(), Error> {
        let mut follower = feed.follow("search").await?;
        loop {
            let entries = follower.next(100).await?;
            done.lock().unwrap().extend(entries.iter().map(|entry| Ok(entry.record.seq.0)));
            follower.commit(entries.last().unwrap().position).await?;
        }
    };
    loop {
        let failure = followed().await.unwrap_err();
        done.lock().unwrap().push(Err(failure));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn number(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

fn read(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}
