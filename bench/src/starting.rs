//! Starting: how soon a node is ready, what it then holds, and what a real channel of IRC changes about that.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use klatch_client::Rest;
use klatch_protocol::objects::ConversationKind;
use tokio::process::Command;
use uuid::Uuid;

use crate::server::{NAME, PASSWORD, Server};

/// Starts on the same data, of which the median is taken.
const STARTS: usize = 5;
/// Pages asked for, of which the median is taken.
const PAGES: usize = 21;
/// The channel that is imported into.
const CHANNEL: &str = "imported";

/// Measures and prints; with a log of IRC also how long its import takes.
pub async fn measure(klatch: &Path, log: Option<&Path>) -> anyhow::Result<()> {
    println!("starting: from the call to the line that says where the site is; memory after ten seconds of rest");
    println!("  {:>10} {:>9} {:>12}", "data", "ready ms", "resident MB");
    let server = restarts(klatch, Server::start(klatch).await?, "empty").await?;
    let Some(log) = log else {
        println!("  with --import FILE (a log of IRC, see klatch import irc --help) also what lies on real data");
        return Ok(());
    };
    let begun = Instant::now();
    let report = import(klatch, &server, log).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak = server.memory("VmHWM:")? / 1e6;
    let server = restarts(klatch, server, "imported").await?;
    println!("importing: {}", log.display());
    println!("  {seconds:.1} s, server {peak:.0} MB at most");
    report.lines().for_each(|line| println!("  {line}"));
    pages(&server.owner).await
}

/// Starts again and again on the same data.
async fn restarts(klatch: &Path, mut server: Server, data: &str) -> anyhow::Result<Server> {
    let mut ready = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let took;
        (server, took) = server.again(klatch).await?;
        ready.push(took);
    }
    let resident = server.settled().await? / 1e6;
    println!("  {data:>10} {:>9.0} {resident:>12.1}", median(ready).as_secs_f64() * 1e3);
    Ok(server)
}

/// Imports with the program itself, as its owner would.
async fn import(klatch: &Path, server: &Server, log: &Path) -> anyhow::Result<String> {
    let home = tempfile::tempdir()?;
    let shell = |arguments: &[&str]| {
        let mut command = Command::new(klatch);
        command.args(arguments).env("XDG_CONFIG_HOME", home.path()).env("KLATCH_SERVER", &server.base);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    };
    let mut login = shell(&["login", "--name", NAME]).spawn()?;
    let mut input = login.stdin.take().context("its input")?;
    tokio::io::AsyncWriteExt::write_all(&mut input, format!("{PASSWORD}\n").as_bytes()).await?;
    drop(input);
    ensure!(login.wait().await?.success(), "the owner cannot sign in");
    let log = log.to_str().context("the log's path is no UTF-8")?;
    let imported = shell(&["import", "irc", log, "--channel", CHANNEL]).output().await?;
    ensure!(imported.status.success(), "the import failed");
    Ok(String::from_utf8(imported.stdout)?)
}

/// Opens pages of the channel, with nothing of it in memory but what the start left there.
async fn pages(rest: &Rest) -> anyhow::Result<()> {
    let conversations = rest.conversations(None).await?.items;
    let channel = conversations.iter().find(|item| item.kind == ConversationKind::Channel && item.name == CHANNEL);
    let channel = channel.context("the channel")?.id;
    let head = rest.history(channel, "limit=1").await?.head;
    for (what, query) in [
        ("first", "after=0&limit=50".to_owned()),
        ("middle", format!("around={}&limit=50", head / 2)),
        ("last", "limit=50".to_owned()),
    ] {
        let (cold, warm) = page(rest, channel, &query).await?;
        println!("  a page of the {what} messages: {:.1} ms at first, {:.1} ms then", ms(cold), ms(warm));
    }
    Ok(())
}

async fn page(rest: &Rest, channel: Uuid, query: &str) -> anyhow::Result<(Duration, Duration)> {
    let mut took = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        let begun = Instant::now();
        ensure!(!rest.history(channel, query).await?.events.is_empty(), "an empty page");
        took.push(begun.elapsed());
    }
    Ok((took[0], median(took)))
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}
