//! The loops of all partitions, also of those that are made meanwhile.

use std::sync::Arc;

use klatch_ports::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::partition;
use crate::heads;
use crate::partitioning::LOOK_EVERY;
use crate::services::Services;

/// Runs every partition as one of these tasks, until `stop`.
pub async fn run(services: Arc<Services>, heads: Arc<heads::Memory>, tasks: TaskTracker, stop: CancellationToken) {
    let mut running = 0;
    loop {
        let there = services.commands.partitions();
        for number in running..there {
            tasks.spawn(partition::run(services.clone(), heads.clone(), number, stop.clone()));
        }
        running = there;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = look(&services).await {
            tracing::debug!(%error, "whether there are more partitions is not known");
        }
    }
}

/// Looks whether there are more partitions, or are about to be.
async fn look(services: &Services) -> Result<(), Error> {
    let map = services.partitioning.port.map(services.clock.now()).await?;
    let wanted = map.change.map_or(map.partitions, |change| change.partitions);
    services.commands.grow(wanted).await?;
    services.partitioning.learned(map);
    Ok(())
}
