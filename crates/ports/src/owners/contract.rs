//! The contract of [`Owners`]: one function per promise, run against every engine. The factory opens the engine with claims of its
//! own, and opens the same ones when it is called again.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use klatch_core::ids::Timestamp;

use super::{CLAIM_MS, Owner, Owners};

/// Tests that an engine of [`Owners`] keeps every promise. Takes a factory, `async || -> Arc<impl Owners>`.
#[macro_export]
macro_rules! owners_contract {
    ($factory:expr) => {
        $crate::contract_tests! { owners, $factory;
            n1_the_last_claim_counts,
            n2_a_claim_that_is_not_made_again_ends,
        }
    };
}

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// N1: also where the claims are made and read in two processes.
pub async fn n1_the_last_claim_counts<O: Owners>(open: impl AsyncFn() -> Arc<O>) {
    let (here, there) = (open().await, open().await);
    assert_eq!(here.owners(NOW).await.unwrap(), []);
    here.claim(&[3, 1], "here:1", NOW).await.unwrap();
    there.claim(&[2, 3], "there:1", NOW.plus_ms(1)).await.unwrap();
    let expected = [owner(1, "here:1"), owner(2, "there:1"), owner(3, "there:1")];
    assert_eq!(here.owners(NOW.plus_ms(1)).await.unwrap(), expected);
    assert_eq!(there.owners(NOW.plus_ms(1)).await.unwrap(), expected);
    here.claim(&[], "here:1", NOW).await.unwrap();
}

/// N2.
pub async fn n2_a_claim_that_is_not_made_again_ends<O: Owners>(open: impl AsyncFn() -> Arc<O>) {
    let owners = open().await;
    owners.claim(&[1, 2], "here:1", NOW).await.unwrap();
    owners.claim(&[2], "here:1", NOW.plus_ms(CLAIM_MS)).await.unwrap();
    assert_eq!(owners.owners(NOW.plus_ms(CLAIM_MS)).await.unwrap().len(), 2);
    assert_eq!(owners.owners(NOW.plus_ms(CLAIM_MS + 1)).await.unwrap(), [owner(2, "here:1")]);
}

fn owner(partition: usize, address: &str) -> Owner {
    Owner { partition, address: address.to_owned() }
}
