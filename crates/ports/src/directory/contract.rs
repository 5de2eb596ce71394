//! The contract of [`Directory`]: one function per promise, run against every engine. The factory opens the engine, and opens the
//! same store when it is called again, after what it opened before was dropped.
//!
//! A store may be used by many tests, so every name and id is fresh; only what is about the whole site (D6, D12, D15 to D17) wants a
//! store of its own.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

mod answers;
mod moving;
mod people;
mod sessions;
mod site;

pub use answers::*;
pub use moving::*;
pub use people::*;
pub use sessions::*;
pub use site::*;

use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::{Account, Admission, Created, Digest, Directory, NewAccount, NewSession, Opened, PasswordHash};
use crate::contract::fresh;

/// The time at which everything here begins.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Tests that an engine of [`Directory`] keeps every promise. Takes a factory, `async || -> Arc<impl Directory>`.
#[macro_export]
macro_rules! directory_contract {
    ($factory:expr) => {
        $crate::contract_tests! { directory, $factory;
            d1_what_was_written_is_there_when_the_store_is_opened_again,
            d2_a_name_belongs_to_one_account,
            d3_an_invite_admits_as_many_as_it_has_uses,
            d3_a_claim_admits_one_owner,
            d4_people_are_found_by_parts_of_their_names,
            d5_people_are_imported_once,
            d6_closing_leaves_nothing_but_the_name,
            d7_tokens_rotate_as_the_chain_says,
            d7_racers_get_the_same_token,
            d8_sessions_are_bounded_and_end_at_once,
            d9_a_new_password_ends_the_other_sessions,
            d10_a_reset_works_once,
            d11_a_block_holds_in_both_directions,
            d12_the_site_is_what_was_first_opened,
            d13_of_all_that_begin_an_answer_one_is_new,
            d13_answers_are_bounded,
            d14_what_has_expired_is_forgotten,
            d15_of_two_that_replace_a_standing_one_does,
            d16_what_is_taken_in_is_listed_as_it_was,
            d16_nothing_is_taken_in_where_no_site_arrives,
            d17_whoever_attends_is_known_until_they_leave,
            d17_of_racers_nobody_attends_unseen,
        }
    };
}

fn digest(n: u128) -> Digest {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&n.to_be_bytes());
    bytes[16..].copy_from_slice(&(!n).to_be_bytes());
    Digest(bytes)
}

fn fresh_digest() -> Digest {
    digest(fresh().as_u128())
}

/// A word that nobody used before, in lower case.
fn word(begin: &str) -> String {
    format!("{begin}{}", fresh().simple())
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash(format!("$argon2id${text}"))
}

fn newcomer(name: &str) -> NewAccount {
    NewAccount {
        id: UserId(fresh()),
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        password: hash(name),
        request: None,
        at: NOW,
    }
}

async fn join(directory: &impl Directory, admission: Admission) -> Account {
    match directory.create(newcomer(&word("u")), admission).await.unwrap() {
        Created::Now(account) => account,
        other => panic!("{other:?}"),
    }
}

async fn somebody(directory: &impl Directory) -> UserId {
    join(directory, Admission::Open).await.id
}

fn session(user: UserId, at: Timestamp) -> NewSession {
    NewSession { device: DeviceId(fresh()), user, name: "a device".to_owned(), secret: fresh_digest(), at }
}

async fn sign_in(directory: &impl Directory, user: UserId, at: Timestamp) -> NewSession {
    let new = session(user, at);
    assert!(matches!(directory.open_session(new.clone()).await.unwrap(), Opened::Now(_)));
    new
}
