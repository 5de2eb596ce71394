//! klatch-ports
