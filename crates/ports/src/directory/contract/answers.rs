//! Answers: D13.

use std::sync::Arc;

use super::super::{ANSWER_KEPT_MS, ANSWER_RUNNING_MS, ANSWERS_PER_ACCOUNT_MAX, Begun, Directory};
use super::{NOW, digest, fresh_digest, somebody};

/// D13: one is new at a time; all others get its answer, or are told that it runs, or that it is another request.
pub async fn d13_of_all_that_begin_an_answer_one_is_new<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let (user, other) = (somebody(&*directory).await, somebody(&*directory).await);
    let (key, request, different) = (fresh_digest(), fresh_digest(), fresh_digest());
    let racing: Vec<_> = (0..20)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.begin_answer(user, key, request, NOW).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for racer in racing {
        match racer.await.unwrap() {
            Begun::New => new += 1,
            begun => assert_eq!(begun, Begun::Running),
        }
    }
    assert_eq!(new, 1);
    assert_eq!(directory.begin_answer(other, key, different, NOW).await.unwrap(), Begun::New, "of somebody else");
    let later = NOW.plus_ms(ANSWER_RUNNING_MS);
    assert_eq!(directory.begin_answer(user, key, request, later).await.unwrap(), Begun::New, "who ran it was killed");

    directory.keep_answer(user, key, "answer".into()).await.unwrap();
    let end = later.plus_ms(ANSWER_KEPT_MS);
    let last = later.plus_ms(ANSWER_KEPT_MS - 1);
    assert_eq!(directory.begin_answer(user, key, request, last).await.unwrap(), Begun::Kept("answer".into()));
    assert_eq!(directory.begin_answer(user, key, different, last).await.unwrap(), Begun::Different);
    drop(directory);
    let directory = open().await;
    assert_eq!(directory.begin_answer(user, key, request, last).await.unwrap(), Begun::Kept("answer".into()));
    assert_eq!(directory.begin_answer(user, key, different, end).await.unwrap(), Begun::New, "a day is over");

    directory.forget_answer(user, key).await.unwrap();
    assert_eq!(directory.begin_answer(user, key, request, end).await.unwrap(), Begun::New);
}

/// D13: so many for one account; the oldest gives way.
pub async fn d13_answers_are_bounded<D: Directory>(open: impl AsyncFn() -> Arc<D>) {
    let directory = open().await;
    let user = somebody(&*directory).await;
    let base = fresh_digest().0[0];
    let key = |n: usize| digest(u128::from(base) << 64 | n as u128);
    for n in 0..=ANSWERS_PER_ACCOUNT_MAX {
        let at = NOW.plus_ms(n as u64);
        assert_eq!(directory.begin_answer(user, key(n), key(n), at).await.unwrap(), Begun::New);
        directory.keep_answer(user, key(n), "kept".into()).await.unwrap();
    }
    let now = NOW.plus_ms(ANSWERS_PER_ACCOUNT_MAX as u64 + 1);
    assert_eq!(directory.begin_answer(user, key(1), key(1), now).await.unwrap(), Begun::Kept("kept".into()));
    assert_eq!(directory.begin_answer(user, key(0), key(0), now).await.unwrap(), Begun::New, "the oldest gave way");
}
