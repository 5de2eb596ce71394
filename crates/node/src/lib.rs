//! klatch-node
