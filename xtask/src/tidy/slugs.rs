//! Slugs and their pages: each has the other, and the list of all names status and title as the code does.

use klatch_protocol::objects::Slug;

use super::Finding;
use crate::tree::Tree;

const PAGES: &str = "docs/problems/";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut find = |place: &str, sentence: String| findings.push(Finding::new("slugs", place, sentence));
    let list = tree.text("docs/problems/README.md")?;
    for slug in Slug::ALL {
        let (name, status, title) = (slug.as_str(), slug.status(), slug.title());
        let heading = format!("# {title} (`{name}`, {status})");
        match tree.get(&format!("{PAGES}{name}.md")) {
            Some(page) if page.starts_with(&heading) => {}
            Some(_) => find(name, format!("the page {PAGES}{name}.md does not begin with `{heading}`")),
            None => find(name, format!("there is no page {PAGES}{name}.md")),
        }
        let row = format!("| [`{name}`]({name}.md) | {status} | {title} |");
        if !list.contains(&row) {
            find(name, format!("{PAGES}README.md has no line `{row}`"));
        }
    }
    for (path, _) in tree.all(PAGES, ".md").filter(|(path, _)| !path.ends_with("/README.md")) {
        let name = path.trim_start_matches(PAGES).trim_end_matches(".md");
        if Slug::parse(name).is_none() {
            find(name, "is a page for a slug that does not exist".to_owned());
        }
    }
    Ok(findings)
}
