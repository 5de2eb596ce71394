//! The log begins a new journal while people write, since the old one is full or since it is compacted, and the power goes then.

use klatch_core::ids::{ConversationId, Seq};
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::overlay::fjall::FjallOverlays;
use klatch_forgetful::Loss;
use klatch_ports::overlay::Overlays;
use uuid::Uuid;

use super::child::{End, Fate};
use super::site::{Plan, Site};

/// As long as messages get, so that it takes few to fill a journal.
const LONG: usize = 16_000;

/// Megabytes that are in the journal before people write: the next is begun after 64.
const BEFORE: u64 = 56;

/// Writes so much into the journal of a node that does not run.
async fn nearly_fill(site: &Site) {
    site.disk.lose_power(Loss::Nothing).expect("a disk that obeys");
    let store = Store::open(&site.disk.root().join("log"), Options::default()).expect("a store");
    let overlays = FjallOverlays::new(store);
    // Rows of a conversation that is not there: nobody looks at them.
    let nowhere = ConversationId(Uuid::from_u128(1));
    for seq in (1..=BEFORE).map(Seq) {
        overlays.put(nowhere, seq, vec![(seq, vec![7; 1 << 20].into())]).await.expect("there is room");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_full_is_followed_by_another() {
    let mut site = Site::new().await;
    nearly_fill(&site).await;
    assert!(!site.disk.root().join("log/store/1.jnl").exists(), "that is for people to begin");
    let plan = Plan { bytes: LONG, journals: 1, ..Plan::default() };
    let round = site.round(&Fate::default(), &plan).await.expect("it comes back");
    assert!(round.findings.is_empty(), "{:#?}", round.findings);
}

/// People delete messages all the time, so a log that is compacted without a pause is always somewhere in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_power_may_go_while_the_log_is_compacted() {
    let mut site = Site::new().await;
    for number in 1..=6 {
        let end = if number % 2 == 0 { End::Plug } else { End::Operation(number * 37) };
        let loss = if number % 3 == 0 { Loss::Everything } else { Loss::Some { seed: number } };
        let plan = Plan { journals: number, loss, ..Plan::default() };
        let round = site.round(&Fate { end, compacts: true, ..Fate::default() }, &plan).await.expect("it comes back");
        assert!(round.findings.is_empty(), "{number}: {:#?}", round.findings);
    }
}
