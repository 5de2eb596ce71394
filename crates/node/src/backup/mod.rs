//! Backups: everything of a node, copied while it runs, and put back into an empty directory.
//!
//! A backup is two folders. One holds the log (as records of its own format, whatever the engine), the lists, the directory and
//! the list of destroyed keys. The other holds the keys: without it nobody reads the first, so it lies apart and expires.
//!
//! - [`frames`]: the file that the log is copied to;
//! - [`manifest`]: what a backup holds, written last;
//! - [`take`]: from a node that runs;
//! - [`restore`]: into an empty directory.

mod destroyed;
mod files;
pub mod frames;
pub mod manifest;
pub mod restore;
pub mod take;
