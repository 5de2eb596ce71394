//! The contract of [`Presence`]: one function per promise, run against every engine. Time is what the caller says, so nothing
//! here waits.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::State::{Away, Offline, Online};
use super::{PRESENT_MS, Presence, Rate};
use crate::contract::fresh;

/// The time at which everything here begins.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Tests that an engine of [`Presence`] keeps every promise. Takes a factory, `async || -> Arc<impl Presence>`.
#[macro_export]
macro_rules! presence_contract {
    ($factory:expr) => {
        $crate::contract_tests! { presence, $factory;
            p1_the_most_present_device_counts_while_it_is_touched,
            p2_leaving_takes_effect_at_once_for_one_device,
            p3_since_is_when_the_state_last_changed,
            p4_a_bucket_admits_its_burst_and_then_its_rate,
            p5_what_rests_is_forgotten,
        }
    };
}

/// P1: somebody is as present as the most present of their devices that was touched lately.
pub async fn p1_the_most_present_device_counts_while_it_is_touched<P: Presence>(make: impl AsyncFn() -> Arc<P>) {
    let presence = make().await;
    let (user, [desk, phone], now) = (user(), devices(), NOW);
    assert_eq!(presence.touch(user, desk, Away, now).await.unwrap(), (Offline, Away));
    assert_eq!(presence.touch(user, phone, Online, now).await.unwrap(), (Away, Online));
    assert_eq!(presence.touch(user, desk, Away, now.plus_ms(50_000)).await.unwrap(), (Online, Online));
    assert_eq!(state(&*presence, user, now.plus_ms(PRESENT_MS - 1)).await, Online);
    assert_eq!(state(&*presence, user, now.plus_ms(PRESENT_MS + 1)).await, Away, "the phone's time is over");
    assert_eq!(state(&*presence, user, now.plus_ms(50_001 + PRESENT_MS)).await, Offline);

    let later = now.plus_ms(60_000 + PRESENT_MS);
    assert_eq!(
        presence.touch(user, phone, Online, later).await.unwrap(),
        (Offline, Online),
        "what is over is not before"
    );
    let stranger = UserId(fresh());
    let of = presence.of(&[stranger, user, stranger], later).await.unwrap();
    assert_eq!(
        of.iter().map(|of| of.0).collect::<Vec<_>>(),
        [Offline, Online, Offline],
        "in the order of the question"
    );
}

/// P2: who leaves is gone at once; other devices stay.
pub async fn p2_leaving_takes_effect_at_once_for_one_device<P: Presence>(make: impl AsyncFn() -> Arc<P>) {
    let presence = make().await;
    let (user, [desk, phone], now) = (user(), devices(), NOW);
    presence.touch(user, desk, Away, now).await.unwrap();
    presence.touch(user, phone, Online, now).await.unwrap();
    assert_eq!(presence.leave(user, phone, now).await.unwrap(), (Online, Away));
    assert_eq!(presence.leave(user, phone, now).await.unwrap(), (Away, Away), "it is gone already");
    assert_eq!(presence.touch(user, phone, Offline, now).await.unwrap(), (Away, Away), "to be offline is to be gone");
    assert_eq!(presence.leave(user, desk, now).await.unwrap(), (Away, Offline));
    assert_eq!(state(&*presence, user, now).await, Offline);
    assert_eq!(presence.leave(self::user(), desk, now).await.unwrap(), (Offline, Offline));
}

/// P3: `since` moves when the state does, also when it falls because a device's time is over.
pub async fn p3_since_is_when_the_state_last_changed<P: Presence>(make: impl AsyncFn() -> Arc<P>) {
    let presence = make().await;
    let (user, [desk, phone], now) = (user(), devices(), NOW);
    let since = async |at| presence.of(&[user], at).await.unwrap()[0];
    presence.touch(user, desk, Away, now).await.unwrap();
    presence.touch(user, phone, Online, now.plus_ms(1_000)).await.unwrap();
    presence.touch(user, desk, Away, now.plus_ms(2_000)).await.unwrap();
    assert_eq!(since(now.plus_ms(3_000)).await, (Online, now.plus_ms(1_000)));
    presence.touch(user, desk, Away, now.plus_ms(60_000)).await.unwrap();
    let fell = now.plus_ms(1_000 + PRESENT_MS);
    assert_eq!(since(fell.plus_ms(5)).await, (Away, fell));
    presence.touch(user, desk, Away, fell.plus_ms(10)).await.unwrap();
    assert_eq!(since(fell.plus_ms(20)).await, (Away, fell), "a touch that changes nothing moves nothing");
    presence.leave(user, desk, fell.plus_ms(30)).await.unwrap();
    assert_eq!(since(fell.plus_ms(40)).await, (Offline, fell.plus_ms(30)));
}

/// P4: the burst at once, the rate thereafter; a refusal tells when, and costs nothing.
pub async fn p4_a_bucket_admits_its_burst_and_then_its_rate<P: Presence>(make: impl AsyncFn() -> Arc<P>) {
    let presence = make().await;
    let (key, now) = (fresh().to_string(), NOW);
    let rate = Rate { burst: 5, per_minute: 60 };
    let take = async |cost, at| presence.take(&key, rate, cost, at).await.unwrap();
    for _ in 0..5 {
        assert_eq!(take(1, now).await, Ok(()));
    }
    for _ in 0..3 {
        assert_eq!(take(1, now).await, Err(1_000), "one a second");
        assert_eq!(take(3, now).await, Err(3_000));
    }
    assert_eq!(take(1, now.plus_ms(999)).await, Err(1));
    assert_eq!(take(1, now.plus_ms(1_000)).await, Ok(()));
    assert_eq!(take(1, now.plus_ms(1_000)).await, Err(1_000));
    assert_eq!(take(3, now.plus_ms(4_000)).await, Ok(()));

    let rested = now.plus_ms(1_000_000);
    assert_eq!(take(5, rested).await, Ok(()), "it holds its burst, however long it rested");
    assert_eq!(take(1, rested).await, Err(1_000));
    assert_eq!(take(0, rested).await, Ok(()), "nothing is always admitted");
    let more_than_it_holds = take(6, rested).await.unwrap_err();
    assert_eq!(take(6, rested.plus_ms(more_than_it_holds)).await, Ok(()), "more than the burst counts as the burst");

    let mut admitted = 0;
    for ms in (0..60_000).step_by(100) {
        let at = rested.plus_ms(1_000_000 + ms);
        admitted += u32::from(take(1, at).await.is_ok());
    }
    assert_eq!(admitted, 5 + 59, "a minute's worth after the burst");
}

/// P5: somebody who was away for a week, or a bucket that rested, is as one who never was.
pub async fn p5_what_rests_is_forgotten<P: Presence>(make: impl AsyncFn() -> Arc<P>) {
    let presence = make().await;
    let (user, [desk, _], now) = (user(), devices(), NOW);
    let (key, rate) = (fresh().to_string(), Rate { burst: 1, per_minute: 1 });
    presence.touch(user, desk, Online, now).await.unwrap();
    presence.take(&key, rate, 1, now).await.unwrap().unwrap();
    let week_later = now.plus_ms(7 * 24 * 60 * 60 * 1000);
    assert_eq!(state(&*presence, user, week_later).await, Offline);
    assert_eq!(presence.touch(user, desk, Online, week_later).await.unwrap(), (Offline, Online));
    assert_eq!(presence.take(&key, rate, 1, week_later).await.unwrap(), Ok(()));
}

fn user() -> UserId {
    UserId(fresh())
}

fn devices() -> [DeviceId; 2] {
    [DeviceId(fresh()), DeviceId(fresh())]
}

async fn state(presence: &impl Presence, user: UserId, now: Timestamp) -> super::State {
    presence.of(&[user], now).await.unwrap()[0].0
}
