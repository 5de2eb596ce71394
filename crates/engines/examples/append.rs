//! How fast the log on this disk is, and how many syncs it takes: `cargo run -p klatch-engines --example append -- [DIR]`.
//! Each line: so many appends in flight, each of one record of 200 bytes to a conversation of its own, for a few seconds.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::event_log::fjall::FjallEventLog;
use klatch_ports::event_log::{Append, EventLog, NewRecord, Record};
use tokio::task::JoinSet;

const LASTS: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = match std::env::args_os().nth(1) {
        Some(dir) => PathBuf::from(dir),
        None => std::env::temp_dir().join(format!("klatch-append-{}", std::process::id())),
    };
    let workers = std::env::var("WORKERS").ok().and_then(|w| w.parse().ok()).unwrap_or(2);
    let store = Store::open(&dir, Options { workers, ..Options::default() })?;
    println!("{:>9} {:>10} {:>12} {:>10} {:>10}", "in flight", "appends/s", "appends/sync", "cpu µs", "rss MB");
    for in_flight in [1, 8, 64, 256, 1_000] {
        let (before, cpu, begin) = (store.syncs(), cpu_us(), Instant::now());
        let appends = load(&store, in_flight).await?;
        let (syncs, cpu, lasted) = (store.syncs() - before, cpu_us() - cpu, begin.elapsed());
        println!(
            "{in_flight:>9} {:>10.0} {:>12.1} {:>10.1} {:>10}",
            appends as f64 / lasted.as_secs_f64(),
            appends as f64 / syncs as f64,
            cpu as f64 / appends as f64,
            rss_mb(),
        );
    }
    drop(store);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Appends for as long as it lasts, so many at a time; returns how many.
async fn load(store: &Arc<Store>, in_flight: u128) -> Result<u64, klatch_ports::Error> {
    let log = Arc::new(FjallEventLog::new(store.clone()));
    let (count, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + LASTS);
    let mut tasks: JoinSet<Result<(), klatch_ports::Error>> = JoinSet::new();
    for n in 0..in_flight {
        let (log, count) = (log.clone(), count.clone());
        tasks.spawn(async move {
            let conversation = ConversationId(Uuid::from_u128(in_flight << 100 | n));
            let mut tail = 0;
            while Instant::now() < end {
                log.append(vec![append(conversation, tail)]).await.remove(0)?;
                tail += 1;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect::<Result<(), _>>()?;
    Ok(count.load(Ordering::Relaxed))
}

fn append(conversation: ConversationId, tail: u64) -> Append {
    let id = CommandId(Uuid::from_u128(conversation.0.as_u128() ^ u128::from(tail)));
    let (head, body) = (Bytes::from(vec![1; 60]), Bytes::from(vec![2; 140]));
    let record = Record { seq: Seq(tail + 1), id, head, body };
    Append { conversation, expected: Seq(tail), records: vec![NewRecord { record, index: Bytes::from(vec![3; 40]) }] }
}

/// What this process used of all processors: µs.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = |n: usize| stat.rsplit(')').next()?.split_whitespace().nth(n)?.parse::<u64>().ok();
    (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10_000
}

fn rss_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4 / 1024
}
