//! Has the web client built in again when it changed, also where it was not there before.

use std::io;

/// Where `make web` puts it (`src/pages.rs`).
const WEB: &str = "../../web/app/dist";

fn main() -> io::Result<()> {
    // Of a folder that is not there, cargo would say each time that it changed.
    std::fs::create_dir_all(WEB)?;
    println!("cargo::rerun-if-changed={WEB}");
    Ok(())
}
