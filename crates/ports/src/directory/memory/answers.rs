//! Answers.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{Timestamp, UserId};

use super::super::{ANSWER_KEPT_MS, ANSWER_RUNNING_MS, ANSWERS_PER_ACCOUNT_MAX, Answers, Begun, Digest};
use super::{Answer, Memory};
use crate::Error;

#[async_trait]
impl Answers for Memory {
    async fn begin_answer(&self, user: UserId, key: Digest, request: Digest, now: Timestamp) -> Result<Begun, Error> {
        let mut world = self.world();
        if let Some(answer) = world.answers.get(&(user, key)).filter(|a| now.ms_since(a.begun_at) < ANSWER_KEPT_MS) {
            if answer.request != request {
                return Ok(Begun::Different);
            }
            if let Some(kept) = &answer.kept {
                return Ok(Begun::Kept(kept.clone()));
            }
            if now.ms_since(answer.begun_at) < ANSWER_RUNNING_MS {
                return Ok(Begun::Running);
            }
        }
        world.answers.insert((user, key), Answer { request, begun_at: now, kept: None });
        let of_user = || world.answers.iter().filter(|((of, _), _)| *of == user);
        if of_user().count() > ANSWERS_PER_ACCOUNT_MAX
            && let Some((oldest, _)) = of_user().min_by_key(|((_, key), answer)| (answer.begun_at, *key))
        {
            let oldest = *oldest;
            world.answers.remove(&oldest);
        }
        Ok(Begun::New)
    }

    async fn keep_answer(&self, user: UserId, key: Digest, answer: Bytes) -> Result<(), Error> {
        if let Some(row) = self.world().answers.get_mut(&(user, key)) {
            row.kept = Some(answer);
        }
        Ok(())
    }

    async fn forget_answer(&self, user: UserId, key: Digest) -> Result<(), Error> {
        self.world().answers.remove(&(user, key));
        Ok(())
    }
}
