//! A cluster beside one node, under the same load: what a message costs in processor time of Klatch's own processes, and how often each
//! server is called for it. Two cores cannot show how many messages a second more machines take; that neither grows with them can be
//! shown.

mod site;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klatch_client::{Gateway, Rest};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use tokio::task::JoinSet;
use uuid::Uuid;

use self::site::Site;
pub use self::site::Stack;
use crate::acknowledgements::{Pace, send};
use crate::listening::{Heard, listen};
use crate::server::{Server, channel};

/// Conversations over which the commands are spread.
const LOADS: [usize; 2] = [50, 1_000];
const IN_FLIGHT: usize = 1_000;
/// Connections that send, and commands of each.
const SENDERS: usize = 20;
const COMMANDS: usize = 1_000;
/// Commands that each sends before anything is counted; to a cluster so often that its servers, some of which are compiled while they run,
/// have worked for so long.
const WARM_UP: usize = 100;
const SERVERS_WARM_UP: Duration = Duration::from_secs(60);
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
    let server = Server::start(klatch).await?;
    let bases = vec![server.base.clone(); copies];
    let load = Load::begin(&server.owner, &bases, conversations).await?;
    load.run(&bases, WARM_UP, None).await?;
    let (cpu, encodes) = (server.cpu()?, server.metric(ENCODES).await?);
    let begun = Instant::now();
    let messages = load.run(&bases, COMMANDS, rate).await?;
    Ok(Figures {
        rate: messages / begun.elapsed().as_secs_f64(),
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
    let site = Site::start(klatch, stack, copies, partitions).await?;
    let bases = site.bases();
    let load = Load::begin(&site.owner, &bases, conversations).await?;
    let begun = Instant::now();
    while begun.elapsed() < SERVERS_WARM_UP {
        load.run(&bases, WARM_UP, None).await?;
    }
    let before = counts(&site, stack).await?;
    let cpu = site.cpu()?;
    let begun = Instant::now();
    let messages = load.run(&bases, COMMANDS, None).await?;
    let rate = messages / begun.elapsed().as_secs_f64();
    let now = site.cpu()?;
    let cpu_us = std::array::from_fn(|kind| (now[kind] - cpu[kind]) / messages * 1e6);
    let after = counts(&site, stack).await?;
    let each: Vec<_> = after.into_iter().zip(before).map(|(after, before)| (after - before) / messages).collect();
    let calls = stack.servers().iter().copied().zip(each[2..].iter().copied()).collect();
    Ok(Figures { rate, cpu_us, encodes: each[0], heads: each[1], calls })
}

const ENCODES: &str = "klatch_gateway_encodes_total";

async fn counts(site: &Site, stack: Stack) -> anyhow::Result<Vec<f64>> {
    let mut counts = vec![site.metric(ENCODES).await?, site.metric("klatch_heads_asked_total").await?];
    for server in stack.servers() {
        counts.push(site.metric(&format!("klatch_calls_total{{server=\"{server}\"}}")).await?);
    }
    Ok(counts)
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

    /// Has every sender send so many, `rate` of them all a second if that is said, and waits until all are durable; how many that were.
    async fn run(&self, bases: &[String], commands: usize, rate: Option<f64>) -> anyhow::Result<f64> {
        let every = rate.map(|rate| Duration::from_secs_f64(SENDERS as f64 / rate));
        let pace = Pace { commands, in_flight: IN_FLIGHT / SENDERS, every };
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            let (base, token) = (bases[number % bases.len()].clone(), self.token.clone());
            let conversations = self.conversations.clone();
            senders.spawn(async move { send(&base, &token, &conversations, number, pace).await });
        }
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        Ok((SENDERS * commands) as f64)
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
