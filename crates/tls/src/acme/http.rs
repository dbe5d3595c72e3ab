//! The requests to an authority, by the client that the rest of the program asks with.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use std::future::Future;
use std::pin::Pin;
use ureq::Agent;
use ureq::http::{Method, Request};

/// An answer is a certificate with its issuers at most.
const ANSWER_BYTES_MAX: u64 = 256 * 1_024;

pub(super) struct Http(pub(super) Agent);

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let agent = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await;
            let request = Request::from_parts(parts, body.to_bytes());
            // The client waits on a thread that may.
            let asked = tokio::task::spawn_blocking(move || ask(&agent, request)).await;
            asked.map_err(|error| Error::Other(Box::new(error)))?
        })
    }
}

fn ask(agent: &Agent, request: Request<Bytes>) -> Result<BytesResponse, Error> {
    let other = |error: ureq::Error| Error::Other(Box::new(error));
    let has_body = request.method() == Method::POST;
    let answer = if has_body {
        agent.run(request.map(|body| body.to_vec()))
    } else {
        agent.run(request.map(|_nothing| ()))
    };
    let (parts, mut body) = answer.map_err(other)?.into_parts();
    let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let body = Box::new(Bytes::from(body.map_err(other)?));
    Ok(BytesResponse { parts, body })
}
