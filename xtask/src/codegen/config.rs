//! The configuration: its JSON Schema, and an example in which every key stands with its text and its default.

use std::fmt::Write as _;

use anyhow::Context;
use klatch_node::config::Config;
use serde_json::{Map, Value};

const HEAD: &str = "\
# Every key of a Klatch node, with its default. None of them needs to be given: copy what you want to change.
# The environment goes over the file (KLATCH_HTTP__LISTEN is `listen` in the section `http`), and flags over both.
# Generated from crates/node/src/config; do not edit.
";

/// The schema.
pub fn schema() -> anyhow::Result<Value> {
    Ok(serde_json::to_value(schemars::schema_for!(Config))?)
}

/// The example: keys in the order of their declaration, those without a default after the others.
pub fn example() -> anyhow::Result<String> {
    let schema = schema()?;
    let defaults = toml::to_string(&Config::default()).context("the default configuration can be written down")?;
    let mut text = HEAD.to_owned();
    let mut place = &schema;
    let mut left = properties(place)?.clone();
    for line in defaults.lines().filter(|line| !line.is_empty()) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            without_default(&mut text, &left)?;
            let property = &schema["properties"][section];
            place = resolve(&schema, property);
            left = properties(place)?.clone();
            writeln!(text, "\n# {}\n{line}", described(property, place)?)?;
        } else {
            let (key, _) = line.split_once(" = ").context("every key with a default is on one line")?;
            let property = left.remove(key).with_context(|| format!("{key} is in the schema"))?;
            comment(&mut text, &schema, &property)?;
            writeln!(text, "{line}")?;
        }
    }
    without_default(&mut text, &left)?;
    Ok(text)
}

/// What is left of a section: keys that have no default. Sections come by themselves.
fn without_default(text: &mut String, left: &Map<String, Value>) -> anyhow::Result<()> {
    for (key, property) in left.iter().filter(|(_, property)| property.get("type").is_some()) {
        comment(text, &Value::Null, property)?;
        writeln!(text, "# {key} = \"…\"")?;
    }
    Ok(())
}

/// The text of one key.
fn comment(text: &mut String, schema: &Value, property: &Value) -> anyhow::Result<()> {
    let inner = resolve(schema, property);
    writeln!(text, "\n# {}", described(property, inner)?)?;
    let choices = choices(inner);
    if !choices.is_empty() {
        writeln!(text, "# One of {}.", choices.join(", "))?;
    }
    Ok(())
}

fn properties(schema: &Value) -> anyhow::Result<&Map<String, Value>> {
    schema["properties"].as_object().context("a section has properties")
}

/// What a property is, wherever it is described.
fn resolve<'a>(schema: &'a Value, property: &'a Value) -> &'a Value {
    let link = property["$ref"].as_str().or_else(|| property["allOf"][0]["$ref"].as_str());
    match link.and_then(|link| link.strip_prefix('#')) {
        Some(pointer) => schema.pointer(pointer).unwrap_or(property),
        None => property,
    }
}

/// The doc comment, which is the documentation.
fn described(property: &Value, inner: &Value) -> anyhow::Result<String> {
    let text = property["description"].as_str().or_else(|| inner["description"].as_str());
    Ok(text.context("every key has a doc comment")?.replace('\n', " "))
}

/// The names of a closed list.
fn choices(schema: &Value) -> Vec<String> {
    let variants = schema["oneOf"].as_array().into_iter().flatten().map(|variant| &variant["const"]);
    let plain = schema["enum"].as_array().into_iter().flatten();
    variants.chain(plain).filter_map(Value::as_str).map(|name| format!("{name:?}")).collect()
}

#[test]
fn the_example_is_the_default_configuration() {
    let example = crate::tree::Tree::root().join("api/config.example.toml");
    let config = klatch_node::config::load(Some(&example), std::iter::empty()).expect("the example can be read");
    assert_eq!(config, Config::default());
}
