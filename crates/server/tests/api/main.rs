//! The API over real sockets, on engines in memory, with a clock that stands still until a test moves it.
#![expect(clippy::unwrap_used, reason = "in tests")]

mod accounts;
mod conversations;
mod edges;
mod history;
mod idempotency;
mod invites;
mod limits;
mod me;
mod passwords;
mod rates;
mod refresh;
mod sessions;
mod users;
mod world;
