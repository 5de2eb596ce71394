//! Figures, each beside its raw baseline, measured in the same run: the machine is noisy, the ratios are not.
//!
//! The server is a process of its own, on data of its own. How to read what is printed: `docs/operating/performance.md`.

mod acknowledgements;
mod baseline;
mod cluster;
mod deliveries;
mod idle;
mod listening;
mod process;
mod server;
mod starting;

use std::path::PathBuf;

use clap::Parser;

/// Measure a Klatch.
#[derive(Parser)]
struct Bench {
    /// The program to measure [default: the one built beside this]
    #[arg(long, value_name = "FILE")]
    klatch: Option<PathBuf>,
    /// A log of IRC to import, for what lies on real data (see klatch import irc --help)
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Of clusters, only those with so many processes of each kind
    #[arg(long, value_name = "COUNT")]
    copies: Option<usize>,
    /// Of clusters, only those on this queue: rabbitmq or kafka
    #[arg(long, value_enum)]
    queue: Option<cluster::Stack>,
    /// Of clusters, only over so many conversations
    #[arg(long, value_name = "COUNT")]
    conversations: Option<usize>,
    /// Partitions of clusters, for each processor
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    partitions: usize,
    /// Only what has this in its name: acknowledgements, deliveries, idle, starting; or cluster, which is measured only when it is named
    only: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let bench = Bench::parse();
    let klatch = match bench.klatch {
        Some(klatch) => klatch,
        None => std::env::current_exe()?.with_file_name("klatch"),
    };
    let wanted = |name: &str| bench.only.as_deref().is_none_or(|only| name.contains(only));
    if wanted("acknowledgements") {
        acknowledgements::measure(&klatch).await?;
    }
    if wanted("deliveries") {
        deliveries::measure(&klatch).await?;
    }
    if wanted("idle") {
        idle::measure(&klatch).await?;
    }
    if wanted("starting") {
        starting::measure(&klatch, bench.import.as_deref()).await?;
    }
    if bench.only.as_deref() == Some("cluster") {
        let only = cluster::Only {
            copies: bench.copies,
            queue: bench.queue,
            conversations: bench.conversations,
            partitions: bench.partitions,
        };
        cluster::measure(&klatch, &only).await?;
    }
    Ok(())
}
