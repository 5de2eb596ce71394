//! A site leaves the servers of a cluster: everybody holds back what people send until the queue is empty, then all processes stop, and
//! whoever moves the site waits until each has said so.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use klatch_ports::directory::Standing;
use klatch_ports::partitions::DRIVEN_MS;
use klatch_server::crash;
use klatch_server::environment::uuid_v7;
use klatch_server::moving::Place;
use klatch_server::partitioning::{Hold, NotHeld};

use super::{Moved, Target, Tell, finish, target};
use crate::attendance::SAID_WITHIN;
use crate::config::Config;
use crate::engines::{self, Opened};
use crate::environment::Overrides;
use crate::holding::not_held;

/// How long processes have time to stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// Processes that are named in one sentence.
const NAMED_MAX: usize = 20;
/// How long another change of the partitions is waited for: that of a command which was killed ends within [`DRIVEN_MS`].
const CHANGED_WITHIN: Duration = Duration::from_millis(DRIVEN_MS + 1_000);
/// Why a move ends in favour of another.
const ANOTHER: &str = "somebody else moves this site, or has given a move up this moment";
/// What a move that is refused comes to.
const STAYS: &str = "the site is where it was";
/// How often it is looked whether processes have stopped, or another change is over.
const POLL: Duration = Duration::from_millis(50);

/// Moves a site that is on servers, while people chat until its processes stop. Those of them that are `gone`, by their names, are dead,
/// as the operator knows.
///
/// # Errors
/// A sentence that says what to do. The site is then where it was, and its processes go on.
pub async fn leave(
    config: &Config,
    overrides: &Overrides,
    target: &Target,
    gone: &[String],
    tell: &Tell,
) -> anyhow::Result<Moved> {
    let Opened { services, sealer, .. } = engines::open(config, overrides).await?;
    let from = Place { services, sealer };
    let directory = &from.services.directory;
    match directory.standing().await? {
        Standing::Here => {}
        // A move that was killed has said so. The processes go on until what they have accepted since is decided.
        before @ Standing::Leaving(_) => {
            if !directory.set_standing(before, Standing::Here).await? {
                bail!("{ANOTHER}");
            }
        }
        Standing::Moved(to) => bail!("the site has moved to {to} already: start that"),
        Standing::Arriving | Standing::Abandoned => bail!("no site is here: a copy that came here was never finished"),
    }
    no_dead_letters(&from).await?;
    bury(&from, gone).await?;
    let to = target::open(&from, config, target, overrides).await?;
    let known = finish::near(&from, &to, tell).await?;
    tell.say("what waits in the queue is decided");
    let hold = hold(&from, gone).await?;
    crash::point("while_all_hold_back");
    // Of two moves the later one takes over, and the earlier cannot switch any more.
    let leaving = Standing::Leaving(uuid_v7(&*from.services.clock, &*from.services.entropy).to_string());
    if !directory.set_standing(Standing::Here, leaving.clone()).await? {
        hold.give_up().await;
        bail!("{ANOTHER}");
    }
    tell.say("the processes of the site stop");
    crash::point("while_processes_stop");
    let moved = async {
        stopped(&from, &hold).await?;
        no_dead_letters(&from).await?;
        let moved = finish::copy(&from, &to, known, tell).await?;
        finish::switch((&from, leaving.clone()), &to, target, tell).await?;
        anyhow::Ok(moved)
    };
    match moved.await {
        Ok(moved) => {
            let paused_ms = u64::try_from(hold.begun().elapsed().as_millis()).unwrap_or(u64::MAX);
            Ok(Moved { paused_ms, ..moved })
        }
        Err(error) => {
            directory.set_standing(leaving, Standing::Here).await.with_context(|| {
                format!("the processes wait, and could not be told to go on after \"{error:#}\": `klatch move --abort`")
            })?;
            hold.give_up().await;
            Err(error)
        }
    }
}

/// Dead letters lie in the queue, and it stays behind: what is in them would be lost with it.
async fn no_dead_letters(from: &Place) -> anyhow::Result<()> {
    let dead = from.services.commands.dead().await.map_err(engines::whole)?;
    match dead.count() {
        0 => Ok(()),
        count => bail!(
            "there are {count} dead letters, which do not move; {STAYS}. `klatch dead-letters` shows them: replay or drop them, then move \
             again"
        ),
    }
}

/// Forgets processes that are said to be dead, and makes sure that none of them says again that it works: what it does while all is
/// copied would be lost.
async fn bury(from: &Place, gone: &[String]) -> anyhow::Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let directory = &from.services.directory;
    for process in gone {
        directory.leave(process).await?;
    }
    tokio::time::sleep(SAID_WITHIN).await;
    let there = directory.attending().await?.into_iter().map(|(process, _)| process);
    let living: Vec<_> = there.filter(|process| gone.contains(process)).take(NAMED_MAX).collect();
    if living.is_empty() {
        return Ok(());
    }
    bail!(
        "{STAYS}: these processes are not dead, they say that they work: {}; leave them out of `--gone`, or stop them first",
        living.join(", ")
    )
}

/// Has everybody hold back what people send, until the queue is empty: whatever was accepted is in the log before that is copied to its end.
async fn hold<'a>(from: &'a Place, gone: &[String]) -> anyhow::Result<Hold<'a>> {
    let services = &from.services;
    let map = services.partitioning.port.map(services.clock.now()).await.map_err(engines::whole)?;
    let deadline = Instant::now() + CHANGED_WITHIN;
    loop {
        match Hold::begin(services, map.partitions, map.partitions, gone).await {
            Err(NotHeld::Changing) if Instant::now() < deadline => tokio::time::sleep(POLL).await,
            hold => return hold.map_err(|failure| not_held(STAYS, failure)),
        }
    }
}

/// Waits until nobody works for the site any more, and has nobody send meanwhile.
async fn stopped(from: &Place, hold: &Hold<'_>) -> anyhow::Result<()> {
    let (directory, deadline) = (&from.services.directory, Instant::now() + STOPPED_WITHIN);
    loop {
        let there = directory.attending().await?;
        if there.is_empty() {
            return Ok(());
        }
        hold.drive().await.map_err(|failure| not_held(STAYS, failure))?;
        if Instant::now() >= deadline {
            let now = from.services.clock.now();
            let since = |(process, at): &(String, _)| format!("{process} (works {} s ago)", now.ms_since(*at) / 1_000);
            let there: Vec<_> = there.iter().take(NAMED_MAX).map(since).collect();
            bail!(
                "these processes have not said that they stopped: {}. If one is dead, and you are sure, name it with --gone",
                there.join(", ")
            );
        }
        tokio::time::sleep(POLL).await;
    }
}
