//! The one producer of a process. The driver's own, which has futures, wakes ten times a second and then asks without rest until a
//! millisecond is over: on a quiet process that is most of its work. This one is told at once as well, and wakes each five
//! seconds.

use std::sync::Arc;
use std::time::Duration;

use klatch_ports::Error;
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use tokio::sync::oneshot;

use super::client::Client;
use super::error;

/// How long the thread waits for something to come before it looks whether it shall end.
const POLL: Duration = Duration::from_secs(5);

/// What became of a message: its offset, or why it has none.
pub type Delivered = Result<i64, KafkaError>;

/// A producer. When it is dropped, whatever it has not sent is given up, by the thread that hears what was delivered.
pub struct Producer(Arc<BaseProducer<Client>>);

impl Producer {
    /// # Errors
    /// `Unavailable`: there is no client or no thread to be had.
    pub fn start(config: &ClientConfig, context: Client) -> Result<Self, Error> {
        let base = Arc::new(BaseProducer::from_config_and_context(config, context).map_err(error)?);
        let heard = base.clone();
        let hear = move || {
            // Its end waits for what is on its way, which is nothing for an async task to do: so the thread is the last to have it.
            while Arc::strong_count(&heard) > 1 {
                heard.poll(POLL);
            }
        };
        std::thread::Builder::new().name("klatch-kafka-out".to_owned()).spawn(hear).map_err(Error::unavailable)?;
        Ok(Self(base))
    }

    /// Takes a message, behind those for the same partition. Which partition, if it is not said, follows from the key. Whoever has the
    /// receiver is told what became of it, unless the producer ends before.
    ///
    /// # Errors
    /// As [`error`] says; then it was not taken.
    pub fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
        payload: &[u8],
    ) -> Result<oneshot::Receiver<Delivered>, Error> {
        let (tell, told) = oneshot::channel();
        let mut record = BaseRecord::with_opaque_to(topic, Box::new(tell)).payload(payload);
        (record.key, record.partition) = (key, partition);
        match self.0.send(record) {
            Ok(()) => Ok(told),
            Err((failure, _)) => Err(error(failure)),
        }
    }

    /// The client, for what is asked of the cluster.
    pub fn client(&self) -> &rdkafka::client::Client<Client> {
        self.0.client()
    }
}

impl ProducerContext for Client {
    type DeliveryOpaque = Box<oneshot::Sender<Delivered>>;

    fn delivery(&self, result: &DeliveryResult<'_>, tell: Self::DeliveryOpaque) {
        // Who sent it may have given up.
        let _ = tell.send(match result {
            Ok(message) => Ok(message.offset()),
            Err((failure, _)) => Err(failure.clone()),
        });
    }
}
