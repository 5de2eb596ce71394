//! The way of commands into the queues. While a queue confirms some, those that come wait, and then go in one message: a broker that
//! is quiet gets each command at once, and a busy one few messages. From a busy node they leave for all queues at the same moments, a few
//! milliseconds apart, so that more of them go in one message, and more messages in one request.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use klatch_ports::Error;
use klatch_protocol::log::encode_bundle;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Between two moments at which commands leave a busy node.
const DEPARTURES: Duration = Duration::from_millis(5);
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
    /// The way to where `submit` takes a message to; `answered` is told what became of which commands. While the node `is_busy`, commands
    /// wait for company.
    pub fn begin<Submitting: Future<Output = Result<(), Error>> + Send>(
        submit: impl Fn(Bytes) -> Submitting + Send + 'static,
        answered: impl Fn(&[u64], Result<(), Error>) + Send + 'static,
        is_busy: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        let (sender, mut waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let mut next: Vec<Waiting> = Vec::with_capacity(BUNDLE_MAX);
            while !next.is_empty() || waiting.recv_many(&mut next, BUNDLE_MAX).await > 0 {
                if next.len() < BUNDLE_MAX && is_busy() {
                    sleep_until(departure()).await;
                    while next.len() < BUNDLE_MAX
                        && let Ok(behind) = waiting.try_recv()
                    {
                        next.push(behind);
                    }
                }
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

/// The next moment at which commands leave, the same for all lanes.
fn departure() -> Instant {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    Instant::now() + until_departure(FIRST.elapsed())
}

/// How long it is to the next such moment, so long after the first.
fn until_departure(since_first: Duration) -> Duration {
    let since_last = since_first.as_nanos() % DEPARTURES.as_nanos();
    DEPARTURES - Duration::from_nanos(since_last as u64)
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

    fn lane(
        is_busy: impl Fn() -> bool + Send + 'static,
    ) -> (Lane, UnboundedReceiver<UnderWay>, UnboundedReceiver<Answer>) {
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
        let answered = move |commands: &[u64], answer: Result<(), Error>| {
            tell.send((commands.to_vec(), answer.is_ok())).unwrap();
        };
        let lane = Lane::begin(submit, answered, is_busy);
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
        let (lane, mut taken, mut told) = lane(|| false);
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

    #[tokio::test(flavor = "multi_thread")]
    async fn a_busy_node_waits_for_company_until_commands_leave() {
        let (tell_asked, mut asked) = unbounded_channel();
        let (tell_put, put_behind) = std::sync::mpsc::channel();
        let is_busy = move || {
            tell_asked.send(()).unwrap();
            put_behind.recv().unwrap()
        };
        let (lane, mut taken, _told) = lane(is_busy);
        put(&lane, 0..1).await;
        asked.recv().await.unwrap();
        put(&lane, 1..3).await;
        tell_put.send(true).unwrap();
        assert_eq!(taken.recv().await.unwrap().0, named(0..3));
    }

    #[test]
    fn commands_leave_all_queues_at_the_same_moments() {
        for since in [0, 1, 4_999, 5_000, 7_001, 3_600_000_001].map(Duration::from_micros) {
            let wait = until_departure(since);
            assert!(Duration::ZERO < wait && wait <= DEPARTURES, "{wait:?}");
            assert_eq!((since + wait).as_nanos() % DEPARTURES.as_nanos(), 0);
        }
    }

    #[tokio::test]
    async fn what_waits_behind_a_message_that_is_refused_does_not_come_before_it() {
        let (lane, mut taken, mut told) = lane(|| false);
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
        let (lane, mut taken, _told) = lane(|| false);
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
