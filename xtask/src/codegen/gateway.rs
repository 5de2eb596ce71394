//! The frames of the gateway as one JSON Schema, from the same derivations as the OpenAPI document.

use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The schema: `$defs` holds `ClientFrame`, `ServerFrame` and everything that they are made of.
pub fn schema() -> anyhow::Result<Value> {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    ClientFrame::schemas(&mut schemas);
    ServerFrame::schemas(&mut schemas);
    schemas.push((ClientFrame::name().into_owned(), ClientFrame::schema()));
    schemas.push((ServerFrame::name().into_owned(), ServerFrame::schema()));
    let mut defs = Map::new();
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, schema) in schemas {
        defs.insert(name, serde_json::to_value(schema)?);
    }
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frames of the Klatch gateway",
        "description": "JSON text over one WebSocket, one object a frame. docs/protocol/gateway.md says what they mean. \
                        Unknown fields are to be ignored, and so are frames of an unknown `type` from the server.",
        "oneOf": [{"$ref": "#/$defs/ClientFrame"}, {"$ref": "#/$defs/ServerFrame"}],
        "$defs": defs,
    });
    relink(&mut document);
    Ok(document)
}

/// From where OpenAPI keeps schemas to where JSON Schema does.
fn relink(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(link)) = fields.get_mut("$ref") {
                *link = link.replace("#/components/schemas/", "#/$defs/");
            }
            fields.values_mut().for_each(relink);
        }
        Value::Array(items) => items.iter_mut().for_each(relink),
        _ => {}
    }
}
