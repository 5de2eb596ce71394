//! The pages of the protocol against the shapes in the code: every frame, command, event and field, every close code, and every
//! endpoint with its parameters stands in `docs/protocol/gateway.md` or `docs/protocol/rest.md`.

use std::collections::BTreeSet;

use anyhow::Context;
use klatch_protocol::objects::Slug;
use serde_json::Value;

use super::Finding;
use crate::tree::Tree;

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let pages = [tree.text("docs/protocol/gateway.md")?, tree.text("docs/protocol/rest.md")?];
    let words: BTreeSet<&str> = pages.iter().flat_map(|page| page.split(|c: char| !is_word(c))).collect();
    let mut names = BTreeSet::new();
    let gateway: Value = serde_json::from_str(tree.text("api/gateway.schema.json")?)?;
    gather(&gateway["$defs"], &mut names);
    let rest: Value = serde_json::from_str(tree.text("api/openapi.json")?)?;
    gather(&rest["components"]["schemas"], &mut names);
    let mut findings = Vec::new();
    let operations = rest["paths"].as_object().context("there are endpoints")?;
    for (path, operation) in operations.iter().flat_map(|(path, item)| item.as_object().map(|all| (path, all))) {
        for (method, operation) in operation {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            names.extend(parameters.filter_map(|parameter| parameter["name"].as_str()));
            let endpoint = format!("`{} {}", method.to_uppercase(), path.trim_start_matches("/api/v1"));
            if !pages[1].contains(&endpoint) {
                let sentence = format!("docs/protocol/rest.md has no {endpoint}`");
                findings.push(Finding::new("protocol", path, sentence));
            }
        }
    }
    let missing = names.into_iter().filter(|name| !words.contains(name));
    findings.extend(missing.map(|name| Finding::new("protocol", name, "no page of docs/protocol mentions it")));
    findings.extend(close_codes(tree, pages[0])?);
    Ok(findings)
}

/// `Self::Slow => 4001,` in the code is `| 4001 | `slow` |` on the page.
fn close_codes(tree: &Tree, page: &str) -> anyhow::Result<Vec<Finding>> {
    let source = tree.text("crates/protocol/src/gateway/close.rs")?;
    let number = |line: &str| {
        let (name, number) = line.trim().strip_prefix("Self::")?.strip_suffix(',')?.split_once(" => ")?;
        number.parse::<u16>().ok().map(|number| (name.to_owned(), number))
    };
    let numbers: Vec<_> = source.lines().filter_map(number).collect();
    let slug = |name: &str| Slug::ALL.iter().find(|slug| format!("{slug:?}") == name).map(|slug| slug.as_str());
    let is_missing = |(name, number): &&(String, u16)| {
        let slug = slug(name).unwrap_or_default();
        !page.contains(&format!("| {number} | `{slug}` |"))
    };
    let missing = numbers.iter().filter(is_missing);
    Ok(missing
        .map(|(name, number)| Finding::new("protocol", name, format!("gateway.md has no close code {number}")))
        .collect())
}

/// The names of all fields, and the words with which variants are told apart.
fn gather<'a>(schema: &'a Value, names: &mut BTreeSet<&'a str>) {
    match schema {
        Value::Object(fields) => {
            for (name, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
                names.insert(name);
                if name == "type" || name == "kind" {
                    names.extend(property["enum"].as_array().into_iter().flatten().filter_map(Value::as_str));
                }
            }
            fields.values().for_each(|value| gather(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, names)),
        _ => {}
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
