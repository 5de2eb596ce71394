//! Deliveries: what it costs to hand a message to everybody who listens, beside a server that does nothing but send, at the same
//! rate and heard by the same readers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use klatch_client::Gateway;
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::acknowledgements::message;
use crate::baseline::RawServer;
use crate::listening::{Heard, listen};
use crate::server::{Server, channel};

/// Listeners, and messages a second: some two fifths of a core.
const LOADS: [(usize, u64); 2] = [(100, 400), (1_000, 40)];
/// Pairs of a turn of the one and a turn of the other; the median of their ratios counts.
const PAIRS: usize = 5;
/// How long a turn takes: seconds.
const TURN_S: u64 = 3;

/// Measures and prints.
pub async fn measure(klatch: &Path) -> anyhow::Result<()> {
    println!("deliveries: CPU of the whole server, durable log and all, beside one that only sends; at the same rate");
    println!(
        "  {:>9} {:>7} {:>12} {:>13} {:>7} {:>12}",
        "listeners", "msgs/s", "µs/delivery", "µs/bare send", "ratio", "encodes/msg"
    );
    for (listeners, rate) in LOADS {
        let (mut ours, mut raw) = (Ours::start(klatch, listeners).await?, Raw::start(listeners)?);
        let mut turns = Vec::with_capacity(PAIRS);
        // The first pair warms both up.
        for pair in 0..=PAIRS {
            let turn = (ours.turn(rate).await?, raw.turn(rate).await?);
            if pair > 0 {
                turns.push(turn);
            }
        }
        turns.sort_by(|(a, raw_a), (b, raw_b)| (a / raw_a).total_cmp(&(b / raw_b)));
        let (cpu, raw_cpu) = turns[PAIRS / 2];
        let encodes = ours.encodes().await?;
        println!(
            "  {listeners:>9} {rate:>7} {:>12.2} {:>13.2} {:>7.2} {encodes:>12.1}",
            cpu * 1e6,
            raw_cpu * 1e6,
            cpu / raw_cpu
        );
    }
    Ok(())
}

/// A Klatch, and those who listen.
struct Ours {
    server: Server,
    room: Uuid,
    sender: Gateway,
    listeners: usize,
    sent: usize,
    heard: Arc<Heard>,
}

impl Ours {
    async fn start(klatch: &Path, listeners: usize) -> anyhow::Result<Self> {
        let server = Server::start(klatch).await?;
        let room = channel(&server.owner, "room").await?;
        let token = server.owner.tokens().await.access;
        let heard = Arc::new(Heard::default());
        for _ in 0..listeners {
            let (mut gateway, _) = Gateway::connect(&server.base, &token).await?;
            gateway.sync().await?;
            // It listens from the answer on.
            while !matches!(gateway.next().await?, Ok(ServerFrame::Conversations { .. })) {}
            tokio::spawn(listen(gateway.into_stream(), heard.clone()));
        }
        let (sender, _) = Gateway::connect(&server.base, &token).await?;
        Ok(Self { server, room, sender, listeners, sent: 0, heard })
    }

    /// CPU a delivery: seconds.
    async fn turn(&mut self, rate: u64) -> anyhow::Result<f64> {
        let (cpu, messages) = (self.server.cpu()?, rate * TURN_S);
        let mut pace = pace(rate);
        for _ in 0..messages {
            pace.tick().await;
            self.sender.send(&ClientFrame::Command { conversation: self.room, new: message() }).await?;
        }
        self.sent += messages as usize;
        self.heard.wait(self.sent * self.listeners).await;
        Ok((self.server.cpu()? - cpu) / (messages as usize * self.listeners) as f64)
    }

    /// Frames encoded for each message.
    async fn encodes(&mut self) -> anyhow::Result<f64> {
        let before = self.server.metric(ENCODES).await?;
        self.turn(10).await?;
        Ok((self.server.metric(ENCODES).await? - before) / (10 * TURN_S) as f64)
    }
}

const ENCODES: &str = "klatch_gateway_encodes_total";

/// The bare server, and those who listen.
struct Raw {
    server: RawServer,
    listeners: usize,
    sent: usize,
    heard: Arc<Heard>,
}

impl Raw {
    fn start(listeners: usize) -> anyhow::Result<Self> {
        let mut server = RawServer::start(listeners)?;
        let heard = Arc::new(Heard::default());
        for listener in std::mem::take(&mut server.listeners) {
            listener.set_nonblocking(true)?;
            tokio::spawn(listen(TcpStream::from_std(listener)?, heard.clone()));
        }
        Ok(Self { server, listeners, sent: 0, heard })
    }

    async fn turn(&mut self, rate: u64) -> anyhow::Result<f64> {
        let (cpu, messages) = (self.server.cpu(), rate * TURN_S);
        let mut pace = pace(rate);
        for _ in 0..messages {
            pace.tick().await;
            self.server.send()?;
        }
        self.sent += messages as usize;
        self.heard.wait(self.sent * self.listeners).await;
        Ok((self.server.cpu() - cpu) / (messages as usize * self.listeners) as f64)
    }
}

fn pace(rate: u64) -> tokio::time::Interval {
    let mut pace = tokio::time::interval(Duration::from_nanos(1_000_000_000 / rate));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
