//! `voicelog witness`: a small witness for the logs of others (C2SP tlog-witness v1.0.0).
//!
//! It remembers of each log the last checkpoint that it signed, and signs another only if the log grew
//! since. Give it to somebody who does not run the archive.

mod state;

use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print};
use anyhow::{Context as _, Result};
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Path, State as Desk};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use state::State;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::witness::{AddCheckpoint, REQUEST_BYTES_MAX, Refused, SIZE_TYPE};
use voicelog_model::{Clock, Language, error};

/// How long a request may take to come. Whoever sends one slowly keeps a place that others need.
const BODY_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it keeps its key and what it signed. Nobody else may write there.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The key of a log that it watches (text, or a file that holds it). May stand more than once.
    #[arg(long, required = true)]
    log_key: Vec<String>,
    /// Address for HTTP. A proxy in front of it does TLS.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Its name, such as `getuige.voorbeeld.nl/w1`: needed at the first start, when its key is made.
    #[arg(long)]
    name: Option<String>,
}

/// What every answer needs.
struct Witness {
    state: State,
    logs: Vec<VerifierKey>,
    clock: SystemClock,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    super::serve::start_messages();
    let logs = args.log_key.iter().map(|key| super::verify::read_key(key));
    let logs: Vec<VerifierKey> = logs.collect::<Result<_>>()?;
    let state = State::open(&args.state, args.name.as_deref())?;
    let key = state.key();
    let witness = Arc::new(Witness {
        state,
        logs,
        clock: SystemClock::default(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the threads for HTTP")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .map_err(|error| BadInput(format!("cannot listen on {}: {error}", args.listen)))?;
        announce(listener.local_addr()?, &key, context.lang);
        let router = axum::Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route("/{origin}/checkpoint", get(last_checkpoint))
            .layer(map_response(not_kept))
            .with_state(witness);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = async {
            tokio::select! {
                _signal = interrupt.recv() => {}
                _signal = terminate.recv() => {}
            }
        };
        voicelog_web::serve(listener, router, shutdown).await;
        Ok(Ended::Done)
    })
}

fn announce(address: SocketAddr, key: &str, lang: Language) {
    print::line(format!("http://{address}"));
    print::line(match lang {
        Language::Nl => format!("Sleutel van deze getuige: {key}"),
        Language::En => format!("Key of this witness: {key}"),
    });
}

/// No answer is kept on the way: the next one can be another.
async fn not_kept(mut answer: Response) -> Response {
    let value = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, value);
    answer
}

/// The whole of a request, or the answer to one that is too long or too slow.
async fn whole(body: Body) -> Result<Bytes, StatusCode> {
    // One that says so itself is not waited for.
    if body.size_hint().lower() > REQUEST_BYTES_MAX as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, REQUEST_BYTES_MAX)).await {
        Err(_late) => Err(StatusCode::REQUEST_TIMEOUT),
        Ok(read) => read.map_err(|_cut_or_too_long| StatusCode::PAYLOAD_TOO_LARGE),
    }
}

async fn add_checkpoint(Desk(witness): Desk<Arc<Witness>>, body: Body) -> Response {
    let body = match whole(body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    // Keeping what was signed waits for the disk.
    let signed = tokio::task::spawn_blocking(move || {
        let now = witness.clock.now();
        let request = AddCheckpoint::parse(&body)?;
        Ok::<_, Refused>(witness.state.add(&request, &witness.logs, now))
    });
    match signed.await {
        Ok(Ok(Ok(Ok(line)))) => (StatusCode::OK, line).into_response(),
        Ok(Ok(Ok(Err(refused))) | Err(refused)) => refusal(refused),
        Ok(Ok(Err(error))) => {
            tracing::error!("cannot keep what is to be signed: {error:#}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(stopped) => {
            tracing::error!("an answer stopped: {}", error::chain(&stopped));
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn refusal(refused: Refused) -> Response {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if refused == Refused::Inconsistent {
        tracing::warn!("a log showed what is no continuation of what it showed before");
    }
    match refused {
        Refused::OtherSize(size) => {
            let kind = [(header::CONTENT_TYPE, SIZE_TYPE)];
            (status, kind, format!("{size}\n")).into_response()
        }
        other => (status, format!("{other}\n")).into_response(),
    }
}

async fn last_checkpoint(
    Desk(witness): Desk<Arc<Witness>>,
    Path(origin): Path<String>,
) -> Response {
    let logs: Vec<String> = witness
        .logs
        .iter()
        .map(|log| log.name().to_owned())
        .collect();
    let read = tokio::task::spawn_blocking(move || {
        let named = |log: &&String| state::hash_of(log) == origin;
        match logs.iter().find(named) {
            Some(log) => witness.state.last(log),
            None => Ok(None),
        }
    });
    match read.await {
        Ok(Ok(Some(note))) => note.into_response(),
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
