//! Commands on their way into a queue that takes its time, or does not take them.

use klatch_ports::commands::Delivery;
use klatch_protocol::log::{Envelope, decode_bundle};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::refusals::{Device, Site, Told, lasting, send};
use super::*;
use crate::conversations::{Refused, TELL_EVERY};

fn device() -> (Device, UnboundedReceiver<Told>) {
    let (tell, told) = unbounded_channel();
    (Device(tell), told)
}

#[tokio::test]
async fn whoever_hands_in_what_a_full_queue_does_not_take_is_told_that_and_nothing_else() {
    let conversations = Conversations::start(Arc::new(world()), CancellationToken::new()).await.unwrap();
    // Whoever has gone is forgotten.
    let mut there = Vec::new();
    // One after the other, so that each is a message: nobody takes them out.
    for id in 0..WAITING {
        let (asker, told) = device();
        there.push(told);
        conversations.submit(TEA, command(id, ADA, CommandKind::Join), Some(false), asker).await.unwrap();
    }
    let ((asker, mut told), (other, mut other_told)) = (device(), device());
    conversations.hand_in(TEA, command(WAITING, ADA, CommandKind::Join), Some(false), asker).await.unwrap();
    assert_eq!(told.recv().await, Some(Told::Refused(Refused::Full)));
    assert_eq!(told.recv().await, None);
    let submitted = conversations.submit(TEA, command(WAITING, ADA, CommandKind::Join), Some(false), other).await;
    assert_eq!(submitted, Err(Refused::Full));
    assert_eq!(other_told.recv().await, None, "who waited for the queue's word has it");
    assert_eq!(conversations.waiting(), usize::from(WAITING));
}

#[tokio::test]
async fn what_one_hands_in_comes_into_the_queue_in_that_order_and_in_few_messages() {
    const COUNT: u8 = 200;
    let services = Arc::new(world());
    let conversations = Conversations::start(services.clone(), CancellationToken::new()).await.unwrap();
    let mut there = Vec::new();
    for id in 0..COUNT {
        let (asker, told) = device();
        there.push(told);
        conversations.hand_in(TEA, command(id, ADA, CommandKind::Join), Some(false), asker).await.unwrap();
    }
    let mut consumer = services.commands.consume(0).await.unwrap();
    let (mut ids, mut messages) = (Vec::new(), 0);
    while ids.len() < COUNT.into() {
        for Delivery { payload, position } in consumer.next(1).await.unwrap() {
            let commands = decode_bundle(payload).unwrap().into_iter();
            ids.extend(commands.map(|command| Envelope::decode(command).unwrap().command.id));
            consumer.settle(position).await.unwrap();
            messages += 1;
        }
    }
    assert_eq!(ids, (0..COUNT).map(|id| command(id, ADA, CommandKind::Join).id).collect::<Vec<_>>());
    assert!(messages < 10, "{messages} messages");
}

#[tokio::test]
async fn accepted_is_told_where_the_outcome_takes_its_time_and_never_at_once() {
    let conversations = Site::start(lasting()).await.stop().await;
    let (asker, mut told) = device();
    let begun = Instant::now();
    conversations.hand_in(TEA, command(6, ADA, send()), Some(false), asker).await.unwrap();
    assert_eq!(told.recv().await, Some(Told::Accepted), "nobody decides it");
    assert!(begun.elapsed() >= TELL_EVERY);
}
