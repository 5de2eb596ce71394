//! Into how many partitions do commands go?

pub mod postgres;
