//! The style sheet, the icon, and the script of a talk: part of the program, the only files that pages load.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use voicelog_law::DOCUMENT_STYLE;

const STYLE: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/icon.svg");
/// Made of `crates/web/island`.
const ROOM: &str = include_str!("../assets/room.js");
/// The script that sends a file, made of the same folder.
const IMPORT: &str = include_str!("../assets/import.js");
/// Its part in the sound thread.
const CAPTURE: &str = include_str!("../assets/capture.js");

/// The same for everybody and named by its content, so the browser may keep it.
const KEEP: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=86400");

/// Address of the style sheet with the start of its hash, so that a new version is fetched.
pub(crate) fn style_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| format!("/assets/style.css?v={}", start_of_hash(STYLE)))
}

/// The same for the style sheet of documents.
pub(crate) fn document_style_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| format!("/assets/document.css?v={}", start_of_hash(DOCUMENT_STYLE)))
}

/// The same for the script of a talk.
pub(crate) fn room_script_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| format!("/assets/room.js?v={}", start_of_hash(ROOM)))
}

/// The same for its part in the sound thread.
pub(crate) fn capture_script_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| format!("/assets/capture.js?v={}", start_of_hash(CAPTURE)))
}

/// The same for the script that sends a file.
pub(crate) fn import_script_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| format!("/assets/import.js?v={}", start_of_hash(IMPORT)))
}

fn start_of_hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    let start = digest.iter().take(4);
    start.map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn document_style() -> impl IntoResponse {
    (
        StatusCode::OK,
        [KEEP, (header::CONTENT_TYPE, "text/css; charset=utf-8")],
        DOCUMENT_STYLE,
    )
}

pub(crate) async fn style() -> impl IntoResponse {
    (
        StatusCode::OK,
        [KEEP, (header::CONTENT_TYPE, "text/css; charset=utf-8")],
        STYLE,
    )
}

pub(crate) async fn room_script() -> impl IntoResponse {
    script(ROOM)
}

pub(crate) async fn import_script() -> impl IntoResponse {
    script(IMPORT)
}

pub(crate) async fn capture_script() -> impl IntoResponse {
    script(CAPTURE)
}

fn script(text: &'static str) -> impl IntoResponse {
    (
        StatusCode::OK,
        [
            KEEP,
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        ],
        text,
    )
}

pub(crate) async fn icon() -> impl IntoResponse {
    (
        StatusCode::OK,
        [KEEP, (header::CONTENT_TYPE, "image/svg+xml")],
        ICON,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for text in [STYLE, ICON, DOCUMENT_STYLE] {
            let without_names = text.replace("http://www.w3.org/2000/svg", "");
            for sign in ["http:", "https:", "@import", "url(", "//"] {
                assert!(!without_names.contains(sign), "{sign}");
            }
        }
        for text in [ROOM, CAPTURE] {
            for sign in ["http:", "https:", "import(", "importScripts", "eval("] {
                assert!(!text.contains(sign), "{sign}");
            }
        }
    }
}
