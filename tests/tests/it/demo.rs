//! The demo, as the README promises it.

use crate::support::{now, voicelog};
use std::time::Duration;

#[test]
fn the_demo_holds_in_both_languages_in_under_a_minute_and_leaves_a_bundle_that_verifies() {
    for lang in ["nl", "en"] {
        let folder = tempfile::tempdir().unwrap();
        let keep = folder.path().join("kept");
        let keep = keep.to_str().unwrap();
        let begun = now();
        let output = voicelog(&["demo", "--once", "--lang", lang, "--keep", keep]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert!(
            !said.contains('\u{1b}'),
            "colours belong on a terminal only"
        );
        let sentence = match lang {
            "nl" => "geen toestemming (§ 201 StGB)",
            _ => "no consent (§ 201 StGB)",
        };
        assert!(said.contains(sentence), "{said}");

        let bundle = format!("{keep}/bundle.zip");
        let verified = voicelog(&[
            "verify",
            &bundle,
            "--log-key",
            &format!("{keep}/data/log.vkey"),
        ]);
        assert_eq!(verified.status.code(), Some(0));
        let data = format!("{keep}/data");
        let checked = voicelog(&["check", "--level", "hash", "--data", &data]);
        assert_eq!(
            checked.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&checked.stdout)
        );
    }
}
