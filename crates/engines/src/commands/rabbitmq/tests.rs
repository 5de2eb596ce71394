use std::collections::BTreeMap;
use std::time::Instant;

use klatch_ports::contract::soon;
use tokio::sync::mpsc;

use super::*;
use crate::drivers::rabbitmq::bench;

/// Commands in partitions of their own, on a server that all tests share.
async fn at(address: &str, partitions: usize, waiting_max: u32) -> Arc<RabbitMqCommands> {
    let broker = bench::at(address);
    RabbitMqCommands::migrate(&broker, partitions, waiting_max).await.unwrap();
    Arc::new(RabbitMqCommands::open(broker, waiting_max).await.unwrap())
}

klatch_ports::commands_contract!(
    {
        let address = bench::shared();
        // Full in the middle of some of it.
        async move || at(&address, 2, 400).await
    },
    {
        let address = bench::shared();
        async move |partitions| at(&address, partitions, 400).await
    }
);

#[tokio::test]
async fn queues_are_made_once_and_partitions_may_be_added() {
    let address = bench::shared();
    let broker = bench::at(&address);
    assert_eq!(RabbitMqCommands::open(broker.clone(), 100).await.err().unwrap().kind, ErrorKind::Broken);
    let made = async |partitions| RabbitMqCommands::migrate(&broker, partitions, 100).await.map(|made| made.len());
    assert_eq!(made(2).await.unwrap(), 3, "and that of dead letters");
    assert_eq!(made(2).await.unwrap(), 0);
    assert_eq!(made(3).await.unwrap(), 1);
    assert_eq!(made(0).await.unwrap_err().kind, ErrorKind::Broken);
    assert_eq!(RabbitMqCommands::open(broker.clone(), 100).await.unwrap().partitions(), 3);
}

#[tokio::test]
async fn what_nobody_made_is_not_learned_of() {
    let commands = at(&bench::shared(), 1, 100).await;
    for partitions in [2, PARTITIONS_MAX + 1] {
        let refused = commands.grow(partitions).await.unwrap_err();
        assert_eq!((refused.kind, commands.partitions()), (ErrorKind::Broken, 1));
        let sentence = std::error::Error::source(&refused).unwrap().to_string();
        assert!(sentence.contains("klatch partitions --set"), "{sentence}");
    }
}

#[tokio::test]
async fn one_looks_at_dead_letters_at_a_time() {
    let address = bench::shared();
    let (commands, elsewhere) = (at(&address, 1, 100).await, at(&format!("{address}&timeout_ms=3000"), 1, 100).await);
    commands.bury(vec![Bytes::from_static(b"x")]).await.unwrap();
    let looking = commands.dead().await.unwrap();
    assert_eq!(elsewhere.dead().await.err().unwrap().kind, ErrorKind::Conflict);
    drop(looking);
    soon(async { while !elsewhere.dead().await.is_ok_and(|dead| dead.count() == 1) {} }).await;
}

#[tokio::test]
async fn a_full_queue_takes_nothing_until_a_fifth_of_it_is_free() {
    let commands = at(&bench::shared(), 1, 100).await;
    let mut taken = 0;
    while soon(commands.submit(0, Bytes::from_static(b"x"))).await.is_ok() {
        taken += 1;
    }
    assert!((100..120).contains(&taken), "the word that it is full takes a moment: {taken}");
    for _ in 0..20 {
        let refused = soon(commands.submit(0, Bytes::from_static(b"x"))).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Full);
    }
    // One that comes anew is told so at once.
    let elsewhere = RabbitMqCommands::open(commands.broker.clone(), 100).await.unwrap();
    assert_eq!(elsewhere.submit(0, Bytes::new()).await.unwrap_err().kind, ErrorKind::Full);
}

#[tokio::test]
async fn processes_share_the_partitions_and_whoever_is_left_takes_all() {
    const PARTITIONS: usize = 4;
    let address = bench::shared();
    // Two of which they learn later.
    let processes = [at(&address, PARTITIONS / 2, 1_000).await, at(&address, PARTITIONS / 2, 1_000).await];
    drop(at(&address, PARTITIONS, 1_000).await);
    let (heard, mut hear) = mpsc::unbounded_channel();
    let mut consumers: [Vec<_>; 2] = Default::default();
    for (number, commands) in processes.iter().enumerate() {
        for partition in 0..PARTITIONS {
            if partition == PARTITIONS / 2 {
                commands.grow(PARTITIONS).await.unwrap();
            }
            let (mut consumer, heard) = (commands.consume(partition).await.unwrap(), heard.clone());
            consumers[number].push(tokio::spawn(async move {
                while let Ok(deliveries) = consumer.next(10).await {
                    consumer.settle(deliveries.last().unwrap().position).await.unwrap();
                    heard.send((partition, number)).unwrap();
                }
            }));
        }
    }
    let mut round = async || {
        let mut who = BTreeMap::new();
        for partition in 0..PARTITIONS {
            processes[0].submit(partition, Bytes::from_static(b"x")).await.unwrap();
            let (heard_of, number) = soon(hear.recv()).await.unwrap();
            assert_eq!(heard_of, partition);
            who.insert(partition, number);
        }
        who.values().filter(|number| **number == 0).count()
    };
    let shared = async { while round().await != PARTITIONS / 2 {} };
    soon(shared).await;
    consumers[1].iter().for_each(tokio::task::JoinHandle::abort);
    let taken_over = async { while round().await != PARTITIONS {} };
    soon(taken_over).await;
    consumers[0].iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_command_costs_a_publish_and_a_batch_an_acknowledgement() {
    let commands = at(&bench::shared(), 1, 1_000).await;
    let mut consumer = commands.consume(0).await.unwrap();
    commands.submit(0, Bytes::new()).await.unwrap();
    let calls = bench::Calls::default();
    let _counting = metrics::set_default_local_recorder(&calls);
    // Beside it the process begins to hear of others, and says each second that it is there.
    let beats = |begun: Instant| 5 + begun.elapsed().as_secs();
    let begun = Instant::now();
    for _ in 1..100 {
        commands.submit(0, Bytes::new()).await.unwrap();
    }
    let submitting = calls.take();
    assert!((99..=99 + beats(begun)).contains(&submitting), "{submitting}");
    let (begun, mut delivered) = (Instant::now(), 0);
    while delivered < 100 {
        delivered += soon(consumer.next(100)).await.unwrap().len();
    }
    consumer.settle(delivered as u64).await.unwrap();
    let consuming = calls.take();
    assert!((1..=1 + beats(begun)).contains(&consuming), "{consuming}");
}
