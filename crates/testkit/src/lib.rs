//! What tests are made of: a node in this process on a port of its own (or several nodes, on the servers
//! of a cluster), people who chat with it through real sockets, a clock that
//! stands still, and a bus that loses things.

mod clock;
mod deaf;
mod eventually;
mod node;
mod stack;
mod user;

pub use clock::FakeClock;
pub use deaf::{DeafLive, Loses};
pub use eventually::{eventually, eventually_within};
pub use node::{NodeOptions, PASSWORD, TestNode};
pub use stack::Stack;
pub use user::{PATIENCE, TestDevice, TestUser, text};
