//! Sessions: D7, D8.

use std::sync::Arc;

use klatch_core::ids::{DeviceId, UserId};

use super::super::{Directory, Opened, ROTATION_GRACE_MS, Rotation, SESSIONS_PER_ACCOUNT_MAX};
use super::{NOW, fresh_digest, session, sign_in, somebody};
use crate::contract::fresh;

fn number(rotation: Rotation) -> u32 {
    match rotation {
        Rotation::Current { generation, .. } => generation,
        other => panic!("{other:?}"),
    }
}

/// D7: the token is replaced, and is good until its successor was used, for a minute; then it ends the session.
pub async fn d7_tokens_rotate_as_the_chain_says<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let user = somebody(&*directory).await;
    let new = sign_in(&*directory, user, NOW).await;
    let (device, secret) = (new.device, new.secret);
    let rotate =
        async |generation: u32, ms: u64| directory.rotate(device, secret, generation, NOW.plus_ms(ms)).await.unwrap();
    assert_eq!(number(rotate(1, 1_000).await), 2);
    assert_eq!(number(rotate(1, 1_000 + ROTATION_GRACE_MS).await), 2, "the answer was lost");
    assert_eq!(directory.session(device).await.unwrap().unwrap().last_used_at, NOW.plus_ms(1_000 + ROTATION_GRACE_MS));
    assert_eq!(number(rotate(2, 70_000).await), 3);
    assert_eq!(number(rotate(2, 70_000).await), 3);
    let foreign = directory.rotate(device, fresh_digest(), 3, NOW.plus_ms(70_000)).await.unwrap();
    assert_eq!(foreign, Rotation::Unknown, "whoever guesses does no harm");
    assert_eq!(number(rotate(7, 80_000).await), 8, "the directory is an older copy of itself");

    let Rotation::Reused(ended) = rotate(6, 80_000).await else { panic!("its successor was used") };
    assert_eq!((ended.device, ended.user), (device, user));
    assert_eq!(directory.session(device).await.unwrap(), None);
    assert_eq!(rotate(8, 80_000).await, Rotation::Unknown);

    let late = sign_in(&*directory, user, NOW).await;
    assert_eq!(number(directory.rotate(late.device, late.secret, 1, NOW).await.unwrap()), 2);
    let minute = NOW.plus_ms(ROTATION_GRACE_MS + 1);
    let reused = directory.rotate(late.device, late.secret, 1, minute).await.unwrap();
    assert!(matches!(reused, Rotation::Reused(_)), "a minute is over");
}

/// D7: many who present the same token at once get the same successor.
pub async fn d7_racers_get_the_same_token<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let new = sign_in(&*directory, somebody(&*directory).await, NOW).await;
    let racing: Vec<_> = (0..20)
        .map(|_| {
            let (directory, new) = (directory.clone(), new.clone());
            tokio::spawn(async move { directory.rotate(new.device, new.secret, 1, NOW).await.unwrap() })
        })
        .collect();
    for racer in racing {
        assert_eq!(number(racer.await.unwrap()), 2);
    }
}

/// D8: an account has so many sessions; the one that rested longest gives way, and what ended is gone.
pub async fn d8_sessions_are_bounded_and_end_at_once<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let (user, other) = (somebody(&*directory).await, somebody(&*directory).await);
    let mut devices = Vec::new();
    for n in 0..SESSIONS_PER_ACCOUNT_MAX as u64 {
        devices.push(sign_in(&*directory, user, NOW.plus_ms(n)).await);
    }
    let (rested, used) = (devices[1].device, devices[0].clone());
    directory.rotate(used.device, used.secret, 1, NOW.plus_ms(1_000)).await.unwrap();
    let last = session(user, NOW.plus_ms(2_000));
    assert_eq!(directory.open_session(last.clone()).await.unwrap(), Opened::Now(vec![rested]));
    let listed = directory.sessions(user).await.unwrap();
    assert_eq!(listed.len(), SESSIONS_PER_ACCOUNT_MAX);
    assert_eq!([listed[0].device, listed[1].device], [last.device, used.device], "last used first");
    assert_eq!((listed[0].name.as_str(), listed[0].created_at), ("a device", NOW.plus_ms(2_000)));
    assert_eq!(directory.session(rested).await.unwrap(), None);

    assert!(!directory.end_session(other, last.device).await.unwrap(), "it is another's");
    assert!(directory.end_session(user, last.device).await.unwrap());
    assert!(!directory.end_session(user, last.device).await.unwrap());
    assert_eq!(directory.session(last.device).await.unwrap(), None);
    let nobody = session(UserId(fresh()), NOW);
    assert_eq!(directory.open_session(nobody).await.unwrap(), Opened::NotActive);
    let unknown = directory.rotate(DeviceId(fresh()), fresh_digest(), 1, NOW).await.unwrap();
    assert_eq!(unknown, Rotation::Unknown);
}
