//! Queues and exchanges: how they are made, and whether they are there.

use std::pin::pin;
use std::time::Duration;

use klatch_ports::{Error, ErrorKind};
use lapin::options::{
    BasicPublishOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, ExchangeKind};
use tokio::time::sleep;

use super::{Broker, Way, error, give_up};

/// Messages in a queue without a limit, from which on an operator is told.
const WAITING_MANY: u32 = 100_000;
/// Between two looks whether a broker has said that it takes nothing.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A quorum queue with one consumer at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Messages that may wait in it, those that a consumer has not counted; beyond it refuses.
    pub length_max: Option<u32>,
    /// The exchange and the key that lead to it, beside its name.
    pub bound: Option<(String, String)>,
}

impl Queue {
    /// Whether it refuses what comes when so many wait: a full one takes messages again when a fifth of it is free.
    pub fn is_full_at(&self, waiting: u32) -> bool {
        self.length_max.is_some_and(|max| u64::from(waiting) * 10 > u64::from(max) * 8)
    }

    fn arguments(&self, copies: u32) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut set = |name: &str, value| {
            arguments.insert(name.into(), value);
        };
        set("x-queue-type", AMQPValue::LongString("quorum".into()));
        set("x-single-active-consumer", AMQPValue::Boolean(true));
        // RabbitMQ 4 throws away what was delivered 20 times, unless told otherwise. That it take -1 for no limit is new there too:
        // 3.10 throws away at once.
        set("x-delivery-limit", AMQPValue::LongLongInt(i32::MAX.into()));
        set("x-quorum-initial-group-size", AMQPValue::LongLongInt(copies.into()));
        if let Some(length_max) = self.length_max {
            set("x-max-length", AMQPValue::LongLongInt(length_max.into()));
            set("x-overflow", AMQPValue::LongString("reject-publish".into()));
        }
        arguments
    }
}

impl Broker {
    /// Makes the exchanges and queues that are not there, and returns the names of those queues. May be repeated, and by several at
    /// once. What is there stays as it is.
    ///
    /// # Errors
    /// `Broken` (no right to do so), `Unavailable`.
    pub async fn make(&self, exchanges: &[String], queues: &[Queue]) -> Result<Vec<String>, Error> {
        let channel = self.channel(Way::In).await?;
        for exchange in exchanges {
            let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
            let name = exchange.as_str().into();
            self.asked(channel.exchange_declare(name, ExchangeKind::Direct, options, FieldTable::default())).await?;
        }
        let mut made = Vec::new();
        for queue in queues {
            if !self.has(&queue.name).await? {
                self.make_queue(queue).await?;
                made.push(queue.name.clone());
            }
            if let Some((exchange, key)) = &queue.bound {
                let (name, exchange, key) = (queue.name.as_str().into(), exchange.as_str().into(), key.as_str().into());
                let options = QueueBindOptions::default();
                self.asked(channel.queue_bind(name, exchange, key, options, FieldTable::default())).await?;
            }
        }
        Ok(made)
    }

    async fn make_queue(&self, queue: &Queue) -> Result<(), Error> {
        // A refusal closes the channel.
        let channel = self.channel(Way::In).await?;
        let (name, options) = (queue.name.as_str().into(), QueueDeclareOptions::durable());
        self.asked(channel.queue_declare(name, options, queue.arguments(self.0.copies))).await?;
        Ok(())
    }

    /// Whether a queue is there.
    ///
    /// # Errors
    /// `Broken` (no right to know), `Unavailable`.
    pub async fn has(&self, name: &str) -> Result<bool, Error> {
        // A refusal closes the channel.
        let channel = self.channel(Way::In).await?;
        match self.waiting(&channel, name).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Broken && is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that these queues are there.
    ///
    /// # Errors
    /// `Broken` with a sentence, where one is not; `Unavailable`.
    pub async fn expect(&self, queues: &[Queue]) -> Result<(), Error> {
        for Queue { name, .. } in queues {
            if !self.has(name).await? {
                let sentence = format!("RabbitMQ has no queue `{name}`: run `klatch migrate`");
                return Err(Error::new(ErrorKind::Broken, sentence));
            }
        }
        Ok(())
    }

    /// How many messages wait in a queue, those that a consumer has not counted.
    pub(super) async fn waiting(&self, channel: &Channel, queue: &str) -> Result<u32, Error> {
        let options = QueueDeclareOptions::default().passive();
        let queue = self.asked(channel.queue_declare(queue.into(), options, FieldTable::default())).await?;
        Ok(queue.message_count())
    }

    /// What an operator should know of these queues, in sentences. AMQP does not say how many copies a queue has:
    /// `rabbitmqctl list_queues name type members` does.
    ///
    /// # Errors
    /// `Broken` (no right to know), `Unavailable`.
    pub async fn health(&self, queues: &[Queue]) -> Result<Vec<String>, Error> {
        let mut findings = Vec::new();
        let copies = self.0.copies;
        if copies < 3 {
            findings.push(format!("queues are made with `copies={copies}`: with 3, one broker may die with its disk"));
        }
        for queue in queues {
            let name = &queue.name;
            if !self.has(name).await? {
                findings.push(format!("the queue `{name}` is not there: run `klatch migrate`"));
                continue;
            }
            if self.make_queue(queue).await.is_err_and(|error| error.kind == ErrorKind::Broken) {
                findings.push(format!(
                    "the queue `{name}` is not as `klatch migrate` would make it: type, limit or copies differ"
                ));
            }
            let waiting = self.waiting(&self.channel(Way::In).await?, name).await?;
            if queue.is_full_at(waiting) {
                findings.push(format!("the queue `{name}` is nearly full: {waiting} messages wait"));
            }
            if queue.length_max.is_none() && waiting >= WAITING_MANY {
                findings.push(format!("in the queue `{name}` {waiting} messages wait: does its worker run?"));
            }
        }
        if self.has_alarm().await? {
            let sentence = "it takes no messages: a broker is short of disk or memory, which `rabbitmq-diagnostics alarms` names; make room there";
            findings.push(sentence.to_owned());
        }
        Ok(findings)
    }

    /// Whether a broker is short of disk or memory. Nobody is told but those who publish.
    async fn has_alarm(&self) -> Result<bool, Error> {
        let line = self.connect().await?;
        let channel = self.asked(line.connection.create_channel()).await?;
        // Nobody gets it, as there is no such queue.
        let (exchange, nowhere) = ("".into(), self.name("nowhere").as_str().into());
        let publishing =
            channel.basic_publish(exchange, nowhere, BasicPublishOptions::default(), &[], BasicProperties::default());
        self.within(publishing).await?.map_err(error)?;
        // While there is an alarm, nothing that follows is read.
        let mut answer = pin!(self.asked(channel.basic_qos(1, BasicQosOptions::default())));
        let has_alarm = loop {
            tokio::select! {
                answered = &mut answer => break answered.map(|()| line.connection.status().blocked()),
                () = sleep(ASK_AGAIN) => {
                    if line.connection.status().blocked() {
                        break Ok(true);
                    }
                }
            }
        };
        give_up(Some(line));
        has_alarm
    }
}

fn is_not_found(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<lapin::Error>());
    source.is_some_and(|source| matches!(source.kind(), lapin::ErrorKind::ProtocolError(said) if said.get_id() == 404))
}
