//! What is generated from the code, committed, and compared by every test run: so that it cannot drift.

mod config;
mod gateway;
mod typescript;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// The protocol's types, where the web client needs them.
pub const TYPESCRIPT: &str = "web/packages/client/src/protocol/wire.ts";

/// Each file with its content.
fn files() -> anyhow::Result<[(&'static str, String); 5]> {
    let (rest, gateway) = (klatch_server::api::document(), gateway::schema()?);
    Ok([
        ("api/openapi.json", json(&rest)?),
        ("api/gateway.schema.json", json(&gateway)?),
        ("api/config.schema.json", json(&config::schema()?)?),
        ("api/config.example.toml", config::example()?),
        (TYPESCRIPT, typescript::types(&rest, &gateway)?),
    ])
}

/// Writes all of them.
pub fn write(root: &Path) -> anyhow::Result<()> {
    for (path, content) in files()? {
        std::fs::write(root.join(path), content).with_context(|| path.to_owned())?;
    }
    Ok(())
}

/// Those that are not as they would be written now.
pub fn stale(root: &Path) -> anyhow::Result<Vec<&'static str>> {
    let is_stale =
        |path: &str, content: &str| std::fs::read_to_string(root.join(path)).ok().as_deref() != Some(content);
    Ok(files()?.into_iter().filter(|(path, content)| is_stale(path, content)).map(|(path, _)| path).collect())
}

/// Fields in the order of their names, whatever features a build of the whole workspace switches on in `serde_json`.
fn json(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&sorted(value))? + "\n")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().collect();
            Value::Object(fields.into_iter().map(|(name, field)| (name.clone(), sorted(field))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
