//! The log's database is away, and people who are connected go on: what they send is accepted, and decided when it is back.

use klatch_backing::{Kind, Servers};
use klatch_client::new_id;
use klatch_protocol::gateway::{ClientFrame, Confirmed, ServerFrame};
use klatch_protocol::objects::{CommandBody, ConversationKind, NewCommand, Slug};
use klatch_testkit::{NodeOptions, Stack, TestDevice, TestNode, text};
use uuid::Uuid;

/// The server of the log, which is nobody else's, and where the log is on it.
fn log_server(stack: Stack) -> (Servers, String) {
    let kind = if stack == Stack::KafkaCassandraPostgreSql { Kind::Cassandra } else { Kind::PostgreSql };
    let server = Servers::start(kind, 1);
    let address = server.address(1);
    let place = match kind {
        Kind::Cassandra => format!("cassandra://{address}/klatch?replication=1&timeout_ms=3000"),
        _ => format!("postgres://postgres@{address}/postgres"),
    };
    (server, place)
}

/// On whatever servers the tests run. A queue in memory accepts nothing: there one waits for `committed`.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_logs_database_is_away_people_go_on_sending() {
    let stack = Stack::chosen();
    if stack == Stack::Embedded {
        return;
    }
    let (server, place) = log_server(stack);
    let node = TestNode::with(NodeOptions { event_log: Some(place), ..NodeOptions::boundless() }).await;
    let (ada, ben) = (node.user("ada").await, node.user("ben").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[ben.id()]).await.id;
    let (mut hers, mut his) = (ada.device().await, ben.device().await);
    let first = hers.command(tea, text("before")).await;
    let began = hers.committed(first).await;
    his.until(tea, began).await;

    server.kill(1);
    let (mut said, mut answered) = (vec!["before".to_owned()], Vec::new());
    for n in 0..20 {
        for (device, name) in [(&mut hers, "ada"), (&mut his, "ben")] {
            let words = format!("{name} {n}");
            let id = device.command(tea, text(&words)).await;
            device.accepted(id).await;
            answered.push((name, id));
            said.push(words);
        }
    }
    // A reaction to what is not there yet.
    let later = new_id();
    let reaction = command(CommandBody::React { target: later, emoji: "👍".to_owned() });
    send(&mut hers, tea, &reaction).await;
    hers.accepted(reaction.id).await;
    drop(hers);

    // Some servers take a minute to start, and a device that answers no ping for so long is given up.
    let reviving = tokio::task::spawn_blocking(move || {
        server.revive();
        server
    });
    let told = async {
        for (_, id) in answered.iter().filter(|(name, _)| *name == "ben") {
            his.committed(*id).await;
        }
    };
    let (server, ()) = tokio::join!(reviving, told);
    let _server = server.expect("it starts again");
    let target = NewCommand { id: later, ..command(text("after")) };
    let after = ada.submit(tea, &target).await.expect("committed").seq;
    said.push("after".to_owned());
    his.until(tea, after).await;
    assert_eq!(his.texts(tea), said, "everything once, and in the order in which it was sent");

    // Her device comes again, and is told of the one that was refused, until it knows.
    let mut hers = ada.silent_device().await;
    refused(&mut hers, reaction.id).await;
    let mut hers = ada.device().await;
    refused(&mut hers, reaction.id).await;
    send(&mut hers, tea, &reaction).await;
    refused(&mut hers, reaction.id).await;
    let known = Confirmed { id: reaction.id, conversation: tea };
    hers.send(&ClientFrame::Confirm { commands: vec![known] }).await;
    send(&mut hers, tea, &reaction).await;
    assert_eq!(hers.committed(reaction.id).await, after + 1, "it is decided anew");
    for (_, id) in answered.iter().filter(|(name, _)| *name == "ada") {
        let again = NewCommand { id: *id, ..command(text("ada")) };
        send(&mut hers, tea, &again).await;
        refused_as(&mut hers, *id, Slug::CommandReused).await;
    }
    node.stop().await;
}

fn command(command: CommandBody) -> NewCommand {
    NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None }
}

async fn send(device: &mut TestDevice, conversation: Uuid, new: &NewCommand) {
    device.send(&ClientFrame::Command { conversation, new: new.clone() }).await;
}

async fn refused(device: &mut TestDevice, id: Uuid) {
    refused_as(device, id, Slug::NoSuchMessage).await;
}

async fn refused_as(device: &mut TestDevice, id: Uuid, slug: Slug) {
    let answer = device.answer(id).await;
    assert!(matches!(&answer, ServerFrame::Rejected { problem, .. } if problem.slug() == Some(slug)), "{answer:?}");
}
