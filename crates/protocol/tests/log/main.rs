//! The format of the log: files that are read for ever, and properties of everything that is written.

mod golden;
mod properties;
mod samples;
