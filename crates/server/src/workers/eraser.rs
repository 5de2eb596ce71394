//! Erases the bodies of deleted messages from the log.

use std::sync::Arc;

use klatch_core::conversation::{Effect, react};
use klatch_ports::Error;
use klatch_ports::feed::Entry;
use tokio_util::sync::CancellationToken;

use super::follow::{self, Worker, follow};
use crate::processor::event_of;
use crate::services::Services;

pub(super) struct Eraser;

/// Erases everything that waits for it.
///
/// # Errors
/// The log failed.
pub async fn catch_up(services: &Services) -> Result<(), Error> {
    follow::catch_up(&Eraser, services).await
}

/// Runs the eraser until `stop`.
pub async fn run(services: Arc<Services>, stop: CancellationToken) {
    follow(Eraser, services, stop).await;
}

#[async_trait::async_trait]
impl Worker for Eraser {
    const NAME: &'static str = "eraser";
    const KEEP_EVERY_MS: u64 = 0;

    async fn work(&self, services: &Services, entries: Vec<Entry>) -> Result<(), Error> {
        for entry in entries {
            for effect in react(&event_of(&entry.record)?) {
                if let Effect::Erase { seqs } = effect {
                    services.event_log.erase(entry.conversation, &seqs).await?;
                }
            }
        }
        Ok(())
    }

    async fn settle(&self, _services: &Services) -> Result<(), Error> {
        // What is erased is durable when that returns.
        Ok(())
    }
}
