//! The way of commands into the queues. While a queue confirms some, those that come wait, and then go in one message: a broker that
//! is quiet gets each command at once, and a busy one few messages.

use bytes::Bytes;
use klatch_ports::Error;
use klatch_protocol::log::encode_bundle;
use tokio::sync::mpsc;

/// LIMIT: commands that wait for one queue on a node. Whoever has one more waits until there is room.
const WAITING_MAX: usize = 256;
/// LIMIT: commands in one message.
const BUNDLE_MAX: usize = 128;
/// LIMIT: bytes of commands in one message, but for a command that has more by itself.
const BUNDLE_BYTES_MAX: usize = 64 * 1024;

/// The way into one queue.
pub struct Lane(mpsc::Sender<Waiting>);

/// A command that waits, and by what it is known.
struct Waiting {
    correlation: u64,
    payload: Bytes,
}

impl Lane {
    /// The way to where `submit` takes a message to; `answered` is told what became of which commands.
    pub fn begin<Submitting: Future<Output = Result<(), Error>> + Send>(
        submit: impl Fn(Bytes) -> Submitting + Send + 'static,
        answered: impl Fn(&[u64], Result<(), Error>) + Send + 'static,
    ) -> Self {
        let (sender, mut waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let mut next: Vec<Waiting> = Vec::with_capacity(BUNDLE_MAX);
            while !next.is_empty() || waiting.recv_many(&mut next, BUNDLE_MAX).await > 0 {
                let together = next.drain(..fitting(&next));
                let (mut correlations, payloads): (Vec<_>, Vec<_>) =
                    together.map(|waiting| (waiting.correlation, waiting.payload)).unzip();
                let answer = submit(encode_bundle(payloads)).await;
                if answer.is_err() {
                    // What waits behind it must not come before it.
                    while let Ok(behind) = waiting.try_recv() {
                        next.push(behind);
                    }
                    correlations.extend(next.drain(..).map(|behind| behind.correlation));
                }
                answered(&correlations, answer);
            }
        });
        Self(sender)
    }

    /// Puts a command behind those that wait.
    pub async fn put(&self, correlation: u64, payload: Bytes) {
        // There is somebody at the other end for as long as there is a lane.
        let _ = self.0.send(Waiting { correlation, payload }).await;
    }
}

/// How many of the first of these go into one message: one at least.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut bytes = 0;
    let fits = |waiting: &&Waiting| {
        bytes += waiting.payload.len();
        bytes <= BUNDLE_BYTES_MAX
    };
    waiting.iter().take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use klatch_protocol::log::decode_bundle;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::sync::oneshot;

    use super::*;

    /// A message on its way, and what is to be said to it.
    type UnderWay = (Vec<Bytes>, oneshot::Sender<Result<(), Error>>);
    /// What was said to which commands.
    type Answer = (Vec<u64>, bool);

    fn lane() -> (Lane, UnboundedReceiver<UnderWay>, UnboundedReceiver<Answer>) {
        let ((put, taken), (tell, told)) = (unbounded_channel(), unbounded_channel());
        let put = Arc::new(put);
        let submit = move |message| {
            let put = put.clone();
            async move {
                let (answer, answered) = oneshot::channel();
                put.send((decode_bundle(message).unwrap(), answer)).unwrap();
                answered.await.unwrap()
            }
        };
        let lane = Lane::begin(submit, move |commands, answer| tell.send((commands.to_vec(), answer.is_ok())).unwrap());
        (lane, taken, told)
    }

    async fn put(lane: &Lane, commands: std::ops::Range<u64>) {
        for command in commands {
            lane.put(command, Bytes::from(command.to_string())).await;
        }
    }

    fn named(commands: std::ops::Range<u64>) -> Vec<Bytes> {
        commands.map(|command| Bytes::from(command.to_string())).collect()
    }

    #[tokio::test]
    async fn what_comes_while_the_queue_confirms_goes_together_and_in_order() {
        let (lane, mut taken, mut told) = lane();
        put(&lane, 0..1).await;
        let (first, answer) = taken.recv().await.unwrap();
        assert_eq!(first, named(0..1), "whoever is alone does not wait");
        put(&lane, 1..200).await;
        answer.send(Ok(())).unwrap();
        assert_eq!(told.recv().await.unwrap(), (vec![0], true));
        for together in [1..129, 129..200] {
            let (message, answer) = taken.recv().await.unwrap();
            assert_eq!(message, named(together.clone()));
            answer.send(Ok(())).unwrap();
            assert_eq!(told.recv().await.unwrap(), (together.collect(), true));
        }
    }

    #[tokio::test]
    async fn what_waits_behind_a_message_that_is_refused_does_not_come_before_it() {
        let (lane, mut taken, mut told) = lane();
        put(&lane, 0..1).await;
        let (_, answer) = taken.recv().await.unwrap();
        put(&lane, 1..200).await;
        answer.send(Err(Error::unavailable("it is away"))).unwrap();
        assert_eq!(told.recv().await.unwrap(), ((0..200).collect(), false));
        put(&lane, 200..201).await;
        assert_eq!(taken.recv().await.unwrap().0, named(200..201), "later ones are tried again");
    }

    #[tokio::test]
    async fn a_message_takes_only_so_many_bytes() {
        let (lane, mut taken, _told) = lane();
        put(&lane, 0..1).await;
        let (_, answer) = taken.recv().await.unwrap();
        for (command, bytes) in
            [(1, 2 * BUNDLE_BYTES_MAX), (2, BUNDLE_BYTES_MAX / 2), (3, BUNDLE_BYTES_MAX / 2), (4, 1)]
        {
            lane.put(command, vec![0; bytes].into()).await;
        }
        answer.send(Ok(())).unwrap();
        for count in [1, 2, 1] {
            let (message, answer) = taken.recv().await.unwrap();
            assert_eq!(message.len(), count);
            answer.send(Ok(())).unwrap();
        }
    }
}
