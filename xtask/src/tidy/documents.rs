//! What documents and comments say about the tree: every path that they mention exists, every crate is in `ARCHITECTURE.md`,
//! and every limit of the core is in `docs/protocol/limits.md`.

use super::Finding;
use crate::tree::Tree;

/// What a path begins with that is meant from the root of the repository.
const TOPS: [&str; 10] =
    ["api/", "bench/", "crates/", "deploy/", "docs/", "scripts/", "tests/", "web/", "xtask/", ".github/"];

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (path, text) in tree.all("", ".md") {
        for mentioned in links(text).filter_map(|link| target(path, link)).chain(paths(text)) {
            if !exists(tree, &mentioned) {
                findings.push(Finding::new("paths", path, format!("mentions `{mentioned}`, which is not there")));
            }
        }
    }
    for (path, text) in [".rs", ".ts", ".tsx"].iter().flat_map(|ending| tree.all("", ending)) {
        let comments = text.lines().map(str::trim).filter(|line| line.starts_with("//"));
        for mentioned in comments.flat_map(paths).filter(|mentioned| !exists(tree, mentioned)) {
            findings.push(Finding::new("paths", path, format!("mentions `{mentioned}`, which is not there")));
        }
    }
    let architecture = tree.text("ARCHITECTURE.md")?;
    let manifests = tree.all("", "/Cargo.toml").map(|(path, _)| path.trim_end_matches("/Cargo.toml"));
    for folder in manifests.filter(|folder| !architecture.contains(&format!("`{folder}`"))) {
        findings.push(Finding::new("crates", folder, "ARCHITECTURE.md does not mention this crate"));
    }
    let limits = tree.text("docs/protocol/limits.md")?;
    let source = tree.text("crates/core/src/limits.rs")?;
    let names = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    for name in names.filter(|name| !limits.contains(&format!("`{name}`"))) {
        findings.push(Finding::new("limits", name, "docs/protocol/limits.md does not name this limit"));
    }
    Ok(findings)
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next())
}

/// A link as a path from the root; `None` for what is elsewhere: the web, or an address of a running site.
fn target(from: &str, link: &str) -> Option<String> {
    if link.is_empty() || link.contains(':') || link.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What stands between back-quotes and looks like a path from the root.
fn paths(text: &str) -> impl Iterator<Item = String> {
    let spans = text.split('`').skip(1).step_by(2);
    let is_path = |span: &&str| {
        TOPS.iter().any(|top| span.starts_with(top))
            && !span.contains(['*', '<', '…', ' ', '\n', '$'])
            && !span.contains("NNNN")
    };
    spans.filter(is_path).flat_map(|span| expand(span.trim_end_matches('/')))
}

/// `a/{b,c}` as `a/b` and `a/c`.
fn expand(span: &str) -> Vec<String> {
    let Some((before, (inside, after))) = span.split_once('{').and_then(|(b, rest)| Some((b, rest.split_once('}')?)))
    else {
        return vec![span.to_owned()];
    };
    inside.split(',').flat_map(|one| expand(&format!("{before}{}{after}", one.trim()))).collect()
}

/// Whether it is there, as a file or a folder.
fn exists(tree: &Tree, path: &str) -> bool {
    // What is built is not in the tree, and need not be there.
    path.split('/').any(|part| part == "dist" || part == "node_modules") || tree.has(path)
}
