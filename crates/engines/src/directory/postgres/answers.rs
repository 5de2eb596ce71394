//! Answers that were given.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{ANSWER_KEPT_MS, ANSWER_RUNNING_MS, ANSWERS_PER_ACCOUNT_MAX, Answers, Begun, Digest};
use tokio_postgres::types::Type;
use tokio_postgres::{Row, Transaction};

use super::columns::{digest, time};
use super::{Postgres, lock};
use crate::drivers::postgres::columns::{get, signed};
use crate::drivers::postgres::{Failure, Param, step};

#[async_trait]
impl Answers for Postgres {
    async fn begin_answer(&self, user: UserId, key: Digest, request: Digest, now: Timestamp) -> Result<Begun, Error> {
        let job =
            self.0.locking(|transaction| Box::pin(async move { begin(transaction, user, key, request, now).await }));
        job.await
    }

    async fn keep_answer(&self, user: UserId, key: Digest, answer: Bytes) -> Result<(), Error> {
        let sql = "UPDATE directory.answers SET kept = $3 WHERE account = $1 AND key = $2";
        let (key, answer) = (&key.0[..], &answer[..]);
        let params: [Param<'_>; 3] = [(&user.0, Type::UUID), (&key, Type::BYTEA), (&answer, Type::BYTEA)];
        self.0.query(sql, &params).await.map(drop)
    }

    async fn forget_answer(&self, user: UserId, key: Digest) -> Result<(), Error> {
        let sql = "DELETE FROM directory.answers WHERE account = $1 AND key = $2";
        self.0.query(sql, &[(&user.0, Type::UUID), (&&key.0[..], Type::BYTEA)]).await.map(drop)
    }
}

struct Answer {
    request: Digest,
    begun_at: Timestamp,
    kept: Option<Bytes>,
}

fn answer(row: &Row) -> Result<Answer, Error> {
    let kept = get::<Option<&[u8]>>(row, "kept")?.map(Bytes::copy_from_slice);
    Ok(Answer { request: digest(row, "request")?, begun_at: time(row, "begun_at")?, kept })
}

async fn begin(
    transaction: &Transaction<'_>,
    user: UserId,
    key: Digest,
    request: Digest,
    now: Timestamp,
) -> Result<Begun, Failure> {
    lock(transaction, user).await?;
    let (key, asked) = (&key.0[..], &request.0[..]);
    let sql = "SELECT request, begun_at, kept FROM directory.answers WHERE account = $1 AND key = $2";
    let found = step(transaction, sql, &[(&user.0, Type::UUID), (&key, Type::BYTEA)]).await?;
    let found = found.first().map(answer).transpose()?;
    if let Some(found) = found.filter(|answer| now.ms_since(answer.begun_at) < ANSWER_KEPT_MS) {
        if found.request != request {
            return Ok(Begun::Different);
        }
        if let Some(kept) = found.kept {
            return Ok(Begun::Kept(kept));
        }
        if now.ms_since(found.begun_at) < ANSWER_RUNNING_MS {
            return Ok(Begun::Running);
        }
    }
    // What gives way is chosen among what was there before, which this one joins.
    let sql =
        "WITH oldest AS (DELETE FROM directory.answers WHERE account = $1 AND key IN (SELECT key FROM directory.answers
            WHERE account = $1 AND key <> $2 ORDER BY begun_at DESC, key DESC OFFSET $5))
        INSERT INTO directory.answers (account, key, request, begun_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account, key) DO UPDATE SET request = $3, begun_at = $4, kept = NULL";
    let (now, others) = (signed(now.0)?, ANSWERS_PER_ACCOUNT_MAX as i64 - 1);
    let params: [Param<'_>; 5] =
        [(&user.0, Type::UUID), (&key, Type::BYTEA), (&asked, Type::BYTEA), (&now, Type::INT8), (&others, Type::INT8)];
    step(transaction, sql, &params).await?;
    Ok(Begun::New)
}
