//! The table of engines in `crates/engines/src/lib.rs`, the files, and the contracts that they run.

use std::collections::BTreeSet;

use super::{Finding, promises};
use crate::tree::Tree;

const ENGINES: &str = "crates/engines/src/";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let table = tree.text(&format!("{ENGINES}lib.rs"))?;
    let rows: Vec<(&str, &str)> =
        table.lines().filter_map(|line| line.strip_prefix("//! | `")?.split_once("` | ")).collect();
    let mut findings = Vec::new();
    let mut find = |place: &str, sentence: &str| findings.push(Finding::new("engines", place, sentence));
    let mut named = BTreeSet::new();
    for (port, engines) in &rows {
        if !promises::ports(tree).contains(port) {
            find(port, "is in the table of engines, and is no port");
        }
        for word in engines.split(['[', ']', '`']).filter(|word| word.contains("::")) {
            match word.strip_prefix("klatch_ports::") {
                Some(path) => {
                    if tree.get(&format!("crates/ports/src/{}.rs", path.replace("::", "/"))).is_none() {
                        find(word, "is in the table of engines, and there is no such file");
                    }
                }
                None => drop(named.insert(word.replace("::", "/"))),
            }
        }
    }
    for port in promises::ports(tree).iter().filter(|port| !rows.iter().any(|(row, _)| row == *port)) {
        find(port, "has no row in the table of engines");
    }
    let files: BTreeSet<String> =
        tree.all(ENGINES, ".rs").filter_map(|(path, _)| engine(&path[ENGINES.len()..])).collect();
    for file in files.difference(&named) {
        find(file, "is an engine that the table does not name");
    }
    for name in named.difference(&files) {
        find(name, "is in the table of engines, and there is no such file");
    }
    for file in files.intersection(&named) {
        let port = file.split('/').next().unwrap_or_default();
        if !promises::is_run(tree, &format!("{ENGINES}{file}"), port) {
            find(file, &format!("does not run `{port}_contract!`"));
        }
    }
    Ok(findings)
}

/// `port/engine` of a file that is one, such as `event_log/fjall.rs`.
fn engine(path: &str) -> Option<String> {
    let (port, file) = path.split_once('/')?;
    let engine = file.strip_suffix(".rs")?;
    (port != "drivers" && engine != "mod" && !engine.contains('/')).then(|| format!("{port}/{engine}"))
}
