//! What every engine of the overlay must keep, one function a promise. An engine's tests run all of it with
//! [`overlay_contract!`](crate::overlay_contract).

#![expect(clippy::unwrap_used, reason = "a contract suite is a test")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, Seq};

use super::Overlays;

/// An engine to be tried, and the ways to lose it.
#[async_trait]
pub trait Bench: Send {
    /// The engine, as last opened.
    fn overlays(&self) -> Arc<dyn Overlays>;

    /// Stops the engine in order and opens it on what it stored.
    async fn reopen(&mut self);

    /// Loses the engine without warning and opens it on what it stored.
    async fn crash(&mut self) {
        self.reopen().await;
    }
}

/// One test for each promise: `overlay_contract!(expression)`, where the expression makes a new [`Bench`] on an empty store.
#[macro_export]
macro_rules! overlay_contract {
    ($bench:expr) => {
        $crate::contract_tests! { overlay, &mut $bench;
            o1_a_put_is_there_at_once,
            o2_a_crash_takes_a_suffix,
            o3_a_put_of_the_past_changes_nothing,
            o4_rows_come_in_order,
            o5_a_mend_where_others_wrote_meanwhile_changes_nothing,
        }
    };
}

const A: ConversationId = ConversationId::from_bytes([1; 16]);
const B: ConversationId = ConversationId::from_bytes([2; 16]);

/// O1.
pub async fn o1_a_put_is_there_at_once(bench: &mut dyn Bench) {
    let overlays = bench.overlays();
    assert_eq!(overlays.applied(A).await.unwrap(), Seq::ZERO);
    assert_eq!(range(bench, A, 0, u64::MAX).await, []);
    overlays.put(A, Seq(5), vec![row(2, 5), row(4, 5)]).await.unwrap();
    overlays.put(A, Seq(6), vec![row(4, 6)]).await.unwrap();
    overlays.put(A, Seq(7), vec![]).await.unwrap();
    overlays.put(B, Seq(1), vec![row(1, 1)]).await.unwrap();
    assert_eq!(range(bench, A, 0, u64::MAX).await, [row(2, 5), row(4, 6)]);
    assert_eq!(overlays.applied(A).await.unwrap(), Seq(7));

    overlays.clear(A).await.unwrap();
    assert_eq!(overlays.applied(A).await.unwrap(), Seq::ZERO);
    assert_eq!(range(bench, A, 0, u64::MAX).await, []);
    assert_eq!(range(bench, B, 0, u64::MAX).await, [row(1, 1)], "another conversation's rows stay");
    overlays.put(A, Seq(2), vec![row(1, 2)]).await.unwrap();
    assert_eq!(range(bench, A, 0, u64::MAX).await, [row(1, 2)], "cleared, it can be filled again");
}

/// O2.
pub async fn o2_a_crash_takes_a_suffix(bench: &mut dyn Bench) {
    // Every put writes the same four rows and one of its own, so that a part of a put could be told from the whole.
    let put = |n: u64| (1..=4).map(|seq| row(seq, n)).chain([row(10 + n, n)]).collect::<Vec<_>>();
    for n in 1..=20 {
        bench.overlays().put(A, Seq(n), put(n)).await.unwrap();
    }
    bench.crash().await;
    let applied = bench.overlays().applied(A).await.unwrap().0;
    let mut expected = if applied == 0 { vec![] } else { put(applied)[..4].to_vec() };
    expected.extend((1..=applied).map(|n| row(10 + n, n)));
    assert_eq!(range(bench, A, 0, u64::MAX).await, expected);
}

/// O3.
pub async fn o3_a_put_of_the_past_changes_nothing(bench: &mut dyn Bench) {
    bench.overlays().put(A, Seq(5), vec![row(2, 5)]).await.unwrap();
    for upto in [1, 5] {
        bench.overlays().put(A, Seq(upto), vec![row(2, upto + 100), row(3, upto)]).await.unwrap();
    }
    bench.reopen().await;
    bench.overlays().put(A, Seq(5), vec![row(2, 105)]).await.unwrap();
    assert_eq!(range(bench, A, 0, 9).await, [row(2, 5)]);
    assert_eq!(bench.overlays().applied(A).await.unwrap(), Seq(5));
}

/// O4.
pub async fn o4_rows_come_in_order(bench: &mut dyn Bench) {
    let seqs = [300, 2, 70_000, 1, 255, 256, 3];
    bench.overlays().put(A, Seq(70_000), seqs.map(|seq| row(seq, 1)).to_vec()).await.unwrap();
    assert_eq!(range(bench, A, 0, u64::MAX).await, [1, 2, 3, 255, 256, 300, 70_000].map(|seq| row(seq, 1)));
    assert_eq!(range(bench, A, 2, 256).await, [2, 3, 255, 256].map(|seq| row(seq, 1)));
    assert_eq!(range(bench, A, 4, 254).await, []);
    assert_eq!(range(bench, A, 9, 3).await, [], "an empty range is no mistake");
}

/// O5.
pub async fn o5_a_mend_where_others_wrote_meanwhile_changes_nothing(bench: &mut dyn Bench) {
    let some = |seq, version| (Seq(seq), Some(row(seq, version).1));
    let mend = async |bench: &dyn Bench, at, upto, rows| {
        bench.overlays().mend(A, Seq(at), Seq(upto), rows).await.expect("the overlay can be mended")
    };
    bench.overlays().put(A, Seq(5), vec![row(2, 5), row(3, 5), row(4, 5)]).await.unwrap();
    for at in [0, 4, 6] {
        assert!(!mend(bench, at, 9, vec![some(2, 100), (Seq(3), None)]).await, "at {at}");
    }
    assert_eq!(range(bench, A, 0, 9).await, [row(2, 5), row(3, 5), row(4, 5)]);
    assert_eq!(bench.overlays().applied(A).await.unwrap(), Seq(5));

    assert!(mend(bench, 5, 5, vec![some(2, 100), (Seq(3), None), some(7, 100), (Seq(8), None)]).await);
    bench.reopen().await;
    assert_eq!(range(bench, A, 0, 9).await, [row(2, 100), row(4, 5), row(7, 100)]);
    assert_eq!(bench.overlays().applied(A).await.unwrap(), Seq(5), "and it goes no further than before");
    bench.overlays().put(A, Seq(6), vec![row(2, 6)]).await.unwrap();
    assert_eq!(range(bench, A, 2, 2).await, [row(2, 6)], "and goes on from there");

    assert!(mend(bench, 6, 3, vec![(Seq(7), None)]).await, "also back, where it was too far");
    assert_eq!(bench.overlays().applied(A).await.unwrap(), Seq(3));
    assert!(bench.overlays().mend(B, Seq(0), Seq(0), vec![some(1, 1)]).await.unwrap(), "where nothing was put");
    assert!(bench.overlays().mend(B, Seq(0), Seq(2), vec![some(2, 1)]).await.unwrap());
    assert!(!bench.overlays().mend(B, Seq(0), Seq(2), vec![some(2, 2)]).await.unwrap());
    assert_eq!(range(bench, B, 0, 9).await, [row(1, 1), row(2, 1)]);
}

fn row(seq: u64, version: u64) -> (Seq, Bytes) {
    (Seq(seq), format!("row {seq}, version {version}").into())
}

async fn range(bench: &dyn Bench, c: ConversationId, from: u64, to: u64) -> Vec<(Seq, Bytes)> {
    bench.overlays().range(c, Seq(from), Seq(to)).await.expect("the overlay can be read")
}
