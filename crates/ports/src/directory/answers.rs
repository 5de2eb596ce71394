//! Answers that were given, so that a request that is repeated with its idempotency key takes effect once.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{Timestamp, UserId};

use super::Digest;
use crate::Error;

/// How long answers are kept.
pub const ANSWER_KEPT_MS: u64 = 24 * 3_600_000;
/// How long a request may run before another may try: whoever ran it was killed.
pub const ANSWER_RUNNING_MS: u64 = 60_000;
/// Answers that are kept for one account; the oldest gives way.
pub const ANSWERS_PER_ACCOUNT_MAX: usize = 1_000;

/// What is known of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begun {
    /// Nothing: run it, then `keep_answer` or `forget_answer`.
    New,
    /// It is running.
    Running,
    /// Its answer.
    Kept(Bytes),
    /// The key was used for another request.
    Different,
}

/// Questions about answers. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Answers: Send + Sync + 'static {
    /// Begins to answer a request (D13).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn begin_answer(&self, user: UserId, key: Digest, request: Digest, now: Timestamp) -> Result<Begun, Error>;

    /// Keeps the answer to what was begun.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn keep_answer(&self, user: UserId, key: Digest, answer: Bytes) -> Result<(), Error>;

    /// The request took no effect: it may be begun again.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn forget_answer(&self, user: UserId, key: Digest) -> Result<(), Error>;
}
