//! Numbered promises on the traits of ports, and the contract tests that attack them: each has the other.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::tree::Tree;

const PORTS: &str = "crates/ports/src/";

/// Every port: the folders beside the traits.
pub fn ports(tree: &Tree) -> BTreeSet<&str> {
    tree.all(PORTS, "/mod.rs").filter_map(|(path, _)| path[PORTS.len()..].split('/').next()).collect()
}

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut letters: BTreeMap<char, &str> = BTreeMap::new();
    for port in ports(tree) {
        let promises = promises(tree.text(&format!("{PORTS}{port}/mod.rs"))?);
        let mut find = |sentence: String| findings.push(Finding::new("promises", port, sentence));
        let letter = promises.first().and_then(|first| first.chars().next());
        let Some(letter) = letter else {
            find("the trait makes no numbered promise, such as `- **L1** …`".to_owned());
            continue;
        };
        if let Some(other) = letters.insert(letter, port) {
            find(format!("the promises of {other} begin with {letter} too"));
        }
        for (at, promise) in promises.iter().enumerate() {
            if *promise != format!("{letter}{}", at + 1) {
                find(format!("promise {promise} is out of order; {letter}{} was next", at + 1));
            }
        }
        let (tests, listed) = tests(tree, port);
        for promise in promises.iter().filter(|promise| !tests.keys().any(|test| proves(test, promise))) {
            find(format!("no contract test `{}_…` attacks promise {promise}", promise.to_lowercase()));
        }
        for (test, path) in &tests {
            if !promises.iter().any(|promise| proves(test, promise)) {
                find(format!("{path}: `{test}` attacks no numbered promise"));
            }
            if !listed.contains(test) {
                find(format!("{path}: `{test}` is not in the list of `{port}_contract!`"));
            }
        }
        if !is_run(tree, &format!("{PORTS}{port}/memory"), port) {
            find(format!("the engine in memory does not run `{port}_contract!`"));
        }
    }
    Ok(findings)
}

/// Whether a file of this path, or one in the folder of that name, runs a port's contract.
pub fn is_run(tree: &Tree, path: &str, port: &str) -> bool {
    let call = format!("{port}_contract!(");
    let files = tree.all(path, ".rs").filter(|(file, _)| file[path.len()..].starts_with(['.', '/']));
    files.into_iter().any(|(_, text)| text.contains(&call))
}

/// The numbers in lines such as `/// - **L1** An append …`.
fn promises(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("/// - **")?.split_once("** ")).map(|(n, _)| n).collect()
}

/// The contract tests of a port, each with its file; and the names that its macro lists.
fn tests<'a>(tree: &'a Tree, port: &str) -> (BTreeMap<&'a str, &'a str>, BTreeSet<&'a str>) {
    let (mut tests, mut listed) = (BTreeMap::new(), BTreeSet::new());
    let prefix = format!("{PORTS}{port}/contract");
    let files: Vec<_> = tree.all("", ".rs").filter(|(path, _)| path.starts_with(&prefix)).collect();
    for (path, text) in files {
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                tests.insert(rest.split(['(', '<']).next().unwrap_or(rest), path);
            } else if let Some(name) = line.strip_suffix(',') {
                listed.insert(name);
            }
        }
    }
    (tests, listed)
}

fn proves(test: &str, promise: &str) -> bool {
    test.strip_prefix(&*promise.to_lowercase()).is_some_and(|rest| rest.starts_with('_'))
}
