//! What keeps a node from starting is said in a sentence.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use klatch_node::checks::check;
use klatch_node::config::Config;
use klatch_node::{Node, Overrides, operator};
use klatch_testkit::TestNode;

fn config(data: &Path) -> Config {
    let mut config = Config { data: data.to_owned(), ..Config::default() };
    config.http.listen.set_port(0);
    config
}

async fn refused(config: Config) -> String {
    match Node::start(config, Overrides::default(), None).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_do_not_share_a_directory() {
    let node = TestNode::start().await;
    let sentence = refused(config(&node.data())).await;
    assert!(sentence.contains("in use by another process"), "{sentence}");
    let sentence = check(&config(&node.data()), &Overrides::default(), |_| Ok(())).await.expect_err("it runs");
    assert!(format!("{sentence:#}").contains("only a node that is stopped"), "{sentence:#}");
    // The one that runs was not disturbed, and still listens to its operator.
    let dir = tempfile::tempdir().expect("a directory");
    let (log, keys) = (dir.path().join("log"), dir.path().join("keys"));
    operator::backup(&node.data(), log, keys).await.expect("a backup");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let node = TestNode::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = config(dir.path());
    config.http.listen = node.node().address().expect("people reach it");
    let sentence = refused(config).await;
    let port = node.node().address().expect("people reach it").port().to_string();
    assert!(sentence.contains(&port) && sentence.contains("--listen"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_newer_version_are_left_alone() {
    let data = TestNode::start().await.stop().await;
    let version = data.path().join("log/VERSION");
    std::fs::write(&version, "99\n").expect("a version");
    let sentence = refused(config(data.path())).await;
    assert!(sentence.contains("newer version of Klatch"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_takes_no_writes_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    // A file in its place refuses everybody, root too.
    let data = dir.path().join("data");
    std::fs::write(&data, "no directory").expect("a file");
    let sentence = refused(config(&data)).await;
    assert!(sentence.contains(&data.display().to_string()) && sentence.contains("--data"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_socket_is_for_its_owner_alone_and_goes_with_the_node() {
    let node = TestNode::start().await;
    let socket = node.data().join("klatch.sock");
    let mode = std::fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let data = node.stop().await;
    assert!(!data.path().join("klatch.sock").exists());
    let nobody = operator::backup(data.path(), data.path().join("a"), data.path().join("b")).await;
    assert!(nobody.expect_err("it is stopped").to_string().contains("no node runs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_found() {
    let data = TestNode::start().await.stop().await;
    let file = data.path().join("views.db");
    let mut bytes = std::fs::read(&file).expect("a database");
    let second_page = 4_096;
    bytes[second_page..].fill(0xff);
    std::fs::write(&file, bytes).expect("damaged");
    let mut found = Vec::new();
    let told = |finding: klatch_node::checks::Finding| {
        found.push(finding.kind);
        Ok(())
    };
    check(&config(data.path()), &Overrides::default(), told).await.expect("a check");
    assert!(found.iter().any(|kind| ["database", "open"].contains(kind)), "{found:?}");
}
