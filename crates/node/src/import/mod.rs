//! What was said elsewhere, brought into a conversation of a running server: the lines of a file become items, items become
//! batches, and every line is accounted for.
//!
//! - [`source`]: the file, packed or not;
//! - [`irc`]: from a line to an item;
//! - `reading`: what one imports, one need not read;
//! - [`report`]: what became of all of them;
//! - [`upload`]: the batches, one after the other, again where an answer is lost.

pub mod irc;
mod reading;
pub mod report;
pub mod source;
pub mod upload;
