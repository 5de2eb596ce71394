//! The role `worker`: follows the log.

use std::sync::Arc;
use std::time::Duration;

use klatch_server::accounts::Accounts;
use klatch_server::workers::{eraser, projector};
use tokio_util::sync::CancellationToken;

use super::Stage;
use crate::compaction;

/// Between two looks at what has expired, and at what was closed and not finished.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// Starts the workers.
pub fn start(stage: &Stage) {
    let (services, stop, tasks) = (&stage.services, &stage.stopping, &stage.core);
    tasks.spawn(projector::run(services.clone(), stop.clone()));
    tasks.spawn(eraser::run(services.clone(), stop.clone()));
    tasks.spawn(keep_house(stage.accounts.clone(), stop.clone()));
    if let Some(store) = &stage.embedded.store {
        tasks.spawn(compaction::run(store.clone(), stage.overrides.compaction, stop.clone()));
    }
}

async fn keep_house(accounts: Arc<Accounts>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(HOUSEKEEPING);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = accounts.keep_house().await {
            tracing::warn!(%error, "what has expired was not forgotten");
        }
    }
}
