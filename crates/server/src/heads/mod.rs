//! Where conversations stand, asked of whoever decides in them: owners answer from memory, so that looking for what was not heard
//! costs the log nothing. Processors keep a [`Memory`]; gateways ask through [`Heads`].
//!
//! Processes ask each other by HTTP: `POST /heads` with conversations (16 bytes each), answered with their last seqs (8 bytes each,
//! big-endian). Who asks shows a keyed hash of time and question under a secret that all processes of a site have.

mod asking;
mod memory;
#[cfg(test)]
mod tests;
mod wire;

pub use asking::Heads;
pub use memory::Memory;
pub use wire::{Peers, router};
