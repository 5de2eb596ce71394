//! Copying: ahead, while the source works; and the rest, while nobody else has its data open.

use std::time::Instant;

use anyhow::{Context, bail};
use klatch_ports::directory::Standing;
use klatch_server::crash;
use klatch_server::moving::{self, Copied, Logs, Place, Verified};
use klatch_server::workers::{eraser, projector};

use super::{Known, Moved, Target, Tell, target};
use crate::config::Config;
use crate::engines::{self, Opened};
use crate::environment::Overrides;

/// Records that people may still write while the node stops, with which the copy is near enough.
const NEAR: u64 = 200;
/// How often the log is gone through before the node stops, however much is written.
const PASSES_MAX: usize = 20;

/// Copies the log and the keys of a site that is in use, and compares what it can.
///
/// # Errors
/// A sentence that says what to do. What was copied stays, and need not be copied again.
pub async fn ahead(
    from: &Place,
    config: &Config,
    target: &Target,
    overrides: &Overrides,
    tell: &Tell,
) -> anyhow::Result<Known> {
    tell.say(format!("preparing {}", target.name()));
    let to = target::open(from, config, target, overrides).await?;
    near(from, &to, tell).await
}

/// Copies from a site that is in use until next to nothing is left.
pub(super) async fn near(from: &Place, to: &Place, tell: &Tell) -> anyhow::Result<Known> {
    moving::secrets(from, to).await?;
    moving::keys(from, to).await?;
    tell.say("copying the log");
    crash::point("before_copying_the_log");
    let mut logs = Logs::new(from, to);
    for _ in 0..PASSES_MAX {
        let copied = logs.copy(|copied| pass(tell, copied)).await?;
        tell.say(format!("{} records copied, of {}", copied.records, copied.total));
        if copied.records <= NEAR {
            break;
        }
    }
    tell.say("comparing the log");
    crash::point("before_comparing_the_log");
    let mut known = Known::new();
    moving::verify_ahead(from, to, &mut known).await?;
    Ok(known)
}

fn pass(tell: &Tell, copied: Copied) {
    tell.pass(format!("{} records copied, in {} conversations", copied.records, copied.conversations));
}

/// Copies whatever is left of a site that nobody else has open, compares all of it, and switches: from then on the target is written,
/// and the source never again. What `ahead` has done is not done again; a target that was given up since stays so.
///
/// # Errors
/// A sentence that says what to do. The site is then where it was.
pub async fn finish(
    config: &Config,
    overrides: &Overrides,
    target: &Target,
    ahead: Option<Known>,
    tell: &Tell,
) -> anyhow::Result<Moved> {
    let begun = Instant::now();
    let Opened { services, sealer, embedded } = engines::open(config, overrides).await?;
    if embedded.store.is_none() {
        bail!("this site is on servers: the command moves it, and not one of its processes");
    }
    let from = Place { services, sealer };
    match from.services.directory.standing().await? {
        Standing::Here => {}
        Standing::Moved(to) => bail!("the site has moved to {to} already; start the node, and it is a gateway to it"),
        _ => bail!("no site is here: a copy that came here was never finished"),
    }
    let was_ahead = ahead.is_some();
    let to = match was_ahead {
        true => open_again(target, overrides).await?,
        false => target::open(&from, config, target, overrides).await?,
    };
    let moved = copy(&from, &to, ahead.unwrap_or_default(), tell).await?;
    switch((&from, Standing::Here), &to, target, tell).await?;
    Ok(Moved { paused_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX), ..moved })
}

/// A target that was prepared a moment ago, unless somebody gave it up since.
async fn open_again(target: &Target, overrides: &Overrides) -> anyhow::Result<Place> {
    let Opened { services, sealer, .. } = engines::open(&target.config, overrides).await?;
    if services.directory.standing().await? != Standing::Arriving {
        bail!("the move was given up meanwhile");
    }
    Ok(Place { services, sealer })
}

/// Copies the rest of a site that nobody works for, and compares all of it.
pub(super) async fn copy(from: &Place, to: &Place, mut known: Known, tell: &Tell) -> anyhow::Result<Moved> {
    // What the workers had not done yet when they stopped.
    projector::catch_up(&from.services).await.context("the source's lists cannot be brought up to date")?;
    eraser::catch_up(&from.services).await.context("the source's deleted messages cannot be erased")?;
    tell.say("copying what is left of the log");
    crash::point("before_copying_the_rest");
    moving::secrets(from, to).await?;
    Logs::new(from, to).copy(|copied| pass(tell, copied)).await?;
    tell.say("copying accounts and keys");
    crash::point("before_copying_accounts");
    let accounts = moving::directory(from, to).await?;
    let keys = moving::keys(from, to).await?;
    tell.say("copying cursors");
    crash::point("before_copying_cursors");
    let cursors = moving::cursors(from, to).await?;
    let answers = moving::mailboxes(from, to).await?;
    tell.say("comparing both places");
    crash::point("before_comparing_both");
    let compared = |records| tell.pass(format!("{records} records compared"));
    let Verified { conversations, records, heads } = moving::verify(from, to, &mut known, compared).await?;
    to.services.views.sync().await?;
    Ok(Moved { conversations, records, heads, accounts, keys, cursors, answers, paused_ms: 0 })
}

/// First the source says durably that it moved; only then may anybody write to the target.
pub(super) async fn switch(
    (from, before): (&Place, Standing),
    to: &Place,
    target: &Target,
    tell: &Tell,
) -> anyhow::Result<()> {
    let moved = Standing::Moved(target.name());
    tell.say("switching");
    crash::point("before_switching");
    let (here, there) = (&from.services.directory, &to.services.directory);
    if !here.set_standing(before.clone(), moved.clone()).await? {
        bail!("somebody else moves this site");
    }
    crash::point("between_source_and_target");
    tell.say("the source is marked");
    if there.set_standing(Standing::Arriving, Standing::Here).await? {
        return Ok(());
    }
    // Whoever gave it up was sooner, and nobody ever wrote there.
    here.set_standing(moved, before).await?;
    bail!("the move was given up meanwhile; the site is where it was");
}
