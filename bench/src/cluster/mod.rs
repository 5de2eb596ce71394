//! A cluster beside one node, under the same load: what a message costs in processor time of Klatch's own processes, and how often each
//! server is called for it. Two cores cannot show how many messages a second more machines take; that neither grows with them can be
//! shown.

mod site;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use klatch_client::{Gateway, Rest};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use tokio::task::JoinSet;
use uuid::Uuid;

use self::site::Site;
pub use self::site::Stack;
use crate::acknowledgements::{PATIENCE, Pace, send};
use crate::listening::{Heard, listen};
use crate::server::{Server, channel};

/// Conversations over which the commands are spread.
const LOADS: [usize; 2] = [50, 1_000];
const IN_FLIGHT: usize = 1_000;
/// Connections that send, and commands of each, one load after the other until so much time has passed: 20,000 messages are less than half a
/// second for one node, in which it neither writes its tables nor has shown what it took to everybody.
const SENDERS: usize = 20;
const COMMANDS: usize = 1_000;
const MEASURED: Duration = Duration::from_secs(10);
/// How long a node works before anything is counted; and a cluster, some of whose servers are compiled while they run.
const NODE_WARM_UP: Duration = Duration::from_secs(2);
const SERVERS_WARM_UP: Duration = Duration::from_secs(60);
/// Between two questions whether everything was shown.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// Processes of each kind.
const COPIES: [usize; 3] = [1, 2, 4];

/// What was measured: of each message.
struct Figures {
    /// Messages a second.
    rate: f64,
    /// Of fronts, processors and workers; of one node, all of it.
    cpu_us: [f64; 3],
    encodes: f64,
    heads: f64,
    /// By server.
    calls: Vec<(&'static str, f64)>,
}

impl Figures {
    fn all_cpu_us(&self) -> f64 {
        self.cpu_us.iter().sum()
    }
}

/// What is to be measured, where it is not all.
pub struct Only {
    pub copies: Option<usize>,
    pub queue: Option<Stack>,
    pub conversations: Option<usize>,
    /// For each processor.
    pub partitions: usize,
}

/// Measures and prints.
pub async fn measure(klatch: &Path, only: &Only) -> anyhow::Result<()> {
    println!(
        "cluster: {IN_FLIGHT} messages in flight, listened to on every node; CPU is that of Klatch's own processes"
    );
    for conversations in only.conversations.map_or_else(|| LOADS.to_vec(), |count| vec![count]) {
        println!("  over {conversations} conversations");
        for (stack, name) in [(Stack::RabbitMq, "RabbitMQ, PostgreSQL"), (Stack::Kafka, "Kafka, Cassandra")] {
            if only.queue.is_some_and(|wanted| wanted != stack) {
                continue;
            }
            for copies in only.copies.map_or_else(|| COPIES.to_vec(), |count| vec![count]) {
                let one = one_node(klatch, conversations, copies, None).await?;
                let figures = cluster(klatch, stack, copies, copies * only.partitions, conversations).await?;
                let alike = one_node(klatch, conversations, copies, Some(figures.rate)).await?;
                let calls: Vec<_> =
                    figures.calls.iter().map(|(server, calls)| format!("{server} {calls:.3}")).collect();
                println!(
                    "    {name}, {copies} of each: {:.0} messages/s, {:.0} µs/message (fronts, processors, workers: {:.0?}), {:.2} × one \
                     node ({:.0} messages/s, {:.0} µs), {:.2} × one that is sent as many a second ({:.0} µs); {:.2} encodes, {:.4} heads asked; calls: {}",
                    figures.rate,
                    figures.all_cpu_us(),
                    figures.cpu_us,
                    figures.all_cpu_us() / one.all_cpu_us(),
                    one.rate,
                    one.all_cpu_us(),
                    figures.all_cpu_us() / alike.all_cpu_us(),
                    alike.all_cpu_us(),
                    figures.encodes,
                    figures.heads,
                    calls.join(", ")
                );
            }
        }
    }
    Ok(())
}

/// One node, which is heard by as many as a cluster of so many `copies` and is sent so many messages a second, or as many as it takes.
async fn one_node(klatch: &Path, conversations: usize, copies: usize, rate: Option<f64>) -> anyhow::Result<Figures> {
    tell("one node begins");
    let server = Server::start(klatch).await?;
    let bases = vec![server.base.clone(); copies];
    let load = Load::begin(&server.owner, &bases, conversations).await?;
    let metric = async |name: &'static str| server.metric(name).await;
    tell("one node works");
    load.run_for(NODE_WARM_UP, &bases, None).await?;
    all_are_projected(metric).await?;
    let (cpu, encodes) = (server.cpu()?, server.metric(ENCODES).await?);
    let (messages, rate) = load.run_for(MEASURED, &bases, rate).await?;
    all_are_projected(metric).await?;
    Ok(Figures {
        rate,
        cpu_us: [(server.cpu()? - cpu) / messages * 1e6, 0.0, 0.0],
        encodes: (server.metric(ENCODES).await? - encodes) / messages,
        heads: 0.0,
        calls: Vec::new(),
    })
}

async fn cluster(
    klatch: &Path,
    stack: Stack,
    copies: usize,
    partitions: usize,
    conversations: usize,
) -> anyhow::Result<Figures> {
    tell("servers and a cluster begin");
    let site = Site::start(klatch, stack, copies, partitions).await?;
    let bases = site.bases();
    tell("the cluster makes conversations");
    let load = Load::begin(&site.owner, &bases, conversations).await?;
    let metric = async |name: &'static str| site.metric(name).await;
    tell("the cluster warms up");
    load.run_for(SERVERS_WARM_UP, &bases, None).await?;
    all_are_projected(metric).await?;
    tell("the cluster is measured");
    let before = counts(&site, stack).await?;
    let cpu = site.cpu()?;
    let (messages, rate) = load.run_for(MEASURED, &bases, None).await?;
    all_are_projected(metric).await?;
    let now = site.cpu()?;
    let cpu_us = std::array::from_fn(|kind| (now[kind] - cpu[kind]) / messages * 1e6);
    let after = counts(&site, stack).await?;
    let each: Vec<_> = after.into_iter().zip(before).map(|(after, before)| (after - before) / messages).collect();
    let calls = stack.servers().iter().copied().zip(each[2..].iter().copied()).collect();
    Ok(Figures { rate, cpu_us, encodes: each[0], heads: each[1], calls })
}

/// What it is at, for whoever waits: figures come after minutes.
fn tell(what: &str) {
    eprintln!("    … {what}");
}

const ENCODES: &str = "klatch_gateway_encodes_total";

async fn counts(site: &Site, stack: Stack) -> anyhow::Result<Vec<f64>> {
    let mut counts = vec![site.metric(ENCODES).await?, site.metric("klatch_heads_asked_total").await?];
    for server in stack.servers() {
        counts.push(site.metric(&format!("klatch_calls_total{{server=\"{server}\"}}")).await?);
    }
    Ok(counts)
}

/// Waits until what was appended is in the views as well: that belongs to what a message costs.
async fn all_are_projected(metric: impl AsyncFn(&'static str) -> anyhow::Result<f64>) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        // What is projected twice, as after a worker's start, is counted twice: so it may be a little early, and never late.
        let (projected, appended) =
            (metric("klatch_events_projected_total").await?, metric("klatch_events_appended_total").await?);
        if projected >= appended {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "{projected} of {appended} events are projected after {PATIENCE:?}");
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Conversations to which somebody listens on every node.
struct Load {
    token: String,
    conversations: Vec<Uuid>,
}

impl Load {
    async fn begin(owner: &Rest, bases: &[String], count: usize) -> anyhow::Result<Self> {
        let mut conversations = Vec::with_capacity(count);
        for number in 0..count {
            conversations.push(channel(owner, &format!("channel {number}")).await?);
        }
        let token = owner.tokens().await.access;
        for base in bases {
            let gateway = listening(base, &token).await?;
            tokio::spawn(listen_on(gateway, base.clone(), token.clone()));
        }
        Ok(Self { token, conversations })
    }

    /// Has senders send for at least so long, `rate` of them all a second if that is said; how many messages became durable, and how many a second.
    async fn run_for(&self, duration: Duration, bases: &[String], rate: Option<f64>) -> anyhow::Result<(f64, f64)> {
        let (begun, mut messages) = (Instant::now(), 0);
        while begun.elapsed() < duration {
            self.run(bases, rate).await?;
            messages += SENDERS * COMMANDS;
        }
        let messages = messages as f64;
        Ok((messages, messages / begun.elapsed().as_secs_f64()))
    }

    /// Has every sender send its commands, and waits until all are durable.
    async fn run(&self, bases: &[String], rate: Option<f64>) -> anyhow::Result<()> {
        let every = rate.map(|rate| Duration::from_secs_f64(SENDERS as f64 / rate));
        let pace = Pace { commands: COMMANDS, in_flight: IN_FLIGHT / SENDERS, every };
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            let (base, token) = (bases[number % bases.len()].clone(), self.token.clone());
            let conversations = self.conversations.clone();
            senders.spawn(async move { send(&base, &token, &conversations, number, pace).await });
        }
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        Ok(())
    }
}

/// Listens, and comes back when it was too slow for a thousand messages at once and was told to.
async fn listen_on(mut gateway: Gateway, base: String, token: String) {
    let heard = Arc::new(Heard::default());
    loop {
        listen(gateway.into_stream(), heard.clone()).await;
        match listening(&base, &token).await {
            Ok(again) => gateway = again,
            // The site is gone, and the measuring with it.
            Err(_) => return,
        }
    }
}

/// A connection that hears all conversations: from each page's answer on, that page's.
async fn listening(base: &str, token: &str) -> anyhow::Result<Gateway> {
    let (mut gateway, _) = Gateway::connect(base, token).await?;
    let mut after = None;
    loop {
        gateway.send(&ClientFrame::Sync { have: Default::default(), after }).await?;
        let next = loop {
            match gateway.next().await? {
                Ok(ServerFrame::Conversations { next, .. }) => break next,
                Ok(_) => {}
                Err(closed) => anyhow::bail!("closed with {}", closed.code),
            }
        };
        match next {
            Some(next) => after = Some(next),
            None => return Ok(gateway),
        }
    }
}
