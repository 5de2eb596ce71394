//! The workspace's own tools.
//!
//! - `cargo run -p xtask -- codegen`: writes everything that is generated: `api/` and the web client's types;
//! - `cargo run -p xtask -- tidy`: says where code, tests and documents have drifted apart. `cargo test -p xtask` does too.

mod codegen;
mod tidy;
mod tree;

use std::process::ExitCode;

use anyhow::bail;
use tree::Tree;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> anyhow::Result<()> {
    match words {
        ["codegen"] => codegen::write(&Tree::root()),
        ["codegen", "--check"] => {
            let stale = codegen::stale(&Tree::root())?;
            if stale.is_empty() { Ok(()) } else { bail!("not fresh: {}; run `make codegen`", stale.join(", ")) }
        }
        ["tidy"] => {
            let findings = tidy::tidy(&Tree::read()?)?;
            if findings.is_empty() { Ok(()) } else { bail!("{}", findings.join("\n")) }
        }
        _ => bail!("xtask knows: tidy, codegen, codegen --check"),
    }
}
