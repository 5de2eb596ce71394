//! What cannot be decided though the servers are well: nobody waits behind it, and an operator sees it and delivers it.

use std::sync::Arc;

use bytes::Bytes;
use klatch_client::{Gateway, Rest, Tokens, new_id};
use klatch_engines::commands::kafka::KafkaCommands;
use klatch_engines::commands::rabbitmq::RabbitMqCommands;
use klatch_engines::drivers::kafka::Kafka;
use klatch_engines::drivers::postgres::Database;
use klatch_engines::drivers::rabbitmq::Broker;
use klatch_ports::commands::Commands;
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, EventBody, NewCommand, Slug};
use rustix::process::Signal;
use tokio::time::timeout;
use uuid::Uuid;

use crate::moving::place::{Mover, PARTITIONS, Place};
use crate::world::{Ended, PATIENCE, begin, command, ended, eventually, klatch, objects, sign_up};

/// What nobody wrote, in each partition of the queue.
async fn nonsense(queue: &str) {
    let place = queue.parse().unwrap();
    let commands: Arc<dyn Commands> = match queue.starts_with("kafka") {
        true => Arc::new(KafkaCommands::new(Arc::new(Kafka::at(place).unwrap()), PARTITIONS).unwrap()),
        false => Arc::new(RabbitMqCommands::open(Broker::at(place).unwrap(), 10_000).await.unwrap()),
    };
    for partition in 0..PARTITIONS {
        commands.submit(partition, Bytes::from_static(b"\xff nonsense")).await.unwrap();
    }
}

/// The records of a conversation, as this changes them.
async fn change(log: &str, conversation: Uuid, head: &str) {
    let log = Database::at(log.parse().unwrap()).unwrap();
    let statement = format!("UPDATE event_log SET head = {head} WHERE conversation = '{conversation}' RETURNING seq");
    assert_eq!(log.query(&statement, &[]).await.unwrap().len(), 2, "its beginning and a message");
}

fn text(text: &str) -> CommandBody {
    let body = Body::Text { text: text.to_owned(), emote: false };
    CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None }
}

async fn texts(rest: &Rest, conversation: Uuid) -> Vec<String> {
    let page = rest.history(conversation, "").await.unwrap();
    let said = page.events.into_iter().filter_map(|event| match event.kind {
        EventBody::Sent { body: Some(Body::Text { text, .. }), .. } => Some(text),
        _ => None,
    });
    said.collect()
}

/// Why a device is refused. It waits for its answer however long that takes: to send the command again would make another dead letter.
async fn refused(rest: &Rest, conversation: Uuid, command: CommandBody) -> Option<Slug> {
    let (mut gateway, _) = Gateway::connect(rest.base(), &rest.tokens().await.access).await.unwrap();
    let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
    let wanted = new.id;
    gateway.send(&ClientFrame::Command { conversation, new }).await.unwrap();
    let answer = async {
        loop {
            match gateway.next().await.unwrap().unwrap() {
                ServerFrame::Committed { id, .. } if id == wanted => return None,
                ServerFrame::Rejected { id, problem, .. } if id == wanted => return problem.slug(),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, answer).await.expect("it is answered")
}

/// The program with this configuration. What it says of its work is not looked at, but that it tells no secrets.
async fn run(words: &[&str], place: &Place) -> Ended {
    let mut command = klatch();
    command.args(words).args(["--config", &place.file()]);
    let ended = ended(command).await;
    for secret in ["is lost", "correct horse"] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{ended:?}");
    }
    ended
}

/// Where the log is on PostgreSQL: what else has logs is as blind to what lies in them.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_stops_nobody_else_and_is_delivered_once_it_can() {
    let place = Place::make().await;
    let (log, queue) = (place.engine("event_log"), place.engine("queue"));
    if !log.starts_with("postgres") {
        return;
    }
    let migrated = run(&["migrate"], &place).await.ok();
    let (_, claim) = migrated.split_once("/claim#token=").expect("an owner is wanted");
    let server = place.start().await;
    let ada = Rest::new(&server.base, Tokens::default()).unwrap();
    sign_up(&ada, "ada", claim.trim()).await;
    let tea = begin(&ada, ConversationKind::Group, "tea", &[]).await;
    let coffee = begin(&ada, ConversationKind::Group, "coffee", &[]).await;
    command(&ada, tea, text("the kettle is on")).await.unwrap();
    assert!(!run(&["doctor"], &place).await.out.contains("dead letters"));

    server.end(Signal::TERM).await;
    change(&log, tea, r"'\xffff'::bytea || head").await;
    nonsense(&queue).await;
    let server = place.start().await;
    let ada = Rest::new(&server.base, ada.tokens().await).unwrap();
    assert_eq!(refused(&ada, tea, text("this is lost")).await, Some(Slug::Undecidable));
    command(&ada, coffee, text("here all is well")).await.unwrap();

    let words = ["queue: 3 dead letters", "cannot be read", "klatch dead-letters replay"];
    let found = eventually("the doctor sees them", async || {
        let found = run(&["doctor"], &place).await;
        words.iter().all(|word| found.out.contains(word)).then_some(found)
    });
    assert_eq!(found.await.code, Some(1));
    let listed = run(&["dead-letters"], &place).await.ok();
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let mut letters = objects(&run(&["dead-letters", "--json"], &place).await.ok());
    letters.retain(|letter| letter["kind"] == "send");
    assert_eq!(letters.len(), 1, "{listed}");
    assert_eq!(letters[0]["conversation"], tea.to_string());
    let refused = Mover::back(&place, &place.laptop()).ends().await;
    refused.failed(1, &["there are 3 dead letters", "the site is where it was", "replay or drop them"]);
    let again = run(&["dead-letters", "replay"], &place).await;
    assert_eq!((again.code, again.out.matches("submitted as").count()), (Some(1), 1), "{again:?}");
    eventually("it is still damaged", async || {
        let listed = run(&["dead-letters"], &place).await.ok();
        (listed.lines().count() == 3).then_some(())
    })
    .await;

    change(&log, tea, "substr(head, 3)").await;
    let replayed = run(&["dead-letters", "replay"], &place).await;
    assert_eq!(replayed.code, Some(1), "{replayed:?}");
    assert_eq!(replayed.out.matches("submitted as").count(), 1, "{replayed:?}");
    assert_eq!(replayed.out.matches("stays: it cannot be read").count(), 2, "{replayed:?}");
    let said = eventually("it is delivered", async || {
        let said = texts(&ada, tea).await;
        (said.len() > 1).then_some(said)
    });
    assert_eq!(said.await, ["the kettle is on", "this is lost"]);

    assert_eq!(run(&["dead-letters"], &place).await.ok().lines().count(), 2, "what is no command stays");
    run(&["dead-letters", "drop"], &place).await.failed(2, &["--all"]);
    assert_eq!(run(&["dead-letters", "drop", "--oldest", "1"], &place).await.ok(), "Thrown away: 1.\n");
    assert_eq!(run(&["dead-letters", "drop", "--all"], &place).await.ok(), "Thrown away: 1.\n");
    assert_eq!(run(&["dead-letters"], &place).await.ok(), "There are none.\n");
    assert_eq!(run(&["dead-letters", "replay"], &place).await.ok(), "There are none.\n");
    assert!(!run(&["doctor"], &place).await.out.contains("dead letters"));
    assert!(server.log().contains("commands lie among the dead letters"), "{}", server.log());
    assert!(!server.log().contains("is lost"), "{}", server.log());
    server.end(Signal::TERM).await;
}

#[tokio::test]
async fn a_node_whose_queue_is_in_memory_has_no_dead_letters() {
    let data = tempfile::tempdir().unwrap();
    let mut command = klatch();
    command.args(["dead-letters", "--data"]).arg(data.path());
    ended(command).await.failed(1, &["`engines.queue` is in the memory of the node", "--config"]);
}
