//! The crate picture: who may depend on whom. A wall that only manners keep falls; this one does not compile into `main`.

use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use super::Finding;
use crate::tree::Tree;

/// Whom of our own each crate may depend on, also in its tests.
const PICTURE: [(&str, &[&str]); 13] = [
    ("klatch-core", &[]),
    ("klatch-protocol", &["core"]),
    ("klatch-ports", &["core"]),
    ("klatch-forgetful", &[]),
    ("klatch-backing", &[]),
    ("klatch-engines", &["core", "ports", "forgetful", "backing"]),
    ("klatch-server", &["core", "protocol", "ports"]),
    ("klatch-client", &["core", "protocol"]),
    ("klatch-node", &["backing", "core", "protocol", "ports", "engines", "server", "client"]),
    ("klatch-testkit", &["backing", "core", "forgetful", "protocol", "ports", "engines", "server", "client", "node"]),
    (
        "klatch-tests",
        &["backing", "core", "forgetful", "protocol", "ports", "engines", "server", "client", "node", "testkit"],
    ),
    (
        "klatch-bench",
        &["backing", "core", "forgetful", "protocol", "ports", "engines", "server", "client", "node", "testkit"],
    ),
    ("xtask", &["core", "protocol", "ports", "server", "node"]),
];

/// All that the core may use: it does no I/O, knows no clock and is written down by others.
const CORE: [&str; 3] = ["bytes", "uuid", "proptest"];

/// What talks to databases, brokers and stores. Only engines do.
const DRIVERS: [&str; 16] = [
    "cdrs-tokio",
    "deadpool-postgres",
    "elasticsearch",
    "fjall",
    "fred",
    "lapin",
    "object_store",
    "opensearch",
    "rdkafka",
    "redis",
    "rskafka",
    "rusqlite",
    "scylla",
    "sqlx",
    "tantivy",
    "tokio-postgres",
];

pub fn check() -> anyhow::Result<Vec<Finding>> {
    let metadata = metadata()?;
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let mut find = |other: &str, sentence: &str| {
            findings.push(Finding::new("picture", format!("{name}->{other}"), sentence));
        };
        let Some((_, allowed)) = PICTURE.iter().find(|(known, _)| *known == name) else {
            find("", "this crate is not in the picture (xtask/src/tidy/picture.rs, ARCHITECTURE.md)");
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            let own = PICTURE.iter().any(|(known, _)| *known == other);
            let short = other.strip_prefix("klatch-").unwrap_or(other);
            if own && !allowed.contains(&short) {
                find(other, "is not a way that the crate picture has");
            }
            if name == "klatch-core" && !CORE.contains(&other) {
                find(other, "the core does without it");
            }
            if name != "klatch-engines" && DRIVERS.contains(&other) {
                find(other, "drivers are for klatch-engines alone");
            }
        }
    }
    Ok(findings)
}

fn metadata() -> anyhow::Result<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(Tree::root());
    let output = command.output().context("cargo metadata does not start")?;
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}
