//! TLS by ring: one library of cryptography for everything, which builds without a C toolchain of its own.

use std::sync::Once;

static ONCE: Once = Once::new();

/// Makes ring what this process does TLS with, unless it has chosen already.
pub fn prepare() {
    // Whoever has chosen before us has chosen.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}
