//! Decisions: numbered without holes, one page each, with what led to them and what would undo them.

use super::Finding;
use crate::tree::Tree;

const FOLDER: &str = "docs/decisions/";
const PARTS: [&str; 3] = ["**Context.**", "**Decision.**", "**What would change our mind.**"];
const LINES_MAX: usize = 60;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pages = tree.all(FOLDER, ".md").filter(|(path, _)| !path.ends_with("/README.md"));
    for (at, (path, text)) in pages.enumerate() {
        let mut find = |sentence: String| findings.push(Finding::new("decisions", path, sentence));
        let number = format!("{:04}-", at + 1);
        if !path[FOLDER.len()..].starts_with(&number) {
            find(format!("is out of order; {number} was next"));
        }
        for part in PARTS.iter().filter(|part| !text.contains(*part)) {
            find(format!("has no part `{part}`"));
        }
        if text.lines().count() > LINES_MAX {
            find(format!("is more than a page: {LINES_MAX} lines"));
        }
    }
    findings
}
