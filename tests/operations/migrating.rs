//! What a cluster stands on is prepared by `klatch migrate`.

use klatch_node::config::Config;
use klatch_node::{Overrides, migrate};
use klatch_testkit::Stack;

/// On whatever stack the tests run; embedded engines prepare themselves.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_and_then_made_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let stack = Stack::chosen();
    let config = Config { data: dir.path().to_owned(), engines: stack.engines().await, ..Config::default() };
    let missing = async || migrate::missing(&config).await.expect("the servers answer");
    let run = async || migrate::run(&config, &Overrides::default()).await.expect("the servers can be prepared");
    let told = missing().await;
    assert_eq!(told.is_empty(), stack == Stack::Embedded, "{told:?}");
    assert_eq!(missing().await, told, "to tell makes nothing");
    let made = run().await;
    let master_key = usize::from(stack != Stack::Embedded);
    assert_eq!((&made[..told.len()], made.len()), (&told[..], told.len() + master_key));
    assert!(missing().await.is_empty());
    assert!(run().await.is_empty());
}
