//! The loop of one partition.

use std::sync::Arc;

use klatch_ports::ErrorKind;
use klatch_ports::commands::{Consumer, Delivery};
use klatch_protocol::log::Envelope;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::states::States;
use crate::environment::Backoff;
use crate::services::Services;

/// Commands that are decided together, at most.
const BATCH_MAX: usize = 1024;

/// Runs a partition until `stop`: what was taken by then is finished.
pub async fn run(services: Arc<Services>, partition: usize, stop: CancellationToken) {
    let mut states = States::new(services.clone());
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let failure = match services.commands.consume(partition).await {
            Ok(consumer) => drain(&services, &mut states, consumer, &stop, &mut backoff).await,
            Err(error) => Err(error),
        };
        if let Err(error) = failure {
            tracing::warn!(partition, %error, source = ?std::error::Error::source(&error), "the queue of commands failed");
            tokio::select! {
                () = backoff.wait(&*services.entropy) => {}
                () = stop.cancelled() => {}
            }
        }
    }
    states.save_all().await;
}

async fn drain(
    services: &Arc<Services>,
    states: &mut States,
    mut consumer: Box<dyn Consumer>,
    stop: &CancellationToken,
    backoff: &mut Backoff,
) -> Result<(), klatch_ports::Error> {
    loop {
        let deliveries = tokio::select! {
            deliveries = consumer.next(BATCH_MAX) => deliveries?,
            () = stop.cancelled() => return Ok(()),
        };
        let Some(last) = deliveries.last().map(|delivery| delivery.position) else { continue };
        let envelopes = deliveries.into_iter().filter_map(decode).collect();
        match Batch::new(services, states).decide(envelopes).await {
            Ok(()) => {
                consumer.settle(last).await?;
                backoff.reset();
            }
            // What was not settled is delivered again, and what is in the log by then releases its effects again.
            Err(error) if error.kind == ErrorKind::Conflict => return Err(error),
            Err(error) => {
                tracing::warn!(%error, source = ?std::error::Error::source(&error), "what follows from events was not released");
                return Err(error);
            }
        }
    }
}

fn decode(delivery: Delivery) -> Option<Envelope> {
    Envelope::decode(delivery.payload)
        .inspect_err(|error| tracing::error!(%error, "a command in the queue could not be read"))
        .ok()
}
