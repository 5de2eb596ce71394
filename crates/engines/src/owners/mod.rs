//! Who decides in which partition?

pub mod postgres;
