//! A document for people as HTML.

use voicelog_evidence::sheet::{Block, Sheet, Tone};

const STYLE: &str = "body{font:1rem/1.45 system-ui,sans-serif;color:#16202b;background:#fff;margin:0 auto;\
    max-width:52rem;padding:1.5rem}h1{font-size:1.5rem}h2{font-size:1.05rem;margin:1.25rem 0 .35rem}\
    .frame{border:2px solid;border-left-width:.6rem;padding:.5rem .9rem}.good{border-color:#1b6b3a}\
    .bad{border-color:#a3150f}dl{display:grid;grid-template-columns:minmax(9rem,auto) 1fr;gap:.15rem 1rem}\
    dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}.wide{overflow-x:auto}table{border-collapse:collapse;\
    width:100%;font-size:.92rem}th,td{border:1px solid #8a949e;padding:.2rem .45rem;text-align:left;\
    overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.75rem}\
    @media(max-width:34rem){dl{grid-template-columns:1fr}}@media print{body{max-width:none;padding:0}}";
/// Around the certificates in a page.
const OPENING: &str = "<pre class=\"certificates\">";
const CLOSING: &str = "</pre>";

/// The blocks of a document, without a page around them. Everything in them is escaped.
#[must_use]
pub fn html(sheet: &Sheet) -> String {
    sheet.blocks.iter().map(block).collect()
}

/// A whole page: the document, and the certificates it rests on.
pub(super) fn page(sheet: &Sheet, certificates: &str) -> String {
    let title = sheet.blocks.first().and_then(|block| match block {
        Block::Title(title) => Some(escape(title)),
        _ => None,
    });
    let title = title.unwrap_or_default();
    let (lang, blocks) = (sheet.language.tag(), html(sheet));
    let certificates = escape(certificates);
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{blocks}{OPENING}{certificates}{CLOSING}\n</main>\n\
         </body>\n</html>\n"
    )
}

/// The certificates in such a page; none where it is no such page.
pub(super) fn certificates_in(page: &str) -> Option<String> {
    let (_, rest) = page.split_once(OPENING)?;
    let (certificates, _) = rest.split_once(CLOSING)?;
    let plain = certificates.replace("&lt;", "<").replace("&gt;", ">");
    let plain = plain.replace("&#34;", "\"").replace("&#39;", "'");
    Some(plain.replace("&amp;", "&").replace("\r\n", "\n"))
}

fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let escaped = escaped.replace('>', "&gt;").replace('"', "&#34;");
    escaped.replace('\'', "&#39;")
}

fn all<T>(items: &[T], each: impl Fn(&T) -> String) -> String {
    items.iter().map(each).collect()
}

fn block(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("<h1>{}</h1>\n", escape(text)),
        Block::Heading(text) => format!("<h2>{}</h2>\n", escape(text)),
        Block::Paragraph(text) => format!("<p>{}</p>\n", escape(text)),
        Block::Frame { tone, title, lines } => {
            let class = match tone {
                Tone::Good => "good",
                Tone::Bad => "bad",
                Tone::Neutral => "neutral",
            };
            let lines = all(lines, |line| format!("<br>{}", escape(line)));
            let title = escape(title);
            format!("<p class=\"frame {class}\"><strong>{title}</strong>{lines}</p>\n")
        }
        Block::Facts(facts) => {
            let row = |(name, value): &(String, String)| {
                format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value))
            };
            format!("<dl class=\"facts\">\n{}</dl>\n", all(facts, row))
        }
        Block::Table { columns, rows } => {
            let head = all(columns, |text| {
                format!("<th scope=\"col\">{}</th>", escape(text))
            });
            let row = |cells: &Vec<String>| {
                let cells = all(cells, |text| format!("<td>{}</td>", escape(text)));
                format!("<tr>{cells}</tr>\n")
            };
            let rows = all(rows, row);
            format!(
                "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
            )
        }
        Block::Bar { says, .. } => format!("<p>{}</p>\n", escape(says)),
        Block::List(items) => {
            let items = all(items, |text| format!("<li>{}</li>\n", escape(text)));
            format!("<ul>\n{items}</ul>\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::Language;

    #[test]
    fn what_stands_in_a_page_comes_out_of_it_again_and_is_no_markup() {
        let text = "voicelog-destruction/v1\n{\"a\":\"<b>&'\"}\n\n— x y\n";
        let sheet = Sheet {
            language: Language::Nl,
            blocks: vec![Block::Title("<script>".to_owned())],
        };
        let page = page(&sheet, text);
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
        assert_eq!(certificates_in(&page).as_deref(), Some(text));
        assert_eq!(certificates_in(text), None);
    }
}
