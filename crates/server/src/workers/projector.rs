//! Projects every event into the views, so that nothing stays behind: most of it coalesced, some of it for the second time.

use std::collections::HashMap;
use std::sync::Arc;

use klatch_core::conversation::Event;
use klatch_core::ids::ConversationId;
use klatch_ports::Error;
use klatch_ports::feed::Entry;
use klatch_ports::views::Projected;
use tokio_util::sync::CancellationToken;

use super::follow::{self, Worker, follow};
use crate::annotations;
use crate::processor::event_of;
use crate::projection::{project, projection};
use crate::services::Services;

pub(super) struct Projector;

/// Projects everything that power was lost before: until then the views and the overlay may lack what was acknowledged.
///
/// # Errors
/// The log, the views or the overlay failed.
pub async fn catch_up(services: &Services) -> Result<(), Error> {
    follow::catch_up(&Projector, services).await
}

/// Runs the projector until `stop`.
pub async fn run(services: Arc<Services>, stop: CancellationToken) {
    follow(Projector, services, stop).await;
}

#[async_trait::async_trait]
impl Worker for Projector {
    const NAME: &'static str = "projector";
    const KEEP_EVERY_MS: u64 = 1_000;

    async fn work(&self, services: &Services, entries: Vec<Entry>) -> Result<(), Error> {
        let mut order = Vec::new();
        let mut events: HashMap<ConversationId, Vec<Event>> = HashMap::new();
        for entry in &entries {
            let event = event_of(&entry.record)?;
            let run = events.entry(entry.conversation).or_insert_with(|| {
                order.push(entry.conversation);
                Vec::new()
            });
            // The feed repeats itself now and then; what it leaves out is read from the log.
            match run.last() {
                Some(last) if event.seq <= last.seq => {}
                Some(last) if event.seq > last.seq.next() => *run = vec![event],
                _ => run.push(event),
            }
        }
        let batch = order.iter().map(|id| projection(*id, &events[id])).collect();
        let outcomes = services.views.project(batch).await?;
        metrics::counter!("klatch_events_projected_total").increment(entries.len() as u64);
        for (id, outcome) in order.iter().zip(outcomes) {
            if !matches!(outcome, Projected::Now) {
                project(services, *id, &events[id]).await?;
            }
        }
        for (id, events) in &events {
            if let Some(last) = events.iter().rev().find(|event| event.kind.target().is_some())
                && services.overlays.applied(*id).await? < last.seq
            {
                annotations::catch_up(services, *id, last.seq).await?;
            }
        }
        Ok(())
    }

    async fn settle(&self, services: &Services) -> Result<(), Error> {
        services.views.sync().await
    }
}
