//! Errors of the API: problem documents (RFC 9457).

use crate::trouble::Trouble;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};
use voicelog_model::Language;

/// The trouble as `application/problem+json`.
pub(crate) fn document(trouble: &Trouble, request: &str, lang: Language) -> Response {
    let mut body = json!({
        "type": "about:blank",
        "status": trouble.status.as_u16(),
        "title": trouble.title(lang),
        "detail": trouble.detail(lang),
        "requestId": request,
    });
    let errors: Vec<_> = trouble
        .findings
        .iter()
        .map(|(place, nl, en)| json!({ "place": place, "detail": lang.pick(nl, en) }))
        .collect();
    if let (false, Some(body)) = (errors.is_empty(), body.as_object_mut()) {
        body.insert("errors".to_owned(), json!(errors));
    }
    if let (Some(coded), Some(body)) = (&trouble.code, body.as_object_mut()) {
        let (code, next) = **coded;
        body.insert("code".to_owned(), json!(code));
        if let Some(next) = next {
            body.insert("next".to_owned(), json!(next));
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CONTENT_LANGUAGE, lang.tag()),
    ];
    (trouble.status, headers, body.to_string()).into_response()
}

/// The hash under which the token is known. A token of 256 random bits needs no slow hash.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
