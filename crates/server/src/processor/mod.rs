//! The role `processor`: one owner per partition drains what waits, decides the whole batch, appends once, and only then releases
//! acknowledgements and events.
//!
//! - [`partition`]: the loop;
//! - `batch`: deciding what was drained, and deciding again where the log was not as expected;
//! - `states`: the conversations in memory, from snapshots and the log;
//! - `release`: what follows once events are durable.

mod batch;
pub mod partition;
mod release;
mod states;

pub use states::event_of;
