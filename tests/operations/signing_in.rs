//! Several commands of the shell run at once, with one session in one file.

use klatch_client::{Rest, Tokens};
use klatch_node::shell::credentials::{Credentials, Entry};
use klatch_testkit::TestNode;

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_run_side_by_side_share_a_session() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let dir = tempfile::tempdir().expect("a directory");
    let credentials = Credentials::at(dir.path().join("klatch/credentials.json"));
    let base = node.base();
    // The access token has expired, as it does after ten minutes; both have the same one to renew it with.
    let held = Tokens { access: "expired".to_owned(), refresh: ada.rest.tokens().await.refresh };
    credentials.set(&base, Some(Entry::new("ada".to_owned(), held.clone()))).expect("written");
    let command = || Rest::new(&base, held.clone()).expect("a client").kept(credentials.keep(&base));
    let (one, other) = (command(), command());
    let (first, second) = tokio::join!(one.me(), other.me());
    assert_eq!((first.expect("renewed").name, second.expect("renewed").name), ("ada".to_owned(), "ada".to_owned()));
    for _ in 0..3 {
        one.refresh().await.expect("renewed again");
        other.me().await.expect("still signed in");
        other.refresh().await.expect("takes what is there, or renews it");
    }
    let kept = credentials.get(&base).expect("readable").expect("signed in");
    assert!(kept.name == "ada" && (kept.tokens() == one.tokens().await || kept.tokens() == other.tokens().await));
}
