//! Words that must not stand in the tree: promises to do it later, and what is true of one machine only.

use super::Finding;
use crate::tree::Tree;

/// Put together here, so that this file does not hold them.
fn forbidden() -> [(String, &'static str); 9] {
    let of = |parts: [&str; 2]| parts.concat();
    [
        (of(["TO", "DO"]), "finish it, or open an issue"),
        (of(["FIX", "ME"]), "fix it"),
        (of(["todo", "!("]), "finish it"),
        (of(["unimplemented", "!("]), "finish it"),
        (of(["/wor", "k/"]), "a path of one machine"),
        (of(["/roo", "t/"]), "a path of one machine"),
        (of(["/hom", "e/"]), "a path of one machine"),
        (of(["artifac", "tory"]), "a registry of one machine"),
        (of(["\"reso", "lved\": \"http"]), "package-lock.json says what, not where from"),
    ]
}

const SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let forbidden = forbidden();
    let mut findings = Vec::new();
    for (path, text) in tree.all("", "") {
        let mut find = |line: usize, sentence: String| {
            findings.push(Finding::new("words", path, format!("line {}: {sentence}", line + 1)));
        };
        for (at, line) in text.lines().enumerate() {
            for (word, advice) in forbidden.iter().filter(|(word, _)| line.contains(&**word)) {
                find(at, format!("`{word}`: {advice}"));
            }
            if path == "Cargo.lock" && line.starts_with("source = ") && line != SOURCE {
                find(at, "a dependency that does not come from crates.io".to_owned());
            }
        }
    }
    findings
}
