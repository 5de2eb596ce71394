//! The site: D12, and what is forgotten: D14.

use std::sync::Arc;

use klatch_core::ids::WorkspaceId;

use super::super::{ANSWER_KEPT_MS, Admission, Begun, Directory, Registration, SESSION_IDLE_MS};
use super::{NOW, fresh_digest, join, sign_in, somebody};
use crate::contract::fresh;

/// D12: the site is what was first opened, but for what was set.
pub async fn d12_the_site_is_what_was_first_opened<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let first = directory.open_site(WorkspaceId(fresh()), "Klatch", Registration::Invite).await.unwrap();
    let second = directory.open_site(WorkspaceId(fresh()), "Other", Registration::Open).await.unwrap();
    assert_eq!(first, second);
    let set = directory.set_site(Some("Renamed".to_owned()), None).await.unwrap();
    assert_eq!((set.name.as_str(), set.registration, set.workspace), ("Renamed", first.registration, first.workspace));
    directory.set_site(None, Some(Registration::Closed)).await.unwrap();
    drop(directory);

    let directory = open().await;
    let site = directory.site().await.unwrap();
    assert_eq!((site.name.as_str(), site.registration), ("Renamed", Registration::Closed));
    let claim = fresh_digest();
    directory.set_claim(claim, NOW.plus_ms(1)).await.unwrap();
    join(&*directory, Admission::Claim(claim)).await;
    assert!(directory.site().await.unwrap().owned);
}

/// D14: what has expired is forgotten, and nothing else.
pub async fn d14_what_has_expired_is_forgotten<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let user = somebody(&*directory).await;
    let (rested, used) = (sign_in(&*directory, user, NOW).await, sign_in(&*directory, user, NOW.plus_ms(1)).await);
    let (short, long) = (fresh_digest(), fresh_digest());
    directory.begin_answer(user, short, short, NOW).await.unwrap();
    directory.begin_answer(user, long, long, NOW.plus_ms(SESSION_IDLE_MS)).await.unwrap();
    directory.keep_answer(user, long, "kept".into()).await.unwrap();
    let reset = fresh_digest();
    directory.set_reset(user, reset, NOW.plus_ms(SESSION_IDLE_MS + 2)).await.unwrap();

    let now = NOW.plus_ms(SESSION_IDLE_MS);
    directory.prune(now).await.unwrap();
    assert_eq!(directory.session(rested.device).await.unwrap(), None);
    assert!(directory.session(used.device).await.unwrap().is_some());
    assert_eq!(directory.reset(reset, now).await.unwrap(), Some(user));
    assert_eq!(directory.begin_answer(user, short, long, now).await.unwrap(), Begun::New);
    assert_eq!(directory.begin_answer(user, long, long, now).await.unwrap(), Begun::Kept("kept".into()));
    directory.prune(now.plus_ms(ANSWER_KEPT_MS)).await.unwrap();
    assert_eq!(directory.begin_answer(user, long, short, now).await.unwrap(), Begun::New);
    assert_eq!(directory.reset(reset, now).await.unwrap(), None);
}
