//! `Presence` on Redis and Valkey: a hash for each person, a string for each bucket, changed by scripts in one round trip each.
//! **Distributed**: all nodes see the same people and take from the same buckets. Time is what the caller says; only what rests is
//! forgotten by the server's clock.
//!
//! Each call concerns one key, so it lies in one slot of a cluster; questions about several people go to each node together.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::presence::memory::{DEVICES_MAX, REMEMBERED_MS};
use klatch_ports::presence::{PRESENT_MS, Presence, Rate, State};
use redis::{ServerErrorKind, Value};

use crate::drivers::redis::{Answer, Call, Redis};

/// How much longer a bucket is kept than it is not full: the clocks of those who take from it differ.
const CLOCKS_DIFFER_MS: u64 = 60_000;

/// The engine. Nothing in it needs to last: what is lost with the server is there again when devices are next touched, at the latest
/// after [`PRESENT_MS`], and buckets are full.
pub struct RedisPresence {
    redis: Redis,
    person: Script,
    bucket: Script,
}

/// A script, which the server knows by its hash once it was sent.
struct Script {
    code: Bytes,
    hash: Bytes,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code: Bytes::from_static(code.as_bytes()), hash: hash.into() }
    }

    /// A run of it, by its hash or with its code.
    fn call(&self, is_known: bool, key: &Bytes, args: &[Bytes]) -> Call {
        let (name, script) = if is_known { ("EVALSHA", &self.hash) } else { ("EVAL", &self.code) };
        let mut all = vec![script.clone(), Bytes::from_static(b"1"), key.clone()];
        all.extend_from_slice(args);
        Call { key: key.clone(), name, args: all }
    }
}

impl RedisPresence {
    /// On this Redis. Nobody is connected to yet.
    pub fn new(redis: Redis) -> Self {
        let person = Script::new(include_str!("redis/person.lua"));
        Self { redis, person, bucket: Script::new(include_str!("redis/bucket.lua")) }
    }

    fn person_key(&self, user: UserId) -> Bytes {
        format!("{}:p:{user}", self.redis.prefix()).into()
    }

    /// Runs a script for each of these keys. A server that does not know the script, because it is new there, did nothing yet.
    async fn run(&self, script: &Script, keys: &[Bytes], args: &[Bytes]) -> Result<Vec<Value>, Error> {
        let calls: Vec<_> = keys.iter().map(|key| script.call(true, key, args)).collect();
        let mut answers = self.redis.call(&calls).await?;
        let is_unknown =
            |answer: &Answer| matches!(answer, Err(error) if error.kind() == Some(ServerErrorKind::NoScript));
        let unknown: Vec<usize> = (0..keys.len()).filter(|number| is_unknown(&answers[*number])).collect();
        if !unknown.is_empty() {
            let calls: Vec<_> = unknown.iter().map(|number| script.call(false, &keys[*number], args)).collect();
            for (number, answer) in unknown.into_iter().zip(self.redis.call(&calls).await?) {
                answers[number] = answer;
            }
        }
        answers.into_iter().map(|answer| answer.map_err(Error::unavailable)).collect()
    }

    async fn change(&self, user: UserId, args: &[Bytes]) -> Result<(State, State), Error> {
        let answers = self.run(&self.person, &[self.person_key(user)], args).await?;
        let (before, after) = pair(answers.first())?;
        Ok((state(before)?, state(after)?))
    }
}

#[async_trait]
impl Presence for RedisPresence {
    async fn touch(
        &self,
        user: UserId,
        device: DeviceId,
        state: State,
        now: Timestamp,
    ) -> Result<(State, State), Error> {
        let state = match state {
            State::Offline => 0,
            State::Away => 1,
            State::Online => 2,
        };
        let numbers = [state, now.plus_ms(PRESENT_MS).0, REMEMBERED_MS + PRESENT_MS, DEVICES_MAX as u64];
        let mut args = vec![Bytes::from_static(b"touch"), number(now.0), Bytes::copy_from_slice(device.as_bytes())];
        args.extend(numbers.map(number));
        self.change(user, &args).await
    }

    async fn leave(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(State, State), Error> {
        let device = Bytes::copy_from_slice(device.as_bytes());
        self.change(user, &[Bytes::from_static(b"leave"), number(now.0), device]).await
    }

    async fn of(&self, users: &[UserId], now: Timestamp) -> Result<Vec<(State, Timestamp)>, Error> {
        let keys: Vec<_> = users.iter().map(|user| self.person_key(*user)).collect();
        let answers = self.run(&self.person, &keys, &[Bytes::from_static(b"of"), number(now.0)]).await?;
        let of = |answer| {
            let (is, since) = pair(Some(answer))?;
            Ok((state(is)?, Timestamp(since)))
        };
        answers.iter().map(of).collect()
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32, now: Timestamp) -> Result<Result<(), u64>, Error> {
        let token_ns = 60_000_000_000 / u128::from(rate.per_minute.max(1));
        let burst = rate.burst.max(1);
        let ns = |tokens: u32| Bytes::from((u128::from(tokens) * token_ns).to_string());
        let key = format!("{}:b:{key}", self.redis.prefix()).into();
        let args = [number(now.0), ns(cost.min(burst)), ns(burst), number(CLOCKS_DIFFER_MS)];
        match self.run(&self.bucket, &[key], &args).await?.first() {
            Some(Value::Int(0)) => Ok(Ok(())),
            Some(Value::Int(ms @ 1..)) => Ok(Err(ms.unsigned_abs())),
            other => Err(strange(other)),
        }
    }
}

fn number(number: u64) -> Bytes {
    number.to_string().into()
}

fn pair(answer: Option<&Value>) -> Result<(u64, u64), Error> {
    match answer {
        Some(Value::Array(pair)) => match pair[..] {
            [Value::Int(one @ 0..), Value::Int(other @ 0..)] => Ok((one.unsigned_abs(), other.unsigned_abs())),
            _ => Err(strange(answer)),
        },
        _ => Err(strange(answer)),
    }
}

fn state(number: u64) -> Result<State, Error> {
    match number {
        0 => Ok(State::Offline),
        1 => Ok(State::Away),
        2 => Ok(State::Online),
        _ => Err(Error::corrupt("a state that nobody knows")),
    }
}

fn strange(answer: Option<&Value>) -> Error {
    Error::corrupt(format!("a script on Redis answered {answer:?}"))
}

#[cfg(test)]
mod tests;
