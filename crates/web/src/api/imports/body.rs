//! The body of a piece: brought to the disk as it comes, or, with a checksum, once all of it is here and right.

use super::CHECKSUM;
use crate::trouble::Trouble;
use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use voicelog_casework::importing::{UploadRefused, Writing};

/// Bytes that are gathered before they are written.
const WRITTEN_AT_ONCE: usize = 1 << 20;
/// Bytes of a piece with a checksum, which is in memory until it is known to be right.
const CHECKED_BYTES_MAX: u64 = 4 << 20;
/// How long the next bytes may take to come. After that somebody else may go on with the upload.
const QUIET_MAX: Duration = Duration::from_secs(30);
/// Bytes of a refused piece that are let by: twice what the page sends at once.
const PASSED_BYTES_MAX: usize = 8 << 20;
/// How long a refused piece is let by.
const PASSED_MAX: Duration = Duration::from_secs(10);

/// `Upload-Checksum: sha256 BASE64`, where there is one.
pub(super) fn checksum_in(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Trouble> {
    let Some(field) = headers.get(CHECKSUM) else {
        return Ok(None);
    };
    let read = || {
        let (algorithm, value) = field.to_str().ok()?.split_once(' ')?;
        let bytes = STANDARD.decode(value.trim()).ok()?;
        (algorithm == "sha256").then_some(())?;
        bytes.try_into().ok()
    };
    read().map(Some).ok_or_else(|| {
        Trouble::invalid(
            "`Upload-Checksum` is `sha256` met de hash in base64.",
            "`Upload-Checksum` is `sha256` with the hash in base64.",
        )
    })
}

/// The next bytes; none at the end.
async fn next(body: &mut Body) -> Result<Option<Vec<u8>>, Trouble> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
    match tokio::time::timeout(QUIET_MAX, frame).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().map(Into::into).unwrap_or_default())),
        // Whoever sent is gone, or does not send.
        Ok(Some(Err(_))) | Err(_) => Err(Trouble::new(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// Lets the rest of a refused piece by, within bounds. Whoever is still sending does not read the answer: on a closed line the
/// browser says that the network failed, and not why.
pub(super) async fn pass(body: &mut Body) {
    let all = async {
        let mut passed = 0;
        while let Ok(Some(more)) = next(body).await {
            passed += more.len();
            if passed > PASSED_BYTES_MAX {
                break;
            }
        }
    };
    drop(tokio::time::timeout(PASSED_MAX, all).await);
}

/// Brings bytes to the disk, off the async threads.
async fn put(mut writing: Writing, bytes: Vec<u8>) -> Result<Writing, Trouble> {
    let put = tokio::task::spawn_blocking(move || {
        let put = writing.put(&bytes);
        put.map(|()| writing)
    });
    let put = put.await.map_err(|stopped| Trouble::internal(&stopped))?;
    put.map_err(Trouble::from)
}

/// Takes a body in.
pub(super) async fn take(
    mut writing: Writing,
    body: &mut Body,
    length: Option<u64>,
    checksum: Option<[u8; 32]>,
) -> Result<(), Trouble> {
    let mut most = writing.left();
    if checksum.is_some() {
        most = most.min(CHECKED_BYTES_MAX);
    }
    if length.is_some_and(|length| length > most) {
        return Err(UploadRefused::TooLarge(most).into());
    }
    let mut gathered = Vec::new();
    loop {
        let more = match next(body).await {
            Ok(Some(more)) => more,
            Ok(None) => break,
            Err(trouble) if checksum.is_none() => {
                // What came is as good as if it had come alone.
                put(writing, gathered).await?;
                return Err(trouble);
            }
            Err(trouble) => return Err(trouble),
        };
        gathered.extend_from_slice(&more);
        if gathered.len() as u64 > most {
            return Err(UploadRefused::TooLarge(most).into());
        }
        // The last bytes wait for the end of the body: with more behind them the file is not what was said of it.
        let is_last = gathered.len() as u64 == most;
        if checksum.is_none() && gathered.len() >= WRITTEN_AT_ONCE && !is_last {
            most -= gathered.len() as u64;
            writing = put(writing, std::mem::take(&mut gathered)).await?;
        }
    }
    if checksum.is_some_and(|said| said != <[u8; 32]>::from(Sha256::digest(&gathered))) {
        return Err(mismatch());
    }
    put(writing, gathered).await.map(drop)
}

/// tus has a status of its own for that.
fn mismatch() -> Trouble {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    Trouble::new(status).saying(
        "`Upload-Checksum` is niet de hash van deze bytes. Stuur ze opnieuw.",
        "`Upload-Checksum` is not the hash of these bytes. Send them again.",
    )
}
