//! A disk that fails or is full while people write, and a block that was written in part: nothing that was acknowledged is lost,
//! nothing is acknowledged that could be, and the node says how it is.

use klatch_client::{Rest, new_id};
use klatch_forgetful::{Disk, Loss};
use klatch_protocol::objects::{NewCommand, Slug};
use klatch_testkit::{eventually, text};
use uuid::Uuid;

use super::child::{End, Fate, NodeProcess};
use super::load::Book;
use super::site::{Plan, Site};

/// Less than the log keeps free, and more than what is written meanwhile.
const LITTLE: u64 = 100 << 20;

/// What `/readyz` answers.
async fn readyz(node: &NodeProcess) -> (u16, String) {
    let answer = reqwest::get(format!("{}/readyz", node.admin)).await.expect("the operator is answered");
    (answer.status().as_u16(), answer.text().await.expect("a sentence"))
}

async fn is_not_ready(node: &NodeProcess, because: &str) {
    let (status, sentence) = readyz(node).await;
    assert!(status == 503 && sentence.contains(because), "{status} {sentence}");
}

/// Reading works, writing is refused with what the disk is to blame for: by REST as by the gateway.
async fn only_reads(rest: &Rest, conversations: &[Uuid]) {
    for conversation in conversations {
        assert!(!rest.history(*conversation, "").await.expect("a page").events.is_empty());
        let new = NewCommand { id: new_id(), command: text("now?"), seen: None, after: None, claimed_at: None };
        let refused = rest.submit(*conversation, &new).await.expect_err("the disk is broken");
        assert_eq!(refused.slug(), Some(Slug::StorageFailed), "{refused}");
    }
}

/// Everybody who was told something was told the truth: some were told that the disk is to blame, none waits for ever.
fn all_were_answered(book: &Book) {
    assert!(book.values().all(|sent| sent.is_answered), "somebody was left without an answer");
    assert!(book.values().any(|sent| sent.committed.is_some()), "nobody wrote");
}

/// When its disk is broken while people write, the node writes nothing from then on, says so, goes on reading, and has lost
/// nothing when it is started again.
async fn breaks(site: &mut Site, how: impl FnOnce(&Disk) -> std::io::Result<()>, loss: Loss) {
    let node = NodeProcess::start(&site.disk, &Fate::default()).expect("it starts");
    let plan = Plan::default();
    let (conversations, writing) = site.people(&node, &plan).await;
    writing.until(plan.enough).await;
    assert_eq!(readyz(&node).await, (200, "ready\n".to_owned()));
    how(&site.disk).expect("a disk that obeys");
    let mut book = writing.done().await;
    all_were_answered(&book);
    is_not_ready(&node, "the disk failed").await;
    only_reads(&site.owner(&node), &conversations).await;
    drop(node);
    site.disk.lose_power(loss).expect("a disk that obeys");
    assert_eq!(site.look(&conversations, &mut book).await, Ok(Vec::new()), "{loss:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_the_node_only_reads_and_says_so() {
    let mut site = Site::new().await;
    for (of, loss) in [(".jnl", Loss::Everything), (".jnl", Loss::Nothing), ("views.db-wal", Loss::Everything)] {
        breaks(&mut site, |disk| disk.only_syncs_of(of).and_then(|()| disk.fail_syncs(1)), loss).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_is_almost_full_the_node_waits_for_room() {
    let mut site = Site::new().await;
    let node = NodeProcess::start(&site.disk, &Fate::default()).expect("it starts");
    let plan = Plan::default();
    let (conversations, writing) = site.people(&node, &plan).await;
    writing.until(plan.enough).await;
    site.disk.show_free(Some(LITTLE)).expect("a disk that obeys");
    let mut book = writing.done().await;
    all_were_answered(&book);
    is_not_ready(&node, "almost full").await;
    only_reads(&site.owner(&node), &conversations).await;

    site.disk.show_free(None).expect("a disk that obeys");
    assert_eq!(readyz(&node).await.0, 200);
    // Made room, it goes on without a restart.
    let (more, writing) = site.people(&node, &plan).await;
    writing.until(plan.enough).await;
    drop(node);
    book.extend(writing.done().await);
    site.disk.lose_power(Loss::Everything).expect("a disk that obeys");
    let conversations = [conversations, more].concat();
    assert_eq!(site.look(&conversations, &mut book).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_in_the_middle_of_a_write_loses_nothing() {
    let mut site = Site::new().await;
    // With the power comes room.
    for (bytes, loss) in [(5_000, Loss::Everything), (50_000, Loss::Nothing), (500_000, Loss::Some { seed: 3 })] {
        breaks(&mut site, |disk| disk.set_space(Some(bytes)), loss).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_last_block_is_no_damage() {
    let mut site = Site::new().await;
    let mut torn = 0;
    for count in 1..=4 {
        let fate = Fate { end: End::BeforeSync(count), ..Fate::default() };
        // Long, so that a block is more than a sector.
        let plan = Plan { bytes: 1_000, loss: Loss::Torn, ..Plan::default() };
        let round = site.round(&fate, &plan).await.expect("it comes back");
        assert!(round.findings.is_empty(), "{count}: {:#?}", round.findings);
        torn += usize::from(round.changed.iter().any(|file| file.extension().is_some_and(|kind| kind == "jnl")));
    }
    assert!(torn >= 3, "the journal was torn only {torn} times");
}

/// Where no room is left at all, it says so with a sentence instead of beginning something it could not finish.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_it_does_not_start_and_says_why() {
    let site = Site::new().await;
    site.disk.set_space(Some(0)).expect("a disk that obeys");
    let said = NodeProcess::start(&site.disk, &Fate::default()).err().expect("there is no room");
    assert!(said.contains("full"), "{said}");
    site.disk.set_space(None).expect("a disk that obeys");
    NodeProcess::start(&site.disk, &Fate::default()).expect("there is room again").stop();
}

/// A disk that has begun to fail is not asked for something new: the directory and the keys stop with the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_said_in_a_conversation_is_refused_as_well() {
    let mut site = Site::new().await;
    let node = NodeProcess::start(&site.disk, &Fate::default()).expect("it starts");
    let (_, writing) = site.people(&node, &Plan::default()).await;
    writing.until(10).await;
    site.disk.only_syncs_of(".jnl").and_then(|()| site.disk.fail_syncs(1)).expect("a disk that obeys");
    writing.done().await;
    let rest = site.owner(&node);
    let name = serde_json::json!({ "display_name": "Somebody else" });
    let refused = rest.write::<_, serde_json::Value>(reqwest::Method::PATCH, "/me", Some(&name)).await;
    assert_eq!(refused.expect_err("the disk is broken").slug(), Some(Slug::StorageFailed));
    eventually("it says so", async || (readyz(&node).await.0 == 503).then_some(())).await;
}
