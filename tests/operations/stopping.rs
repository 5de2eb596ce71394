//! A node that stops says goodbye to everybody. How fast, `crates/server/src/gateway/goodbyes.rs` says and tries.

use futures_util::future::join_all;
use klatch_protocol::gateway::CloseCode;
use klatch_testkit::TestNode;

const CONNECTIONS: u32 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_to_go() {
    let node = TestNode::boundless().await;
    let ada = node.user("ada").await;
    let mut devices = Vec::new();
    for _ in 0..CONNECTIONS {
        devices.push(ada.silent_device().await);
    }
    let stopping = tokio::spawn(node.stop());
    let goodbyes = join_all(devices.iter_mut().map(async |device| device.closed().await)).await;
    stopping.await.unwrap();
    assert!(goodbyes.iter().all(|closed| closed.code == CloseCode::Stopping.number()), "{goodbyes:?}");
}
