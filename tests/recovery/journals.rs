//! The log begins a new journal while people write, since the old one is full or since it is compacted, and the power goes then.

use klatch_forgetful::Loss;

use super::child::{End, Fate};
use super::site::{Plan, Site};

/// As long as messages get, so that it takes few to fill a journal.
const LONG: usize = 16_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_full_is_followed_by_another() {
    let mut site = Site::new().await;
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
