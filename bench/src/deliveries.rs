//! Deliveries: what it costs to hand a message to everybody who listens, beside a bare send.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klatch_client::Gateway;
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use tokio::sync::Notify;

use crate::acknowledgements::message;
use crate::baseline;
use crate::server::{Server, channel};

/// Listeners, and messages that each of them hears.
const LOADS: [(usize, usize); 2] = [(100, 1_000), (1_000, 150)];
/// Bytes of a frame that brings one message of 150 bytes.
const FRAME_BYTES: usize = 420;

/// Measures and prints.
pub async fn measure(klatch: &Path) -> anyhow::Result<()> {
    println!("deliveries: one message in flight, a write per delivery; CPU of the whole server");
    println!("  {:>9} {:>12} {:>13} {:>7} {:>12}", "listeners", "µs/delivery", "µs/bare send", "ratio", "encodes/msg");
    for (listeners, messages) in LOADS {
        let server = Server::start(klatch).await?;
        let room = channel(&server.owner, "room").await?;
        let token = server.owner.tokens().await.access;
        let heard = Arc::new(Heard::default());
        for _ in 0..listeners {
            let (mut gateway, _) = Gateway::connect(&server.base, &token).await?;
            gateway.sync().await?;
            // It listens from the answer on.
            while !matches!(gateway.next().await?, Ok(ServerFrame::Conversations { .. })) {}
            tokio::spawn(listen(gateway, heard.clone()));
        }
        let (mut sender, _) = Gateway::connect(&server.base, &token).await?;
        for round in 1..=20 {
            sender.send(&ClientFrame::Command { conversation: room, new: message() }).await?;
            heard.wait(round * listeners).await;
        }
        let before = heard.count.load(Ordering::Relaxed);
        let (cpu, encodes) = (server.cpu()?, server.metric("klatch_gateway_encodes_total").await?);
        for round in 1..=messages {
            sender.send(&ClientFrame::Command { conversation: room, new: message() }).await?;
            heard.wait(before + round * listeners).await;
        }
        let cpu = (server.cpu()? - cpu) / (listeners * messages) as f64 * 1e6;
        let encodes = (server.metric("klatch_gateway_encodes_total").await? - encodes) / messages as f64;
        let raw = baseline::cpu_per_send(listeners, FRAME_BYTES, messages)? * 1e6;
        println!("  {listeners:>9} {cpu:>12.2} {raw:>13.2} {:>7.2} {encodes:>12.1}", cpu / raw);
    }
    Ok(())
}

/// How many deliveries came.
#[derive(Default)]
struct Heard {
    count: AtomicUsize,
    more: Notify,
}

impl Heard {
    async fn wait(&self, wanted: usize) {
        loop {
            let more = self.more.notified();
            if self.count.load(Ordering::Relaxed) >= wanted {
                return;
            }
            // A wake-up may come between the look and the wait; the next look is never far.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(5), more).await;
        }
    }
}

async fn listen(mut gateway: Gateway, heard: Arc<Heard>) {
    while let Ok(Ok(frame)) = gateway.next().await {
        if let ServerFrame::Events { events, .. } = frame {
            heard.count.fetch_add(events.len(), Ordering::Relaxed);
            heard.more.notify_one();
        }
    }
}
