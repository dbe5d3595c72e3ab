//! Reading Rust source just well enough to look for names in it.

use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// Every `.rs` file under a folder.
pub(crate) fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The source with comments and the contents of strings blanked out; lines keep their numbers.
pub(crate) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, skipped) = if rest.starts_with("//") {
            (0, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (0, block_comment_len(rest))
        } else if let Some(len) = raw_string_len(rest, out.chars().next_back()) {
            (0, len)
        } else if first == '"' {
            (0, string_len(rest))
        } else if let Some(len) = char_literal_len(rest) {
            (0, len)
        } else {
            (first.len_utf8(), first.len_utf8())
        };
        let (piece, after) = rest.split_at_checked(skipped).unwrap_or((rest, ""));
        if kept > 0 {
            out.push_str(piece);
        } else {
            out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    out
}

fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match (previous, c) {
            ('/', '*') => {
                depth += 1;
                previous = ' ';
            }
            ('*', '/') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
                previous = ' ';
            }
            _ => previous = c,
        }
    }
    text.len()
}

fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#` and so on, where an identifier does not end just before.
fn raw_string_len(text: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() && c != 'b') {
        return None;
    }
    let after = text.strip_prefix('r')?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    let body = after.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let len = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(2 + hashes + len)
}

/// `'x'` or `'\n'`; not the lifetime `'x`.
fn char_literal_len(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        return body.find('\'').map(|at| at + 2).map(|len| {
            // The escaped quote itself: '\''.
            if body.starts_with("\\'") { 4 } else { len }
        });
    }
    let (at, second) = chars.next()?;
    (second == '\'').then_some(at + 2)
}

/// Blanks out items under `#[cfg(test)]`, given source without comments.
pub(crate) fn without_tests(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let len = item_len(item);
        let (skipped, after) = item.split_at_checked(len).unwrap_or((item, ""));
        out.extend(skipped.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Up to the `;` or the closing brace of the first item.
fn item_len(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The lines (from 1) that name a path such as `std::fs`, a word such as `UdpSocket`, or the start
/// of a path such as `rand::`. Groups (`use std::{fs, io}`) count as if written out.
pub(crate) fn lines_with_path(text: &str, path: &str) -> Vec<usize> {
    let mut lines: Vec<usize> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if has_word(line, path) {
            lines.push(index + 1);
        }
    }
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("use ")) {
        let start = from + at;
        let tree = text.get(start + 4..).unwrap_or_default();
        let tree = tree.split(';').next().unwrap_or_default();
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        // A bare word is found by its own line, in a group or not.
        let grouped = path.contains("::") && tree.contains('{') && !lines.contains(&line);
        if grouped && written_out(tree).iter().any(|one| has_word(one, path)) {
            lines.push(line);
        }
        from = start + 4;
    }
    lines.sort_unstable();
    lines
}

/// `a::{b, c::{d}}` → `a::b`, `a::c::d`.
fn written_out(tree: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut prefixes = vec![String::new()];
    let mut word = String::new();
    for c in tree.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '{' => {
                let outer = prefixes.last().cloned().unwrap_or_default();
                prefixes.push(outer + &std::mem::take(&mut word));
            }
            ',' | '}' => {
                if !word.is_empty() {
                    let outer = prefixes.last().cloned().unwrap_or_default();
                    out.push(outer + &std::mem::take(&mut word));
                }
                if c == '}' {
                    prefixes.pop();
                }
            }
            _ => word.push(c),
        }
    }
    out
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        let open_end = word.ends_with(':');
        !before.is_some_and(is_part) && (open_end || !after.is_some_and(is_part))
    })
}
