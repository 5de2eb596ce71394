//! The role `processor`: one owner per partition drains what waits, decides the whole batch, appends once, and only then releases
//! acknowledgements and events.
//!
//! - [`everywhere`]: the loops of all partitions;
//! - [`partition`]: one of them;
//! - `batch`: deciding what was drained, and deciding again where the log was not as expected;
//! - `poison`: what becomes of commands that cannot be decided;
//! - `states`: the conversations in memory, from snapshots and the log;
//! - `release`: what follows once events are durable.

mod batch;
pub mod everywhere;
mod part;
pub mod partition;
mod poison;
mod refusals;
mod release;
mod states;
#[cfg(test)]
pub(crate) mod tests;

pub use states::event_of;
