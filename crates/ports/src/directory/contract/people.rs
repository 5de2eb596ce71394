//! Accounts and what admits to them: D1 to D6, D9 to D11.

use std::sync::Arc;

use klatch_core::ids::UserId;

use super::super::{
    Admission, BLOCKS_PER_ACCOUNT_MAX, Closed, Created, Directory, INVITES_MAX, Imported, Invite, NewAccount, Origin,
    Profile, Role, RoleSet, State,
};
use super::{NOW, fresh_digest, hash, join, newcomer, session, sign_in, somebody, word};
use crate::contract::fresh;
use crate::directory::Opened;

fn invite(uses: Option<u32>, lasts_ms: Option<u64>) -> Invite {
    Invite {
        id: fresh(),
        token: fresh_digest(),
        made_by: UserId(fresh()),
        created_at: NOW,
        uses_left: uses,
        expires_at: lasts_ms.map(|ms| NOW.plus_ms(ms)),
    }
}

/// D1: everything that was written is there when the store is opened again.
pub async fn d1_what_was_written_is_there_when_the_store_is_opened_again<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let account = join(&*directory, Admission::Open).await;
    let new = sign_in(&*directory, account.id, NOW).await;
    let other = UserId(fresh());
    directory.block(account.id, other, NOW).await.unwrap();
    let about = Profile { display_name: None, about: Some("hello\nthere".to_owned()) };
    directory.set_profile(account.id, about).await.unwrap();
    drop(directory);

    let directory = open().await;
    let found = directory.named(&account.name).await.unwrap().unwrap();
    assert_eq!((found.id, found.about.as_str(), found.state), (account.id, "hello\nthere", State::Active));
    assert_eq!(found.display_name, account.name.to_uppercase(), "what is not changed stays");
    assert_eq!(directory.password(account.id).await.unwrap(), Some(hash(&account.name)));
    assert_eq!(directory.session(new.device).await.unwrap().unwrap().user, account.id);
    assert_eq!(directory.blocks(account.id).await.unwrap(), [other]);
    let stranger = UserId(fresh());
    assert_eq!(directory.accounts(&[stranger, account.id]).await.unwrap(), [None, Some(found)], "in their order");
}

/// D2: one account a name, also when many race for it; a request that is repeated finds what it made.
pub async fn d2_a_name_belongs_to_one_account<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let name = word("race");
    let racing: Vec<_> = (0..20)
        .map(|_| {
            let (directory, new) = (directory.clone(), newcomer(&name));
            tokio::spawn(async move { directory.create(new, Admission::Open).await.unwrap() })
        })
        .collect();
    let mut made = 0;
    for racer in racing {
        match racer.await.unwrap() {
            Created::Now(_) => made += 1,
            other => assert_eq!(other, Created::NameTaken),
        }
    }
    assert_eq!(made, 1);

    let request = Some(fresh_digest());
    let new = NewAccount { request, ..newcomer(&word("repeated")) };
    let Created::Now(account) = directory.create(new.clone(), Admission::Open).await.unwrap() else {
        panic!("not made")
    };
    let again = NewAccount { id: UserId(fresh()), ..new.clone() };
    assert_eq!(directory.create(again, Admission::Open).await.unwrap(), Created::Before(account));
    let other = NewAccount { id: UserId(fresh()), request: Some(fresh_digest()), ..new };
    assert_eq!(directory.create(other, Admission::Open).await.unwrap(), Created::NameTaken);
}

/// D3: an invite lets in as many as it has uses, also when more race for it; a refusal uses nothing up.
pub async fn d3_an_invite_admits_as_many_as_it_has_uses<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let three = invite(Some(3), Some(1_000));
    assert!(directory.add_invite(three.clone()).await.unwrap());
    let admission = Admission::Invite(three.token);
    let taken = somebody(&*directory).await;
    let taken = directory.accounts(&[taken]).await.unwrap()[0].clone().unwrap().name;
    assert_eq!(directory.create(newcomer(&taken), admission).await.unwrap(), Created::NameTaken);
    let racing: Vec<_> = (0..10)
        .map(|_| {
            let (directory, new) = (directory.clone(), newcomer(&word("u")));
            tokio::spawn(async move { directory.create(new, admission).await.unwrap() })
        })
        .collect();
    let mut admitted = 0;
    for racer in racing {
        match racer.await.unwrap() {
            Created::Now(account) => {
                assert_eq!(account.role, Role::Member);
                admitted += 1;
            }
            other => assert_eq!(other, Created::NotAdmitted),
        }
    }
    assert_eq!(admitted, 3);
    assert!(!directory.admits(admission, NOW).await.unwrap());

    let (endless, short) = (invite(None, None), invite(Some(9), Some(10)));
    directory.add_invite(endless.clone()).await.unwrap();
    directory.add_invite(short.clone()).await.unwrap();
    assert!(directory.admits(Admission::Invite(short.token), NOW.plus_ms(9)).await.unwrap());
    assert!(!directory.admits(Admission::Invite(short.token), NOW.plus_ms(10)).await.unwrap());
    let late = NewAccount { at: NOW.plus_ms(10), ..newcomer(&word("u")) };
    assert_eq!(directory.create(late, Admission::Invite(short.token)).await.unwrap(), Created::NotAdmitted);
    join(&*directory, Admission::Invite(endless.token)).await;
    let listed = directory.invites(NOW.plus_ms(10)).await.unwrap();
    assert!(listed.contains(&endless) && !listed.contains(&three) && !listed.contains(&short));
    assert!(directory.remove_invite(endless.id).await.unwrap());
    assert!(!directory.remove_invite(endless.id).await.unwrap());
    assert!(!directory.admits(Admission::Invite(endless.token), NOW).await.unwrap());

    let mut count = directory.invites(NOW).await.unwrap().len();
    while directory.add_invite(invite(None, None)).await.unwrap() {
        count += 1;
        assert!(count <= INVITES_MAX, "more invites than there may be");
    }
    for invite in directory.invites(NOW).await.unwrap() {
        directory.remove_invite(invite.id).await.unwrap();
    }
}

/// D3: a claim makes one owner, while it lasts; the newest counts.
pub async fn d3_a_claim_admits_one_owner<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let (old, new) = (fresh_digest(), fresh_digest());
    directory.set_claim(old, NOW.plus_ms(1_000)).await.unwrap();
    directory.set_claim(new, NOW.plus_ms(1_000)).await.unwrap();
    assert!(!directory.admits(Admission::Claim(old), NOW).await.unwrap());
    assert!(directory.admits(Admission::Claim(new), NOW).await.unwrap());
    assert!(!directory.admits(Admission::Claim(new), NOW.plus_ms(1_000)).await.unwrap());
    assert!(!directory.admits(Admission::Invite(new), NOW).await.unwrap(), "a claim is no invite");
    assert_eq!(join(&*directory, Admission::Claim(new)).await.role, Role::Owner);
    let second = directory.create(newcomer(&word("u")), Admission::Claim(new)).await.unwrap();
    assert_eq!(second, Created::NotAdmitted);
}

/// D4: whoever is not closed is found by a part of a name, whatever the case, in pages.
pub async fn d4_people_are_found_by_parts_of_their_names<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let mark = word("q");
    let mut names = Vec::new();
    for n in 0..7 {
        let name = format!("p{n}{mark}");
        directory.create(newcomer(&name), Admission::Open).await.unwrap();
        names.push(name);
    }
    let shown = NewAccount { display_name: format!("É {}", mark.to_uppercase()), ..newcomer(&word("z")) };
    directory.create(shown.clone(), Admission::Open).await.unwrap();
    names.push(shown.name);
    let closed = newcomer(&format!("p8{mark}"));
    directory.create(closed.clone(), Admission::Open).await.unwrap();
    assert!(matches!(directory.close(closed.id).await.unwrap(), Closed::Now(_)));

    let mut found = Vec::new();
    loop {
        let after = found.last().map(String::as_str);
        let page = directory.search(&mark.to_uppercase(), after, 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|account| account.name));
    }
    assert_eq!(found, names);
    assert_eq!(directory.search(&format!("é {mark}"), None, 3).await.unwrap().len(), 1, "in every script");
    assert_eq!(directory.search(&format!("{mark}%"), None, 3).await.unwrap().len(), 0, "no pattern");
}

/// D5: one person for each origin, however they come; under the first name that is free.
pub async fn d5_people_are_imported_once<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let (network, taken, free) = (word("net"), word("taken"), word("free"));
    directory.create(newcomer(&taken), Admission::Open).await.unwrap();
    let person = |origin: &str, names: &[&String]| Imported {
        id: UserId(fresh()),
        names: names.iter().map(|name| (*name).clone()).collect(),
        display_name: origin.to_owned(),
        origin: Origin { network: network.clone(), name: origin.to_owned() },
    };
    let (ada, bob) = (person("Ada", &[&taken, &free]), person("bob", &[&free, &word("other")]));
    let first = directory.import(vec![ada.clone(), bob.clone(), ada.clone()], NOW).await.unwrap();
    assert_eq!(first, [ada.id, bob.id, ada.id], "also within a batch");
    let again = person("bob", &[&word("unused")]);
    assert_eq!(directory.import(vec![again, ada.clone()], NOW).await.unwrap(), [bob.id, ada.id]);

    let made = directory.accounts(&first).await.unwrap();
    let ada_now = made[0].clone().unwrap();
    assert_eq!((ada_now.name, ada_now.state, ada_now.origin), (free, State::Imported, Some(ada.origin)));
    assert_eq!(made[1].clone().unwrap().name, bob.names[1]);
    assert_eq!(directory.open_session(session(ada.id, NOW)).await.unwrap(), Opened::NotActive);
    assert_eq!(directory.password(ada.id).await.unwrap(), None);

    let nameless = person("nameless", &[&taken]);
    let fine = person("fine", &[&word("fine")]);
    let refused = directory.import(vec![fine.clone(), nameless], NOW).await.unwrap_err();
    assert_eq!(refused.kind, crate::ErrorKind::Conflict);
    assert_eq!(directory.accounts(&[fine.id]).await.unwrap(), [None], "all of a batch or none");
}

/// D6: a closed account has nothing left but its name; the last owner cannot be closed.
pub async fn d6_closing_leaves_nothing_but_the_name<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let claim = fresh_digest();
    directory.set_claim(claim, NOW.plus_ms(1)).await.unwrap();
    let owner = join(&*directory, Admission::Claim(claim)).await;
    let account = join(&*directory, Admission::Open).await;
    let (device, reset) = (sign_in(&*directory, account.id, NOW).await.device, fresh_digest());
    directory.block(account.id, owner.id, NOW).await.unwrap();
    directory.block(owner.id, account.id, NOW).await.unwrap();
    directory.set_reset(account.id, reset, NOW.plus_ms(1_000)).await.unwrap();
    let about = Profile { display_name: Some("Ada".to_owned()), about: Some("private".to_owned()) };
    directory.set_profile(account.id, about.clone()).await.unwrap();

    assert_eq!(directory.close(account.id).await.unwrap(), Closed::Now(vec![device]));
    let closed = directory.named(&account.name).await.unwrap().unwrap();
    assert_eq!((closed.id, closed.state), (account.id, State::Closed));
    assert_eq!((closed.display_name, closed.about.as_str()), (account.name.clone(), ""));
    assert_eq!(directory.create(newcomer(&account.name), Admission::Open).await.unwrap(), Created::NameTaken);
    assert_eq!(directory.session(device).await.unwrap(), None);
    assert_eq!(directory.password(account.id).await.unwrap(), None);
    assert_eq!(directory.open_session(session(account.id, NOW)).await.unwrap(), Opened::NotActive);
    assert_eq!(directory.redeem_reset(reset, hash("x"), NOW).await.unwrap(), None);
    assert!(!directory.blocked(account.id, owner.id).await.unwrap());
    assert_eq!(directory.set_profile(account.id, about).await.unwrap(), None);
    assert_eq!(directory.close(account.id).await.unwrap(), Closed::Missing);
    assert_eq!(directory.close(UserId(fresh())).await.unwrap(), Closed::Missing);

    assert!(directory.closures(1_000).await.unwrap().contains(&account.id));
    directory.finish_closure(account.id).await.unwrap();
    assert!(!directory.closures(1_000).await.unwrap().contains(&account.id));

    assert_eq!(directory.close(owner.id).await.unwrap(), Closed::LastOwner);
    assert_eq!(directory.set_role(owner.id, Role::Member).await.unwrap(), RoleSet::LastOwner);
    assert_eq!(directory.set_role(account.id, Role::Owner).await.unwrap(), RoleSet::Missing, "it is closed");
    directory.set_claim(claim, NOW.plus_ms(1)).await.unwrap();
    let second = join(&*directory, Admission::Claim(claim)).await;
    let RoleSet::Now(lowered) = directory.set_role(second.id, Role::Member).await.unwrap() else {
        panic!("two owners")
    };
    assert_eq!((lowered.id, lowered.role), (second.id, Role::Member));
    assert_eq!(directory.close(owner.id).await.unwrap(), Closed::LastOwner);
    assert!(matches!(directory.set_role(second.id, Role::Owner).await.unwrap(), RoleSet::Now(_)));
    assert!(matches!(directory.close(owner.id).await.unwrap(), Closed::Now(_)));
}

/// D9: a new password ends every session but the one to keep, of an active account only.
pub async fn d9_a_new_password_ends_the_other_sessions<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let (user, other) = (somebody(&*directory).await, somebody(&*directory).await);
    let [kept, ended, foreign] = [
        sign_in(&*directory, user, NOW).await,
        sign_in(&*directory, user, NOW).await,
        sign_in(&*directory, other, NOW).await,
    ];
    assert_eq!(directory.set_password(user, hash("new"), Some(kept.device)).await.unwrap(), [ended.device]);
    assert_eq!(directory.password(user).await.unwrap(), Some(hash("new")));
    assert!(directory.session(kept.device).await.unwrap().is_some());
    assert!(directory.session(foreign.device).await.unwrap().is_some());
    assert_eq!(directory.session(ended.device).await.unwrap(), None);
    assert_eq!(directory.set_password(user, hash("newer"), None).await.unwrap(), [kept.device]);
    assert_eq!(directory.set_password(UserId(fresh()), hash("x"), None).await.unwrap(), []);
}

/// D10: a reset sets one password once, before it expires, and only the newest does.
pub async fn d10_a_reset_works_once<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let user = somebody(&*directory).await;
    let device = sign_in(&*directory, user, NOW).await.device;
    let (old, new) = (fresh_digest(), fresh_digest());
    assert!(directory.set_reset(user, old, NOW.plus_ms(1_000)).await.unwrap());
    assert!(directory.set_reset(user, new, NOW.plus_ms(1_000)).await.unwrap());
    assert!(!directory.set_reset(UserId(fresh()), fresh_digest(), NOW.plus_ms(1_000)).await.unwrap());
    assert_eq!(directory.reset(old, NOW).await.unwrap(), None);
    assert_eq!(directory.reset(new, NOW).await.unwrap(), Some(user));
    assert_eq!(directory.redeem_reset(new, hash("late"), NOW.plus_ms(1_000)).await.unwrap(), None);
    assert_eq!(directory.redeem_reset(old, hash("old"), NOW).await.unwrap(), None);
    assert_eq!(directory.redeem_reset(new, hash("set"), NOW).await.unwrap(), Some((user, vec![device])));
    assert_eq!(directory.redeem_reset(new, hash("again"), NOW).await.unwrap(), None);
    assert_eq!(directory.password(user).await.unwrap(), Some(hash("set")));
}

/// D11: a block holds both ways until it is taken back; there is room for so many.
pub async fn d11_a_block_holds_in_both_directions<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let (ada, bob) = (somebody(&*directory).await, somebody(&*directory).await);
    for _ in 0..2 {
        assert!(directory.block(ada, bob, NOW).await.unwrap());
    }
    assert!(directory.blocked(ada, bob).await.unwrap() && directory.blocked(bob, ada).await.unwrap());
    assert_eq!(directory.blocks(ada).await.unwrap(), [bob]);
    assert_eq!(directory.blocks(bob).await.unwrap(), []);
    directory.unblock(bob, ada).await.unwrap();
    assert!(directory.blocked(ada, bob).await.unwrap(), "it is not bob's to take back");
    for _ in 0..2 {
        directory.unblock(ada, bob).await.unwrap();
    }
    assert!(!directory.blocked(ada, bob).await.unwrap());

    // Some at a time, and more of the last ones than there is room for.
    const AT_ONCE: usize = 24;
    let mut made = 0;
    for _ in 0..=BLOCKS_PER_ACCOUNT_MAX / AT_ONCE {
        let blocking: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let directory = directory.clone();
                tokio::spawn(async move { directory.block(ada, UserId(fresh()), NOW).await.unwrap() })
            })
            .collect();
        for block in blocking {
            made += usize::from(block.await.unwrap());
        }
    }
    assert_eq!(made, BLOCKS_PER_ACCOUNT_MAX);
    let blocks = directory.blocks(ada).await.unwrap();
    assert_eq!(blocks.len(), BLOCKS_PER_ACCOUNT_MAX);
    assert!(blocks.is_sorted());
    assert!(!directory.block(ada, bob, NOW).await.unwrap());
    assert!(directory.block(ada, blocks[0], NOW).await.unwrap(), "who is blocked already takes no room");
}
