//! klatch-engines

pub mod drivers;
pub mod event_log;
pub mod feed;
pub mod keys;
pub mod overlay;
pub mod views;
