//! The rules that are part of the program. The folder says the instrument, the file the first day
//! of the version that it follows.

macro_rules! rule_files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../rules/", $path)))),*]
    };
}

/// From this day on the rules permit something (`rules/nl/rulebook`).
pub(super) const FIRST_DAY: &str = "2026-09-29";

/// Every file of rules: its name and its text.
pub(super) const FILES: &[(&str, &str)] = rule_files![
    "nl/advies/2026-09-29.cedar",
    "nl/ai-act/2025-02-02.cedar",
    "nl/ai-act/2026-08-02.cedar",
    "nl/ai-act/2027-12-02.cedar",
    "nl/ap/2018-05-25.cedar",
    "nl/archiefwet/2024-06-19.cedar",
    "nl/avg/2018-05-25.cedar",
    "nl/avg/2018-05-25.duties.cedar",
    "nl/awb/2026-07-01.cedar",
    "nl/bgfo/2026-09-29.cedar",
    "nl/bki/2024-04-01.cedar",
    "nl/bw6/2026-07-16.cedar",
    "nl/bw7/2026-07-01.cedar",
    "nl/code-penal/2026-04-02.cedar",
    "nl/evrm/2026-09-01.cedar",
    "nl/gb/2026-09-29.cedar",
    "nl/geheim/2026-09-29.cedar",
    "nl/ombudsman/2014-11-27.cedar",
    "nl/pci/2026-09-29.cedar",
    "nl/rechtspraak/2014-04-18.cedar",
    "nl/rulebook/2026-09-29.cedar",
    "nl/rv/2026-07-14.cedar",
    "nl/sr/2026-07-01.cedar",
    "nl/stgb/2022-03-26.cedar",
    "nl/strafwetboek-be/2026-04-08.cedar",
    "nl/tw/2026-08-15.cedar",
    "nl/uavg/2026-09-01.cedar",
    "nl/wbk/2023-02-18.cedar",
    "nl/woo/2026-08-15.cedar",
    "nl/wor/2023-02-18.cedar",
    "nl/wpg/2025-07-01.cedar",
];

#[cfg(test)]
mod tests {
    use super::FILES;
    use std::path::Path;

    /// Every `.cedar` file under `folder`, as a path from there.
    fn files_under(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_under(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.push(name.replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_of_rules_is_part_of_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut found = Vec::new();
        files_under(&root, &root, &mut found);
        found.sort();
        let known: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, known);
    }

    #[test]
    fn what_permits_starts_on_the_first_day() {
        let permitting: Vec<_> = FILES
            .iter()
            .filter(|(_, text)| text.contains("@kind(\"permit\")"))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(
            permitting,
            [format!("nl/rulebook/{}.cedar", super::FIRST_DAY)]
        );
    }

    #[test]
    fn a_file_is_named_after_the_day_from_which_its_rules_are_valid() {
        for (name, text) in FILES {
            let file = name.rsplit('/').next().unwrap();
            let day = file.split('.').next().unwrap();
            let dates = text.matches("@valid_from(").count();
            let same = text.matches(&format!("@valid_from(\"{day}\")")).count();
            assert!(dates > 0 && dates == same, "{name}");
        }
    }
}
