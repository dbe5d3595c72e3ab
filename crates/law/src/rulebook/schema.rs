//! What the rules may speak of, as a Cedar schema made from the table of facts.
//!
//! A rule that names a fact that does not exist, or compares it with the wrong type, or reads it
//! without asking first whether it is there, does not load.

use crate::derived::{DERIVED, Of};
use crate::facts::name;
use crate::facts::table::{Definition, Shape, definitions};

/// The acts, and the groups of acts that rules name at once.
const ACTS: &str = r#"
entity Asker;
entity Conversation;
// Everything but refusing that the other side records.
action "processing";
// Making a recording.
action "making" in ["processing"];
// Every act on a recording that is there.
action "existing" in ["processing"];
// The same without destroying it.
action "handling" in ["existing"];
// Keeping it and using it oneself.
action "using" in ["handling"];
action "record", "listen_live" in ["making"] appliesTo CONVERSATION;
action "keep", "listen", "transcribe", "analyse_ai", "share", "publish", "use_for"
  in ["using"] appliesTo CONVERSATION;
action "file_in_court", "give_copy", "import_file" in ["handling"] appliesTo CONVERSATION;
action "destroy" in ["existing"] appliesTo CONVERSATION;
action "call" in ["processing"] appliesTo CONVERSATION;
action "refuse_recording" appliesTo CONVERSATION;
"#;
const CONVERSATION: &str = "{ principal: [Asker], resource: [Conversation], context: Facts }";

/// The whole schema.
pub(crate) fn text() -> String {
    let mut schema = String::from("type Facts = {\n");
    for row in definitions() {
        if let Some(kind) = type_of(row.shape) {
            let optional = if is_always_there(row) { "" } else { "?" };
            schema.push_str(&format!("  \"{}\"{optional}: {kind},\n", row.name));
        }
    }
    for derived in DERIVED {
        let kind = match derived.of {
            Of::Flag(_) => "Bool",
            Of::Word(_) => "String",
        };
        schema.push_str(&format!("  \"{}\": {kind},\n", derived.name));
    }
    schema.push_str("};\n");
    schema.push_str(&ACTS.replace("CONVERSATION", CONVERSATION));
    schema
}

/// Whether a fact has a value in every case, so that a rule need not ask for it.
fn is_always_there(row: &Definition) -> bool {
    let filled = [
        name::REQUESTED_ACTION,
        name::CONFIDENTIALITY_CLAUSE,
        name::RECORDING_STATE,
    ];
    row.default_value().is_some() || filled.contains(&row.name)
}

/// The type that rules see, or none for what they have no type for: a number below 1, and the
/// map of consents, of which they see what is derived.
fn type_of(shape: Shape) -> Option<String> {
    Some(match shape {
        Shape::Share | Shape::Consents => return None,
        Shape::Flag => "Bool".to_owned(),
        Shape::Whole(..) => "Long".to_owned(),
        Shape::Words(..) | Shape::Countries | Shape::Texts | Shape::Names(_) => {
            "Set<String>".to_owned()
        }
        Shape::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .filter_map(|field| Some(format!("\"{}\"?: {}", field.name, type_of(field.shape)?)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => "String".to_owned(),
    })
}
