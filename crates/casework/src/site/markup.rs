//! HTML, piece by piece. Whatever comes from outside goes through [`escaped`].

/// Text as it stands in a page or in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A paragraph of text.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escaped(text))
}

/// Labels with what stands beside them.
pub(super) fn rows(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().map(|(label, text)| {
        let (label, text) = (escaped(label), escaped(text));
        format!("<div><dt>{label}</dt><dd>{text}</dd></div>\n")
    });
    format!("<dl>\n{}</dl>\n", rows.collect::<String>())
}

/// A section with its heading; what is in it is markup already.
pub(super) fn section(id: &str, heading: &str, inside: &str) -> String {
    let heading = escaped(heading);
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{heading}</h2>\n{inside}</section>\n"
    )
}

/// A link.
pub(super) fn link(to: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escaped(to), escaped(text))
}
