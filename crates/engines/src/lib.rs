//! klatch-engines
