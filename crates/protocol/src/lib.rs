//! klatch-protocol
