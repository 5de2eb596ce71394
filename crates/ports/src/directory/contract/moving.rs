//! A site that moves: D15, D16, D17.

use std::sync::Arc;

use klatch_core::ids::{UserId, WorkspaceId};

use super::super::{
    ATTENDANCE_KEPT_MS, Admission, Directory, Imported, Invite, Item, Origin, Part, Registration, Standing,
};
use super::{NOW, digest, fresh_digest, hash, join, sign_in, somebody, word};
use crate::ErrorKind;
use crate::contract::fresh;

fn leaving() -> Standing {
    Standing::Leaving("by a move".to_owned())
}

/// D15: a site is here until somebody says otherwise, once, and for good.
pub async fn d15_of_two_that_replace_a_standing_one_does<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    assert_eq!(directory.standing().await.unwrap(), Standing::Here);
    assert!(!directory.set_standing(Standing::Arriving, Standing::Abandoned).await.unwrap());
    assert_eq!(directory.standing().await.unwrap(), Standing::Here);
    let moved = |to: &str| Standing::Moved(to.to_owned());
    let both = tokio::join!(
        directory.set_standing(Standing::Here, moved("there")),
        directory.set_standing(Standing::Here, moved("elsewhere"))
    );
    let (one, other) = (both.0.unwrap(), both.1.unwrap());
    assert!(one != other, "one of two");
    let winner = if one { "there" } else { "elsewhere" };
    drop(directory);

    let directory = open().await;
    assert_eq!(directory.standing().await.unwrap(), moved(winner));
    assert!(!directory.set_standing(moved("to nowhere"), Standing::Here).await.unwrap());
    for (from, to) in [(moved(winner), Standing::Here), (Standing::Here, Standing::Arriving)] {
        assert!(directory.set_standing(from, to.clone()).await.unwrap());
        assert_eq!(directory.standing().await.unwrap(), to);
    }
    assert!(directory.set_standing(Standing::Arriving, Standing::Abandoned).await.unwrap());
    assert_eq!(directory.standing().await.unwrap(), Standing::Abandoned);
}

/// Everything that a directory can keep.
async fn furnish(directory: &impl Directory) {
    directory.open_site(WorkspaceId(fresh()), "Klatch", Registration::Open).await.unwrap();
    let (ada, bob) = (join(directory, Admission::Open).await.id, somebody(directory).await);
    let (owner, closed) = (fresh_digest(), somebody(directory).await);
    directory.set_claim(owner, NOW.plus_ms(10)).await.unwrap();
    join(directory, Admission::Claim(owner)).await;
    let origin = Origin { network: "irc".to_owned(), name: word("Old") };
    let (id, names) = (UserId(fresh()), vec![word("i")]);
    directory.import(vec![Imported { id, names, display_name: "Öld".to_owned(), origin }], NOW).await.unwrap();
    directory.close(closed).await.unwrap();
    for device in 0..5 {
        sign_in(directory, ada, NOW.plus_ms(device)).await;
    }
    let rotated = sign_in(directory, bob, NOW).await;
    directory.rotate(rotated.device, rotated.secret, 1, NOW.plus_ms(7)).await.unwrap();
    for (uses_left, expires_at) in [(Some(3), None), (None, Some(NOW.plus_ms(9)))] {
        let (id, token) = (fresh(), fresh_digest());
        let invite = Invite { id, token, made_by: ada, created_at: NOW, uses_left, expires_at };
        directory.add_invite(invite).await.unwrap();
    }
    directory.set_claim(fresh_digest(), NOW.plus_ms(10)).await.unwrap();
    directory.set_reset(bob, fresh_digest(), NOW.plus_ms(11)).await.unwrap();
    directory.block(ada, bob, NOW).await.unwrap();
    directory.block(ada, closed, NOW).await.unwrap();
    directory.block(bob, ada, NOW.plus_ms(1)).await.unwrap();
    for key in 0..3 {
        directory.begin_answer(ada, digest(key), fresh_digest(), NOW).await.unwrap();
    }
    directory.keep_answer(ada, digest(1), "kept".into()).await.unwrap();
    directory.keep_answer(ada, digest(2), "".into()).await.unwrap();
}

/// Everything, read in pages of this size.
async fn all(directory: &impl Directory, limit: usize) -> Vec<Item> {
    let mut all: Vec<Item> = Vec::new();
    for part in Part::ALL {
        loop {
            let after = all.last().filter(|item| item.part() == part);
            let page = directory.items(part, after, limit).await.unwrap();
            assert!(page.len() <= limit && page.iter().all(|item| item.part() == part));
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
    }
    all
}

/// D16: everything is listed once, in pages of any size; what is taken in is what was listed, and takes the place of what was there.
pub async fn d16_what_is_taken_in_is_listed_as_it_was<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    furnish(&*directory).await;
    let items = all(&*directory, 2).await;
    assert_eq!(all(&*directory, 1_000).await, items);
    for part in Part::ALL {
        assert!(items.iter().any(|item| item.part() == part), "{part:?}");
    }
    assert!(items.is_sorted_by_key(|item| (item.part(), item.key())));
    assert!(items.iter().any(|item| matches!(item, Item::Account { closing: true, .. })));

    assert!(directory.set_standing(Standing::Here, Standing::Arriving).await.unwrap());
    directory.empty().await.unwrap();
    assert_eq!(all(&*directory, 10).await, []);
    assert_eq!(directory.standing().await.unwrap(), Standing::Arriving, "which is no item");
    let take_in = async || {
        for part in Part::ALL {
            directory.take_in(items.iter().filter(|item| item.part() == part).cloned().collect()).await.unwrap();
        }
    };
    take_in().await;
    assert_eq!(all(&*directory, 3).await, items);
    let renamed = items.iter().map(|item| match item.clone() {
        Item::Account { mut account, request, .. } => {
            account.about = "somebody else".to_owned();
            Item::Account { account, password: Some(hash("another")), request, closing: false }
        }
        other => other,
    });
    let accounts = renamed.filter(|item| item.part() == Part::Accounts).collect();
    directory.take_in(accounts).await.unwrap();
    assert_ne!(all(&*directory, 10).await, items);
    take_in().await;
    drop(directory);

    let directory = open().await;
    assert_eq!(all(&*directory, 10).await, items);
    // And it works as it did.
    directory.set_standing(Standing::Arriving, Standing::Here).await.unwrap();
    let Some(Item::Account { account, .. }) = items.iter().find(|item| item.part() == Part::Accounts) else { panic!() };
    let found = directory.search(&account.display_name, None, 10).await.unwrap();
    assert_eq!(found, std::slice::from_ref(account), "the search knows whoever was taken in");
}

/// D16: where a site is in use, nothing of another is taken in, and nothing is emptied.
pub async fn d16_nothing_is_taken_in_where_no_site_arrives<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    furnish(&*directory).await;
    let items = all(&*directory, 10).await;
    for standing in [Standing::Here, leaving(), Standing::Abandoned, Standing::Moved("there".to_owned())] {
        let now = directory.standing().await.unwrap();
        assert!(directory.set_standing(now, standing).await.unwrap());
        let claims = items.iter().filter(|item| item.part() == Part::Claims).cloned().collect();
        assert_eq!(directory.take_in(claims).await.unwrap_err().kind, ErrorKind::Conflict);
        assert_eq!(directory.empty().await.unwrap_err().kind, ErrorKind::Conflict);
    }
    assert_eq!(all(&*directory, 10).await, items);
}

/// D17: a process attends where the site is here, and is known until it says that it stopped.
pub async fn d17_whoever_attends_is_known_until_they_leave<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    assert_eq!(directory.attending().await.unwrap(), []);
    assert!(directory.attend("b", NOW).await.unwrap());
    assert!(directory.attend("a", NOW).await.unwrap());
    assert!(directory.attend("b", NOW.plus_ms(5)).await.unwrap());
    drop(directory);

    let directory = open().await;
    let both = [("a".to_owned(), NOW), ("b".to_owned(), NOW.plus_ms(5))];
    assert_eq!(directory.attending().await.unwrap(), both);
    assert!(directory.set_standing(Standing::Here, leaving()).await.unwrap());
    assert!(!directory.attend("b", NOW.plus_ms(9)).await.unwrap());
    assert!(!directory.attend("c", NOW.plus_ms(9)).await.unwrap());
    assert_eq!(directory.attending().await.unwrap(), both, "who may not attend any more is still there");
    directory.leave("a").await.unwrap();
    directory.leave("nobody").await.unwrap();
    assert_eq!(directory.attending().await.unwrap(), both[1..]);
    for standing in [Standing::Moved("there".to_owned()), Standing::Arriving, Standing::Abandoned] {
        let now = directory.standing().await.unwrap();
        assert!(directory.set_standing(now, standing).await.unwrap());
        assert!(!directory.attend("c", NOW).await.unwrap());
    }
    assert!(directory.set_standing(Standing::Abandoned, Standing::Here).await.unwrap());
    assert!(directory.attend("c", NOW).await.unwrap());
    directory.prune(NOW.plus_ms(ATTENDANCE_KEPT_MS + 4)).await.unwrap();
    assert_eq!(directory.attending().await.unwrap(), both[1..], "who says nothing for long is forgotten");
}

/// D17: whoever was told to attend while the site began to leave is seen by whoever set that.
pub async fn d17_of_racers_nobody_attends_unseen<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    for round in 0..20 {
        let name = format!("process {round:02}");
        let begins = async {
            assert!(directory.set_standing(Standing::Here, leaving()).await.unwrap());
            directory.attending().await.unwrap()
        };
        let (attends, seen) = tokio::join!(directory.attend(&name, NOW), begins);
        assert!(!attends.unwrap() || seen.contains(&(name, NOW)), "{seen:?}");
        assert!(directory.set_standing(leaving(), Standing::Here).await.unwrap());
    }
}
