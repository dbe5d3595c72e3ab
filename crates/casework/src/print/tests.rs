//! What is printed, as another program reads it (poppler).

use super::PdfPrinter;
use std::io::Write as _;
use std::process::Command;
use voicelog_evidence::sheet::{BarKind, BarPiece, Block, Printer, Sheet, Tone};
use voicelog_model::{Language, Timestamp};

const AT: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn sheet(language: Language, paragraphs: usize) -> Sheet {
    let text = |text: &str| Block::Paragraph(text.to_owned());
    let mut blocks = vec![
        Block::Title(language.pick("Verklaring", "Statement").to_owned()),
        Block::Frame {
            tone: Tone::Bad,
            title: "ONVERKLAARDE ONDERBREKING".to_owned(),
            lines: vec!["Er ontbreekt geluid.".to_owned()],
        },
        Block::Heading("Feiten".to_owned()),
        Block::Facts(vec![("Vingerafdruk".to_owned(), "ab".repeat(32))]),
        Block::Table {
            columns: vec!["stroom".to_owned(), "ontvangen".to_owned()],
            rows: vec![vec!["1".to_owned(), "3000".to_owned()]],
        },
        Block::Bar {
            name: "stroom 1".to_owned(),
            says: "stroom 1, ontvangen 3000".to_owned(),
            length: 1_000,
            pieces: [
                (0, BarKind::Media),
                (400, BarKind::Declared),
                (700, BarKind::Undeclared),
            ]
            .map(|(start, kind)| BarPiece {
                start,
                width: 300,
                kind,
            })
            .to_vec(),
        },
        Block::List(vec![
            "漢字 is niet te zetten".to_owned(),
            "€ wel".to_owned(),
        ]),
    ];
    blocks.extend(
        (0..paragraphs).map(|number| text(&format!("Alinea {number} van het stuk. ").repeat(6))),
    );
    Sheet { language, blocks }
}

fn print(paragraphs: usize) -> Vec<u8> {
    let sheets = [Language::Nl, Language::En].map(|language| sheet(language, paragraphs));
    PdfPrinter.print("voicelog 0190", AT, &sheets).unwrap()
}

/// What a program of poppler says of it.
fn poppler(program: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paper.pdf");
    std::fs::File::create(&file)
        .unwrap()
        .write_all(pdf)
        .unwrap();
    let output = Command::new(program)
        .args(arguments)
        .arg(&file)
        .args((program == "pdftotext").then_some("-"))
        .output()
        .unwrap_or_else(|error| panic!("{program} (Debian: poppler-utils): {error}"));
    assert!(output.status.success(), "{program}: {output:?}");
    // It complains of what it finds wrong, and goes on. Older ones (22.12) take it for wrong that `Suspects`
    // is a boolean, as ISO 32000-1, table 321, has it.
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = complaints
        .lines()
        .filter(|line| !line.contains("Suspects object is wrong type (boolean)"))
        .collect();
    assert!(complaints.is_empty(), "{program}: {complaints:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn another_program_reads_every_word_of_both_languages() {
    let text = poppler("pdftotext", &["-layout"], &print(3));
    for said in [
        "Verklaring",
        "Statement",
        "ONVERKLAARDE ONDERBREKING",
        "Alinea 2 van het stuk.",
        "3000",
    ] {
        assert!(text.contains(said), "{said} is missing:\n{text}");
    }
    assert!(
        text.contains("?? is niet te zetten") && text.contains("€ wel"),
        "{text}"
    );
    // Broken over two lines, and still all of it.
    let letters: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
    assert!(letters.contains(&"ab".repeat(32)), "{text}");
}

#[test]
fn a_screen_reader_finds_headings_tables_lists_and_the_words_for_the_drawing() {
    let structure = poppler("pdfinfo", &["-struct-text"], &print(1));
    for element in [
        "Sect", "H1", "H2", "Table", "TR", "TH", "TD", "Figure", "L ", "LI", "Lbl", "LBody",
    ] {
        assert!(
            structure.contains(element),
            "{element} is missing:\n{structure}"
        );
    }
    let info = poppler("pdfinfo", &[], &print(1));
    let line = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    assert_eq!(line("Title:"), "voicelog 0190");
    assert_eq!(line("Tagged:"), "yes");
    assert_eq!(line("Pages:"), "2");
    let meta = poppler("pdfinfo", &["-meta"], &print(1));
    assert!(meta.contains("pdfuaid:part"), "{meta}");
    assert!(meta.contains("pdfaid:part"), "{meta}");
}

#[test]
fn a_long_document_goes_on_over_pages_and_loses_nothing() {
    let pdf = print(90);
    let text = poppler("pdftotext", &["-layout"], &pdf);
    for number in 0..90 {
        let said = format!("Alinea {number} van");
        assert!(text.matches(&said).count() >= 2, "{said}");
    }
    let info = poppler("pdfinfo", &[], &pdf);
    let pages = info.lines().find_map(|line| line.strip_prefix("Pages:"));
    let pages: u32 = pages.unwrap().trim().parse().unwrap();
    assert!(pages > 6 && pages < 20, "{pages} pages");
}

#[test]
fn what_a_copy_of_a_part_says_of_itself_is_on_every_page_and_in_the_title() {
    let title = "voicelog 01a1fd8e-3dc0-7707-8707-070707070707 \u{2013} uittreksel 1:00:12,3 tot 1:03:40,5 van \
        1:41:07,9, 12 passages weggelaten / excerpt 1:00:12.3 to 1:03:40.5 of 1:41:07.9, 12 passages left out";
    let sheets = [Language::Nl, Language::En].map(|language| sheet(language, 30));
    let pdf = PdfPrinter.print(title, AT, &sheets).unwrap();
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let info = poppler("pdfinfo", &[], &pdf);
    assert!(
        info.contains(&format!("Title:           {title}\n")),
        "{info}"
    );
    let meta = poppler("pdfinfo", &["-meta"], &pdf);
    assert!(meta.contains(title), "{meta}");
    let pages = info.lines().find_map(|line| line.strip_prefix("Pages:"));
    let pages: u32 = pages.unwrap().trim().parse().unwrap();
    assert!(pages > 2, "{pages} pages");
    for page in 1..=pages {
        let number = page.to_string();
        let said = poppler("pdftotext", &["-f", &number, "-l", &number], &pdf);
        let foot = format!("{title} {page} / {pages}");
        assert!(one_line(said).contains(&foot), "page {page}");
    }
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    assert_eq!(print(2), print(2));
}
