//! The protocol's types for the web client: the schemas of both documents, as TypeScript. Only the part of JSON Schema that they
//! use is known here; anything else stops the generation.

use std::fmt::Write as _;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

const HEAD: &str = "\
// What crosses the wire, as the server's own types say. What may be left out is never null; what may be null is never left out.
// Generated from crates/protocol by `make codegen`; do not edit.
";

/// All types, by name. Pages of lists are generic on the other side.
pub fn types(rest: &Value, gateway: &Value) -> anyhow::Result<String> {
    let rest = rest["components"]["schemas"].as_object().context("the REST document has schemas")?;
    let gateway = gateway["$defs"].as_object().context("the gateway's schema has definitions")?;
    let mut all: Vec<_> = rest.iter().chain(gateway.iter().filter(|(name, _)| !rest.contains_key(*name))).collect();
    all.retain(|(name, _)| !name.starts_with("Page_"));
    all.sort_by_key(|(name, _)| *name);
    let mut text = HEAD.to_owned();
    for (name, schema) in all {
        text.push('\n');
        doc(&mut text, 0, schema)?;
        writeln!(text, "export type {name} = {};", written(schema, 0).with_context(|| name.clone())?)?;
    }
    Ok(text)
}

/// A schema as a type.
fn written(schema: &Value, depth: usize) -> anyhow::Result<String> {
    let each = |list: &Value, between: &str| -> anyhow::Result<String> {
        let list = list.as_array().context("a list of schemas")?;
        let list: Vec<String> = list.iter().map(|one| written(one, depth)).collect::<Result<_, _>>()?;
        Ok(list.join(between))
    };
    if let Some(link) = schema["$ref"].as_str() {
        return Ok(link.rsplit('/').next().unwrap_or(link).to_owned());
    }
    if let Some(names) = schema["enum"].as_array() {
        let names: Vec<String> = names.iter().filter_map(Value::as_str).map(|name| format!("'{name}'")).collect();
        return Ok(names.join(" | "));
    }
    if schema.get("oneOf").is_some() {
        return each(&schema["oneOf"], " | ");
    }
    if schema.get("allOf").is_some() {
        return each(&schema["allOf"], " & ");
    }
    match &schema["type"] {
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).map(|kind| plain(kind, schema, depth));
            Ok(kinds.collect::<anyhow::Result<Vec<_>>>()?.join(" | "))
        }
        Value::String(kind) => plain(kind, schema, depth),
        _ => bail!("a schema that is not understood: {schema}"),
    }
}

fn plain(kind: &str, schema: &Value, depth: usize) -> anyhow::Result<String> {
    Ok(match kind {
        "string" | "boolean" | "null" => kind.to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => {
            let item = written(&schema["items"], depth)?;
            if item.contains(' ') { format!("({item})[]") } else { format!("{item}[]") }
        }
        "object" => match (schema.get("additionalProperties"), schema["properties"].as_object()) {
            (Some(values), _) => format!("Record<string, {}>", written(values, depth)?),
            (None, Some(properties)) => object(properties, &schema["required"], depth)?,
            (None, None) => bail!("an object without properties: {schema}"),
        },
        other => bail!("the type `{other}`"),
    })
}

fn object(properties: &Map<String, Value>, required: &Value, depth: usize) -> anyhow::Result<String> {
    let mut text = "{\n".to_owned();
    let mut properties: Vec<_> = properties.iter().collect();
    properties.sort_by_key(|(name, _)| *name);
    for (name, property) in properties {
        let is_required = required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
        let kind = written(property, depth + 1).with_context(|| name.clone())?;
        doc(&mut text, depth + 1, property)?;
        let indent = "  ".repeat(depth + 1);
        if is_required {
            writeln!(text, "{indent}{name}: {kind};")?;
        } else {
            writeln!(text, "{indent}{name}?: {};", kind.replace(" | null", ""))?;
        }
    }
    write!(text, "{}}}", "  ".repeat(depth))?;
    Ok(text)
}

/// The description, which stands beside the link where a field may be null.
fn doc(text: &mut String, depth: usize, schema: &Value) -> anyhow::Result<()> {
    let inner = schema["oneOf"].as_array().filter(|choices| choices.len() == 2).map(|choices| &choices[0]);
    let description = schema["description"].as_str().or_else(|| inner?["description"].as_str());
    if let Some(description) = description {
        writeln!(text, "{}/** {} */", "  ".repeat(depth), description.replace('\n', " "))?;
    }
    Ok(())
}
