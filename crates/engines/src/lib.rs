//! klatch-engines

mod drivers;
