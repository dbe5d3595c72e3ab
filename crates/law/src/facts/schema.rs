//! The JSON Schema of a facts file, made from the table that the parser reads.

use super::countries::COUNTRIES;
use super::name;
use super::table::{Definition, Effect, Field, Missing, Shape, definitions, words};
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of a facts file. What it cannot say, the combinations that
/// contradict themselves, the parser checks.
#[must_use]
pub fn facts_schema() -> Value {
    let properties: Map<String, Value> = definitions()
        .map(|row| (row.name.to_owned(), property(row)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "voicelog facts",
        "description": "What is known about one conversation and one act. A missing key is the only way to say: not known.",
        "type": "object",
        "required": [name::REQUESTED_ACTION],
        "additionalProperties": false,
        "properties": properties,
    })
}

fn property(row: &Definition) -> Value {
    let mut schema = shape(row.shape);
    if let Value::Object(map) = &mut schema {
        map.insert(
            "title".to_owned(),
            json!(format!("{} ({})", row.name, row.row)),
        );
        map.insert("description".to_owned(), json!(row.meaning.en));
        map.insert("x-description-nl".to_owned(), json!(row.meaning.nl));
        let missing: Vec<_> = row.missing.iter().map(missing_schema).collect();
        map.insert("x-if-missing".to_owned(), json!(missing));
        let default = row.default_value();
        if let Some(value) = default.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            map.insert("default".to_owned(), value);
        }
    }
    schema
}

fn missing_schema(missing: &Missing) -> Value {
    let mut map = Map::new();
    map.insert("effect".to_owned(), json!(missing.effect.letter()));
    if let Effect::Take(value) = missing.effect {
        map.insert("value".to_owned(), json!(value));
    }
    if !missing.when.en.is_empty() {
        map.insert("when".to_owned(), json!(missing.when.en));
        map.insert("when-nl".to_owned(), json!(missing.when.nl));
    }
    Value::Object(map)
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Word(known) => json!({ "type": "string", "enum": known }),
        Shape::Words(known, least) => set(&json!({ "type": "string", "enum": known }), least, None),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Shape::Share => {
            json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 })
        }
        Shape::Text | Shape::Reference => text(),
        Shape::Address => json!({ "type": "string", "pattern": "^(none$|https?://)" }),
        Shape::Moment | Shape::PastMoment => json!({ "type": "string", "format": "date-time" }),
        Shape::Day => json!({ "type": "string", "format": "date" }),
        Shape::Term => json!({
            "type": "string",
            "pattern": "^(unlimited|P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?)$"
        }),
        Shape::Country => json!({ "type": "string", "enum": COUNTRIES }),
        Shape::Countries => {
            let mut codes = COUNTRIES.to_vec();
            codes.push("ZZ");
            set(&json!({ "type": "string", "enum": codes }), 1, None)
        }
        Shape::LanguageTag => json!({
            "type": "string",
            "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
        }),
        Shape::Consents => {
            let roles = words::COUNTERPARTS.join("|");
            json!({
                "type": "object",
                "propertyNames": { "pattern": format!("^(p[1-9][0-9]{{0,3}}|{roles})$") },
                "additionalProperties": { "type": "string", "enum": words::CONSENTS },
            })
        }
        Shape::Texts => json!({ "type": "array", "items": text() }),
        Shape::Names(most) => set(&text(), 0, Some(most)),
        Shape::Object(fields) => object(fields),
    }
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1, "not": { "enum": ["?", "unknown"] } })
}

fn set(items: &Value, least: usize, most: Option<usize>) -> Value {
    let mut schema = json!({
        "type": "array", "items": items, "uniqueItems": true, "minItems": least,
    });
    if let (Some(most), Value::Object(map)) = (most, &mut schema) {
        map.insert("maxItems".to_owned(), json!(most));
    }
    schema
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), shape(field.shape)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}
