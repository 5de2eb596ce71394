//! Answers that were given.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{ANSWER_KEPT_MS, ANSWER_RUNNING_MS, ANSWERS_PER_ACCOUNT_MAX, Answers, Begun, Digest};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::Sqlite;
use crate::drivers::sqlite::Durability::{Later, Now};

#[async_trait]
impl Answers for Sqlite {
    async fn begin_answer(&self, user: UserId, key: Digest, request: Digest, now: Timestamp) -> Result<Begun, Error> {
        // What is running does not survive a loss of power either.
        self.0.write(Later, move |db| begin(db, user, key, request, now)).await
    }

    async fn keep_answer(&self, user: UserId, key: Digest, answer: Bytes) -> Result<(), Error> {
        let sql = "UPDATE answers SET kept = ?3 WHERE user = ?1 AND key = ?2";
        let job =
            move |db: &Connection| db.prepare_cached(sql)?.execute(params![user.as_bytes(), key.0, &*answer]).map(drop);
        self.0.write(Now, job).await
    }

    async fn forget_answer(&self, user: UserId, key: Digest) -> Result<(), Error> {
        let sql = "DELETE FROM answers WHERE user = ?1 AND key = ?2";
        self.0.write(Later, move |db| db.prepare_cached(sql)?.execute(params![user.as_bytes(), key.0]).map(drop)).await
    }
}

struct Answer {
    request: Digest,
    begun_at: Timestamp,
    kept: Option<Vec<u8>>,
}

fn answer(row: &Row<'_>) -> Result<Answer> {
    Ok(Answer {
        request: Digest(row.get("request")?),
        begun_at: Timestamp(row.get("begun_at")?),
        kept: row.get("kept")?,
    })
}

fn begin(db: &Connection, user: UserId, key: Digest, request: Digest, now: Timestamp) -> Result<Begun> {
    let sql = "SELECT request, begun_at, kept FROM answers WHERE user = ?1 AND key = ?2";
    let found = db.prepare_cached(sql)?.query_row(params![user.as_bytes(), key.0], answer).optional()?;
    if let Some(found) = found.filter(|answer| now.ms_since(answer.begun_at) < ANSWER_KEPT_MS) {
        if found.request != request {
            return Ok(Begun::Different);
        }
        if let Some(kept) = found.kept {
            return Ok(Begun::Kept(kept.into()));
        }
        if now.ms_since(found.begun_at) < ANSWER_RUNNING_MS {
            return Ok(Begun::Running);
        }
    }
    let sql = "INSERT OR REPLACE INTO answers (user, key, request, begun_at, kept) VALUES (?1, ?2, ?3, ?4, NULL)";
    db.prepare_cached(sql)?.execute(params![user.as_bytes(), key.0, request.0, now.0])?;
    let sql = "DELETE FROM answers WHERE (user, key) IN (
        SELECT user, key FROM answers WHERE user = ?1 ORDER BY begun_at DESC, key DESC LIMIT -1 OFFSET ?2)";
    db.prepare_cached(sql)?.execute(params![user.as_bytes(), ANSWERS_PER_ACCOUNT_MAX])?;
    Ok(Begun::New)
}
