//! The loop of one partition.

use std::sync::Arc;

use bytes::Bytes;
use klatch_ports::commands::{Consumer, Delivery};
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{DeadLetter, Envelope, Malformed, decode_bundle, decode_mark};
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::poison;
use super::states::States;
use crate::crash;
use crate::environment::Backoff;
use crate::heads;
use crate::services::Services;

/// Commands that are decided together, at most.
const BATCH_MAX: usize = 1024;

/// Runs a partition until `stop`: what was taken by then is finished.
pub async fn run(services: Arc<Services>, heads: Arc<heads::Memory>, partition: usize, stop: CancellationToken) {
    let mut states = States::new(services.clone(), heads.clone());
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let failure = match services.commands.consume(partition).await {
            Ok(consumer) => drain(&services, &mut states, consumer, &stop, &mut backoff, partition).await,
            Err(error) => Err(error),
        };
        heads.left(partition);
        if let Err(error) = failure {
            tell(partition, &error);
            tokio::select! {
                () = backoff.wait(&*services.entropy) => {}
                () = stop.cancelled() => {}
            }
        }
    }
    states.save_all().await;
}

fn tell(partition: usize, error: &Error) {
    let source = std::error::Error::source(error);
    if error.kind == ErrorKind::Conflict {
        // As when a process joins or leaves: what was not settled is decided there.
        tracing::info!(partition, ?source, "another process has the partition, or has had it meanwhile");
    } else {
        tracing::warn!(partition, %error, ?source, "the queue of commands failed");
    }
}

async fn drain(
    services: &Arc<Services>,
    states: &mut States,
    mut consumer: Box<dyn Consumer>,
    stop: &CancellationToken,
    backoff: &mut Backoff,
    partition: usize,
) -> Result<(), Error> {
    loop {
        let deliveries = tokio::select! {
            deliveries = consumer.next(BATCH_MAX) => deliveries?,
            () = stop.cancelled() => return Ok(()),
        };
        states.heads.decided(partition).await;
        for together in split(deliveries) {
            decide(services, states, &mut *consumer, partition, together).await?;
        }
        backoff.reset();
    }
}

/// What is decided in one go.
#[derive(Default)]
struct Together {
    /// How far the consumer is then.
    position: u64,
    /// The commands: one, or those of whole messages.
    payloads: Vec<Bytes>,
    /// Messages that are no commands and no bundles of any.
    broken: Vec<(Bytes, Malformed)>,
    /// Attempts to change the number of partitions, for which what was before them is decided then.
    marks: Vec<u64>,
}

/// Messages may carry many commands each. So many of them are decided in one go that there is always work for one append, and never
/// many times that.
fn split(deliveries: Vec<Delivery>) -> Vec<Together> {
    let mut all = Vec::with_capacity(1);
    let mut together = Together::default();
    for Delivery { position, payload } in deliveries {
        if let Some(attempt) = decode_mark(&payload) {
            together.marks.push(attempt);
        } else {
            match decode_bundle(payload.clone()) {
                Ok(mut payloads) => together.payloads.append(&mut payloads),
                Err(error) => together.broken.push((payload, error)),
            }
        }
        together.position = position;
        if together.payloads.len() >= BATCH_MAX {
            all.push(std::mem::take(&mut together));
        }
    }
    if together.position > 0 {
        all.push(together);
    }
    all
}

async fn decide(
    services: &Arc<Services>,
    states: &mut States,
    consumer: &mut dyn Consumer,
    partition: usize,
    mut together: Together,
) -> Result<(), Error> {
    let (position, marks) = (together.position, std::mem::take(&mut together.marks));
    let (envelopes, unreadable) = decode(services, partition, together);
    let decided = match Batch::new(services, states).decide(envelopes).await {
        Ok(()) => poison::bury(services, unreadable).await,
        failed => failed,
    };
    match decided {
        Ok(()) => {
            drained(services, partition, marks).await;
            crash::point("before_settling");
            consumer.settle(position).await
        }
        // What was not settled is delivered again, and what is in the log by then releases its effects again.
        Err(error) if error.kind == ErrorKind::Conflict => Err(error),
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "commands wait, or what follows from events was not released");
            Err(error)
        }
    }
}

/// Says of each attempt that what was before its mark is decided. Where that cannot be said, the attempt comes to nothing, and no command
/// waits for it.
async fn drained(services: &Services, partition: usize, marks: Vec<u64>) {
    for attempt in marks {
        if let Err(error) = services.partitioning.port.drained(attempt, partition).await {
            tracing::warn!(partition, %error, "nobody was told that this partition is drained: the number of partitions stays");
        }
    }
}

/// The commands, and what could not be read: nobody can be told of that, and it is kept where there is a place for it.
fn decode(services: &Services, partition: usize, together: Together) -> (Vec<Envelope>, Vec<DeadLetter>) {
    let Together { payloads, mut broken, .. } = together;
    let mut envelopes = Vec::with_capacity(payloads.len());
    for payload in payloads {
        match Envelope::decode(payload.clone()) {
            Ok(envelope) => envelopes.push(envelope),
            Err(error) => broken.push((payload, error)),
        }
    }
    let mut unreadable = Vec::new();
    for (payload, error) in broken {
        if services.commands.is_durable() {
            unreadable.push(poison::unreadable(services, partition, payload, &error));
        } else {
            tracing::error!(%error, "a command in the queue could not be read");
        }
    }
    (envelopes, unreadable)
}

#[cfg(test)]
mod tests {
    use klatch_protocol::log::encode_bundle;

    use super::*;

    #[test]
    fn what_waits_after_an_outage_is_decided_in_parts() {
        let command = Bytes::from_static(b"\x0a");
        let bundle = encode_bundle(vec![command.clone(); BATCH_MAX / 4]);
        let payloads = [vec![bundle; 5], vec![Bytes::from_static(b"\x7a\xff"), command]].concat();
        let deliveries = (1..).zip(payloads).map(|(position, payload)| Delivery { position, payload });
        let all = split(deliveries.collect());
        let parts: Vec<_> = all.iter().map(|it| (it.position, it.payloads.len(), it.broken.len())).collect();
        assert_eq!(parts, [(4, BATCH_MAX, 0), (7, BATCH_MAX / 4 + 1, 1)]);
    }
}
