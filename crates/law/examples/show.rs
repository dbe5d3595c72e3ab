use voicelog_law::*;
use voicelog_model::*;
fn main() {
    let at: Timestamp = "2026-11-21T10:02:00Z".parse().unwrap();
    let t = std::time::Instant::now();
    let b = Rulebook::embedded(at).unwrap();
    println!(
        "load {:?} rules {} {} {}",
        t.elapsed(),
        b.rules().count(),
        b.valid_from(),
        b.hash()
    );
    for p in std::env::args().skip(1) {
        let v: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&p).unwrap()).unwrap();
        let f = Facts::parse(v["facts"].to_string().as_bytes(), at).unwrap();
        let t = std::time::Instant::now();
        for _ in 0..9 {
            let _d = decide_without_unknown(&b, &f, at);
        }
        let _d = decide_without_unknown(&b, &f, at);
        let a = t.elapsed() / 10;
        let t = std::time::Instant::now();
        let d2 = decide(&b, &f, at);
        println!(
            "{p} {} {:?} {:?} {:?}",
            d2.outcome,
            a,
            t.elapsed(),
            d2.unknown
        );
    }
}
