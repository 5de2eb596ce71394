//! `tidy.allow`: what is knowingly left as it is. One exception a line: the check, the place, and after a colon the reason.

use anyhow::bail;

use super::Finding;
use crate::tree::Tree;

const FILE: &str = "tidy.allow";

/// What remains when exceptions are taken away; exceptions that nothing needs any more are findings too.
pub fn filter(tree: &Tree, findings: Vec<Finding>) -> anyhow::Result<Vec<String>> {
    let mut allowed = Vec::new();
    for line in tree.text(FILE)?.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(": ").and_then(|(what, reason)| Some((what.split_once(' ')?, reason))) {
            Some(((check, place), reason)) if !reason.trim().is_empty() => allowed.push((check, place)),
            _ => bail!("{FILE}: `{line}` is not `check place: reason`"),
        }
    }
    let is_needed = |(check, place): &(&str, &str)| findings.iter().any(|f| f.check == *check && f.place == *place);
    let stale: Vec<_> = allowed.iter().filter(|exception| !is_needed(exception)).collect();
    let stale: Vec<String> =
        stale.into_iter().map(|(check, place)| format!("{FILE}: `{check} {place}` is no longer needed")).collect();
    let left = findings.iter().filter(|finding| !allowed.contains(&(finding.check, &*finding.place)));
    let left = left.map(|Finding { check, place, sentence }| format!("{check} {place}: {sentence}"));
    Ok(left.chain(stale).collect())
}
