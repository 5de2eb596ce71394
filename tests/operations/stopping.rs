//! A node that stops says goodbye to everybody, and not to all of them at once: they all come to the others.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use klatch_protocol::gateway::CloseCode;
use klatch_testkit::TestNode;

const CONNECTIONS: u32 = 300;
/// Goodbyes a second, at most.
const PER_SECOND: u32 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_to_go_one_after_the_other() {
    let node = TestNode::boundless().await;
    let ada = node.user("ada").await;
    let mut devices = Vec::new();
    for _ in 0..CONNECTIONS {
        devices.push(ada.silent_device().await);
    }
    let stopping = tokio::spawn(node.stop());
    let goodbyes = join_all(devices.iter_mut().map(async |device| (device.closed().await, Instant::now()))).await;
    stopping.await.unwrap();
    assert!(goodbyes.iter().all(|(closed, _)| closed.code == CloseCode::Stopping.number()), "{goodbyes:?}");
    let first = goodbyes.iter().map(|(_, at)| *at).min().unwrap();
    let last = goodbyes.iter().map(|(_, at)| *at).max().unwrap();
    println!("{CONNECTIONS} connections were told within {:?}", last - first);
    // Half of it: the first may be heard late.
    assert!(last - first >= Duration::from_secs(1) * CONNECTIONS / PER_SECOND / 2, "all at once");
}
