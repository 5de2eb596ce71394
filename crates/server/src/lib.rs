//! klatch-server
