//! Whether code, tests and documents still say the same. A finding is a line that says where and what; what is knowingly left
//! as it is stands in `tidy.allow`, with a reason, and that file may only shrink: an exception that nothing needs is a finding.

mod allow;
mod decisions;
mod documents;
mod engines;
mod files;
mod generated;
mod picture;
mod promises;
mod protocol;
mod slugs;
mod words;

use crate::tree::Tree;

/// A finding: what `tidy.allow` may name, and the sentence.
pub struct Finding {
    /// The check that found it.
    check: &'static str,
    /// Where.
    place: String,
    /// What is wrong.
    sentence: String,
}

impl Finding {
    fn new(check: &'static str, place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { check, place: place.into(), sentence: sentence.into() }
    }
}

/// Everything that is found and not allowed, one line each.
pub fn tidy(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    findings.extend(picture::check()?);
    findings.extend(files::check(tree));
    findings.extend(promises::check(tree)?);
    findings.extend(engines::check(tree)?);
    findings.extend(slugs::check(tree)?);
    findings.extend(protocol::check(tree)?);
    findings.extend(documents::check(tree)?);
    findings.extend(decisions::check(tree));
    findings.extend(words::check(tree));
    findings.extend(generated::check()?);
    allow::filter(tree, findings)
}

#[test]
fn the_house_is_tidy() {
    let findings = Tree::read().and_then(|tree| tidy(&tree)).expect("the repository can be read");
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
