//! Durable acknowledgements: how many a second, and how many of them share a sync.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use klatch_client::{Gateway, Rest, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, NewCommand};
use tokio::task::JoinSet;
use tokio::time::{interval_at, timeout};
use uuid::Uuid;

use crate::baseline;
use crate::server::{Server, channel};

/// Conversations over which the commands are spread.
const CONVERSATIONS: usize = 50;

/// Commands in flight, connections that send them, and how many commands each connection sends.
const LOADS: [(usize, usize, usize); 3] = [(1, 1, 2_000), (64, 8, 2_500), (1_000, 20, 4_000)];

/// Measures and prints.
pub async fn measure(klatch: &Path) -> anyhow::Result<()> {
    println!("acknowledgements: 150-byte messages to {CONVERSATIONS} conversations; a sync is one of the log's");
    println!("  {:>9} {:>9} {:>10} {:>14} {:>12}", "in flight", "acks/s", "syncs/ack", "acks/raw sync", "CPU µs/ack");
    for (in_flight, connections, commands) in LOADS {
        let raw = baseline::syncs_per_second()?;
        let server = Server::start(klatch).await?;
        let conversations = conversations(&server.owner).await?;
        let (syncs, cpu, begun) = (server.metric("klatch_log_syncs").await?, server.cpu()?, Instant::now());
        let mut senders = JoinSet::new();
        for number in 0..connections {
            let token = server.owner.tokens().await.access;
            let (base, conversations) = (server.base.clone(), conversations.clone());
            let pace = Pace { commands, in_flight: in_flight / connections, every: None };
            senders.spawn(async move { send(&base, &token, &conversations, number, pace).await });
        }
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        let (acks, seconds) = ((connections * commands) as f64, begun.elapsed().as_secs_f64());
        let syncs = server.metric("klatch_log_syncs").await? - syncs;
        let cpu = (server.cpu()? - cpu) / acks * 1e6;
        println!(
            "  {in_flight:>9} {:>9.0} {:>10.4} {:>14.2} {cpu:>12.1}",
            acks / seconds,
            syncs / acks,
            acks / seconds / raw
        );
    }
    Ok(())
}

async fn conversations(owner: &Rest) -> anyhow::Result<Vec<Uuid>> {
    let mut all = Vec::with_capacity(CONVERSATIONS);
    for number in 0..CONVERSATIONS {
        all.push(channel(owner, &format!("channel {number}")).await?);
    }
    Ok(all)
}

/// How long anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Whose multiples lie evenly between whole numbers.
const GOLDEN: f64 = 0.618_033_988_75;

/// What one connection sends.
#[derive(Clone, Copy)]
pub struct Pace {
    pub commands: usize,
    /// At most.
    pub in_flight: usize,
    /// Between two commands; without it, each follows as soon as it may.
    pub every: Option<Duration>,
}

/// Sends commands over one connection, and waits for all of them.
pub async fn send(
    base: &str,
    token: &str,
    conversations: &[Uuid],
    number: usize,
    Pace { commands, in_flight, every }: Pace,
) -> anyhow::Result<()> {
    let (mut gateway, _) = Gateway::connect(base, token).await?;
    let (mut sent, mut acknowledged) = (0, 0);
    // Connections do not send at the same moments.
    let mut ticks = every
        .map(|every| interval_at(tokio::time::Instant::now() + every.mul_f64((number as f64 * GOLDEN).fract()), every));
    let mut due = async || {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
    };
    while acknowledged < commands {
        tokio::select! {
            biased;
            () = due(), if sent < commands && sent - acknowledged < in_flight.max(1) => {
                let conversation = conversations[(number * 7 + sent) % conversations.len()];
                gateway.send(&ClientFrame::Command { conversation, new: message() }).await?;
                sent += 1;
            }
            frame = timeout(PATIENCE, gateway.next()) => match frame.with_context(|| {
                format!("{} of {sent} commands that were sent had no answer for {PATIENCE:?}", sent - acknowledged)
            })?? {
                Ok(ServerFrame::Committed { .. }) => acknowledged += 1,
                Ok(ServerFrame::Rejected { problem, .. }) => anyhow::bail!("rejected: {}", problem.title),
                Ok(_) => {}
                Err(closed) => anyhow::bail!("closed with {}", closed.code),
            }
        }
    }
    Ok(())
}

/// A message of 150 bytes.
pub fn message() -> NewCommand {
    let body = Body::Text { text: "x".repeat(150), emote: false };
    let command = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
    NewCommand { id: new_id(), command, seen: Some(1_000_000_000), after: None, claimed_at: None }
}
