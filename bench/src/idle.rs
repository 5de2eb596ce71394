//! Idle connections: what one costs that says nothing.

use std::path::Path;

use klatch_client::{Gateway, Rest};
use klatch_protocol::gateway::ServerFrame;

use crate::server::{Server, channel};

/// Connections between which the slope is taken.
const FROM: usize = 1_000;
const TO: usize = 5_000;
/// People they belong to, each in ten conversations.
const PEOPLE: usize = 20;
const CONVERSATIONS: usize = 10;

/// Measures and prints.
pub async fn measure(klatch: &Path) -> anyhow::Result<()> {
    let server = Server::start(klatch).await?;
    let mut people = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        let person = server.user(&format!("person-{number}")).await?;
        for number in 0..CONVERSATIONS {
            channel(&person, &format!("channel {number}")).await?;
        }
        people.push(person);
    }
    let mut connections = Vec::with_capacity(TO);
    connect(&server.base, &people, FROM, &mut connections).await?;
    let few = server.settled().await?;
    connect(&server.base, &people, TO, &mut connections).await?;
    let many = server.settled().await?;
    println!("idle: connections that said hello and listen to {CONVERSATIONS} conversations each");
    println!("  resident with {FROM}: {:.1} MB, with {TO}: {:.1} MB", few / 1e6, many / 1e6);
    println!("  resident bytes a connection (slope): {:.0}", (many - few) / (TO - FROM) as f64);
    Ok(())
}

async fn connect(base: &str, people: &[Rest], upto: usize, connections: &mut Vec<Gateway>) -> anyhow::Result<()> {
    while connections.len() < upto {
        let token = people[connections.len() % people.len()].tokens().await.access;
        let (mut gateway, _) = Gateway::connect(base, &token).await?;
        gateway.sync().await?;
        while !matches!(gateway.next().await?, Ok(ServerFrame::Conversations { .. })) {}
        connections.push(gateway);
    }
    Ok(())
}
