//! How long files are: at most 400 lines, tests and what is generated apart. An exception names a step of 50, which the file may not pass either.

use super::Finding;
use crate::codegen::TYPESCRIPT;
use crate::tree::Tree;

const LINES_MAX: usize = 400;
const ENDINGS: [&str; 6] = [".rs", ".ts", ".tsx", ".css", ".js", ".py"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let sources = ENDINGS
        .iter()
        .flat_map(|ending| tree.all("", ending))
        .filter(|(path, _)| !is_test(path) && !is_generated(path));
    let long = sources.map(|(path, text)| (path, lines(text))).filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| {
        let step = lines.next_multiple_of(50);
        let sentence = format!("{lines} lines without tests; past {LINES_MAX} a file wants splitting");
        Finding::new("lines", format!("{path}<={step}"), sentence)
    })
    .collect()
}

/// Nobody sits down to read it.
fn is_generated(path: &str) -> bool {
    path == TYPESCRIPT
}

fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_named = name == "tests.rs" || name == "contract.rs" || name == "histories.rs" || name.contains(".test.");
    is_named
        || ["tests/", "test/", "e2e/"]
            .iter()
            .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
}

/// Lines up to the test module at the end of a file, if there is one.
fn lines(text: &str) -> usize {
    let end = text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().count()
}
