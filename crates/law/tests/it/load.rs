use voicelog_law::Rulebook;

#[test]
fn the_rulebook_loads() {
    let book = Rulebook::embedded("2026-11-21T10:00:00Z".parse().unwrap());
    if let Err(error) = &book {
        panic!("{error}");
    }
}
