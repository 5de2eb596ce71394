use std::sync::Arc;
use std::time::Duration;

use klatch_backing::{Kind, Servers};
use klatch_core::ids::Uuid;
use klatch_ports::contract::{fresh, within};
use klatch_ports::presence::memory::Memory;
use klatch_ports::{ErrorKind, presence_contract};
use proptest::prelude::*;
use redis::FromRedisValue;

use super::*;
use crate::drivers::redis::bench;

/// An engine on this Redis, with keys of its own.
fn presence_at(address: &str) -> Arc<RedisPresence> {
    Arc::new(RedisPresence::new(bench::redis(address)))
}

mod on_one_server {
    use super::*;

    presence_contract!(async || presence_at(&bench::server()));
}

mod on_a_cluster {
    use super::*;

    presence_contract!(async || presence_at(&bench::cluster()));
}

mod on_valkey {
    use super::*;

    presence_contract!(async || presence_at(&bench::valkey()));
}

mod on_a_cluster_of_valkey {
    use super::*;

    presence_contract!(async || presence_at(&bench::valkey_cluster()));
}

#[derive(Clone, Debug)]
enum Step {
    Touch(u128, u128, State),
    Leave(u128, u128),
    Of,
    Take(u8, Rate, u32),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (user, device) = (0..3_u128, 0..4_u128);
    let state = prop_oneof![Just(State::Offline), Just(State::Away), Just(State::Online)];
    let number = || prop_oneof![0..4_u32, Just(7), 0..1_000_u32, Just(u32::MAX)];
    let rate = (number(), number()).prop_map(|(burst, per_minute)| Rate { burst, per_minute });
    prop_oneof![
        (user.clone(), device.clone(), state).prop_map(|(user, device, state)| Step::Touch(user, device, state)),
        (user, device).prop_map(|(user, device)| Step::Leave(user, device)),
        Just(Step::Of),
        (0..2_u8, rate, number()).prop_map(|(key, rate, cost)| Step::Take(key, rate, cost)),
        prop_oneof![0..3_u64, Just(PRESENT_MS), 0..100_000_u64].prop_map(Step::Pass),
    ]
}

/// What both engines answer must be the same. A bucket that takes longer than 2^53 ns (104 days) to fill is not exact here.
async fn compare(steps: Vec<Step>) {
    let (here, there) = (Memory::default(), presence_at(&bench::server()));
    let salt = fresh().as_u128();
    let id = |n: u128| Uuid::from_u128(salt.wrapping_add(n));
    let mut now = Timestamp(1_800_000_000_000);
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Touch(user, device, state) => {
                let (user, device) = (UserId(id(user)), DeviceId(id(device)));
                let answers = (
                    here.touch(user, device, state, now).await.unwrap(),
                    there.touch(user, device, state, now).await.unwrap(),
                );
                assert_eq!(answers.0, answers.1, "{number} of {steps:?}");
            }
            Step::Leave(user, device) => {
                let (user, device) = (UserId(id(user)), DeviceId(id(device)));
                let answers =
                    (here.leave(user, device, now).await.unwrap(), there.leave(user, device, now).await.unwrap());
                assert_eq!(answers.0, answers.1, "{number} of {steps:?}");
            }
            Step::Of => {
                let users = [0, 1, 2, 9].map(|n| UserId(id(n)));
                let answers = (here.of(&users, now).await.unwrap(), there.of(&users, now).await.unwrap());
                assert_eq!(answers.0, answers.1, "{number} of {steps:?}");
            }
            Step::Take(key, rate, cost)
                if u64::from(rate.burst) * 60_000 / u64::from(rate.per_minute.max(1)) < 1 << 33 =>
            {
                let key = key.to_string();
                let answers =
                    (here.take(&key, rate, cost, now).await.unwrap(), there.take(&key, rate, cost, now).await.unwrap());
                assert_eq!(answers.0, answers.1, "{number} of {steps:?}");
            }
            Step::Take(..) => {}
            Step::Pass(ms) => now = now.plus_ms(ms),
        }
    }
}

#[test]
fn any_history_is_answered_as_it_is_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in proptest::collection::vec(step(), 1..60))| runtime.block_on(compare(steps)));
}

#[tokio::test]
async fn more_devices_than_there_may_be_push_out_the_one_that_rested_longest() {
    let presence = presence_at(&bench::server());
    let user = UserId(fresh());
    let device = |n: u64| DeviceId(Uuid::from_u64_pair(7, n));
    for n in 0..=DEVICES_MAX as u64 {
        let state = if n == 0 { State::Online } else { State::Away };
        presence.touch(user, device(n), state, Timestamp(1_000 + n)).await.unwrap();
    }
    let key = String::from_utf8(presence.person_key(user).to_vec()).unwrap();
    let fields = usize::from_redis_value(bench::ask(&bench::server(), "HLEN", &[&key]).await).unwrap();
    assert_eq!(fields, DEVICES_MAX + 1, "the devices and `since`");
    assert_eq!(presence.of(&[user], Timestamp(2_000)).await.unwrap()[0].0, State::Away, "the first one is gone");
}

#[tokio::test]
async fn whatever_is_written_is_forgotten_by_the_server() {
    let presence = presence_at(&bench::server());
    let (user, [one, other], now) = (UserId(fresh()), [DeviceId(fresh()), DeviceId(fresh())], Timestamp(1_000));
    presence.touch(user, one, State::Online, now).await.unwrap();
    presence.touch(user, other, State::Offline, now).await.unwrap();
    presence.leave(user, one, now).await.unwrap();
    presence.leave(UserId(fresh()), one, now).await.unwrap();
    presence.take("bucket", Rate { burst: 5, per_minute: 60 }, 5, now).await.unwrap().unwrap();
    presence.take("rested", Rate { burst: 5, per_minute: 60 }, 0, now).await.unwrap().unwrap();
    let pattern = format!("{}:*", presence.redis.prefix());
    let keys = Vec::<String>::from_redis_value(bench::ask(&bench::server(), "KEYS", &[&pattern]).await).unwrap();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let left_ms = u64::from_redis_value(bench::ask(&bench::server(), "PTTL", &[&key]).await).unwrap();
        let at_most = if key.contains(":b:") { 5_001 + CLOCKS_DIFFER_MS } else { REMEMBERED_MS + PRESENT_MS };
        assert!((at_most - 30_000..=at_most).contains(&left_ms), "{key}: {left_ms} of {at_most}");
    }
}

#[tokio::test]
async fn what_several_take_at_once_is_taken_from_one_bucket() {
    let first = presence_at(&bench::cluster());
    let second = RedisPresence::new(bench::with_prefix(&bench::cluster(), first.redis.prefix()));
    let rate = Rate { burst: 30, per_minute: 1 };
    let take = async |presence: &RedisPresence| presence.take("key", rate, 1, Timestamp(1)).await.unwrap().is_ok();
    let taken = futures_util::future::join_all((0..100).map(|n| take(if n % 2 == 0 { &first } else { &second })));
    assert_eq!(taken.await.into_iter().filter(|is_taken| *is_taken).count(), 30);
}

#[tokio::test]
async fn a_server_that_was_started_anew_learns_the_scripts_again() {
    let server = Servers::start(Kind::Redis, 1);
    let presence = presence_at(&server.address(1));
    let (users, device, now) = ([UserId(fresh()), UserId(fresh())], DeviceId(fresh()), Timestamp(1_000));
    presence.touch(users[1], device, State::Online, now).await.unwrap();
    bench::ask(&server.address(1), "SCRIPT", &["FLUSH"]).await;
    let of = presence.of(&users, now).await.unwrap();
    assert_eq!(of, [(State::Offline, Timestamp(0)), (State::Online, now)]);

    server.kill(1);
    let away = presence.of(&users, now).await.unwrap_err();
    assert_eq!(away.kind, ErrorKind::Unavailable);
    server.revive();
    let is_back = async {
        while presence.of(&users, now).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    within(Duration::from_secs(10), is_back).await;
}
