//! Servers of three nodes, each of which dies in turn, and so the leader of everything as well: the other two go on, and nobody waits
//! longer than for a process. `KLATCH_TURN` chooses one of the servers; in the long form it is the turn of all.

use crate::partitions::{seen, set};
use crate::people::People;
use crate::site::{Site, stack};
use crate::{ALONE, BACK, TAKEN_OVER, rounds};

/// Those of which there are three in earnest. PostgreSQL and Redis have standbys by other means.
const SERVERS: [&str; 3] = ["kafka", "cassandra", "rabbitmq"];

/// Those whose turn it is, on this stack.
fn chosen() -> Vec<&'static str> {
    let stack = stack();
    let turn = std::env::var("KLATCH_TURN").map_or(0, |turn| turn.parse::<usize>().unwrap());
    let is_turn = |server: &&'static str| rounds().is_some() || SERVERS[turn % SERVERS.len()] == *server;
    SERVERS.into_iter().filter(|server| stack.contains(server)).filter(is_turn).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_of_three_may_die_while_people_write() {
    let _alone = ALONE.lock().await;
    for server in chosen() {
        let site = Site::of_three(server).await;
        let people = People::begin(&site.base(), &site.claim).await;
        people.are_served(&format!("three nodes of {server}, at first"), BACK).await;
        for round in 0..rounds().unwrap_or(1) {
            for node in 1..=3 {
                let node = format!("{server}/{node}");
                site.kill(&node);
                people.are_served(&format!("one of three, {node} is dead, round {round}"), TAKEN_OVER).await;
                site.revive().await;
                people.are_served(&format!("one of three, {node} is back, round {round}"), BACK).await;
            }
        }
        if server != "cassandra" {
            partitions_are_added(&site, server, &people).await;
        }
        people.finish().await.is_clean();
    }
}

/// Where one of three brokers is dead the number of partitions is raised, or left as it was; where all are back it is raised.
async fn partitions_are_added(site: &Site, broker: &str, people: &People) {
    let before = seen(site).await["partitions"].as_u64().unwrap();
    let node = format!("{broker}/1");
    site.kill(&node);
    people.are_served(&format!("one of three, {node} is dead, before partitions are added"), TAKEN_OVER).await;
    let done = set(site, before + 1).await;
    println!("with two of three: {done:?}");
    assert_eq!(seen(site).await["partitions"], before + u64::from(done.is_ok()));
    people.are_served(&format!("one of three, {node} is dead, partitions were to be added"), BACK).await;
    site.revive().await;
    people.are_served(&format!("one of three, {node} is back, before partitions are added"), BACK).await;
    set(site, before + 2).await.unwrap();
    people.are_served(&format!("one of three, {broker}, more partitions"), BACK).await;
    assert_eq!(seen(site).await["partitions"], before + 2);
}
