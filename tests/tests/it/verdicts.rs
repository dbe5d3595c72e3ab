//! What `voicelog verify` and `verify.html` say at last, of bundles that are frozen.

use crate::support::{voicelog, voicelog_json};
use serde_json::json;
use std::path::Path;
use std::process::Command;

#[test]
fn a_script_and_a_person_are_told_what_is_missing_and_of_what_it_is_a_copy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (name, verdict, copy, said) in [
        (
            "no-packet",
            "undeclared_gap",
            json!({ "is_whole": true, "excerpt": null, "redactions": [] }),
            "De bundel klopt, maar er ontbreekt iets zonder verklaring.",
        ),
        (
            "excerpt",
            "whole_with_declared_gaps",
            json!({
                "is_whole": false,
                "excerpt": { "start_us": 200_000, "end_us": 900_000 },
                "redactions": [],
            }),
            "Deze kopie klopt. Ook in de hele opname ontbreken stukken, en van elk stuk staat er waarom.",
        ),
        (
            "redacted",
            "whole_with_declared_gaps",
            json!({
                "is_whole": false,
                "excerpt": null,
                "redactions": [{ "streams": [1], "start_us": 500_000, "end_us": 700_000 }],
            }),
            "Deze kopie klopt. Ook in de hele opname ontbreken stukken, en van elk stuk staat er waarom.",
        ),
    ] {
        let bundle = root.join(format!(
            "crates/evidence/tests/vectors/bundle/v1/{name}.zip"
        ));
        let bundle = bundle.to_str().unwrap();
        let ours = voicelog_json(&["verify", bundle, "--json"]);
        let node = Command::new("node")
            .arg(root.join("verifier/verify.mjs"))
            .args([bundle, "--json"])
            .output()
            .expect("node (Debian: nodejs)");
        let theirs: serde_json::Value = serde_json::from_slice(&node.stdout).unwrap();
        for told in [&ours, &theirs] {
            assert_eq!(told["verdict"], verdict, "{name}");
            assert_eq!(told["copy"], copy, "{name}");
            assert_eq!(told["conclusion_nl"], said, "{name}");
        }
        let lines = voicelog(&["verify", bundle, "--lang", "nl"]).stdout;
        let lines = String::from_utf8(lines).unwrap();
        assert_eq!(lines.lines().last(), Some(said), "{name}");
    }
}
