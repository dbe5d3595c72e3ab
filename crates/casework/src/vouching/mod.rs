//! Asking others to vouch for the log: witnesses who sign its checkpoints, and an authority that says
//! when it saw one.
//!
//! The log's own key proves that this archive said something, and not that it tells everybody the
//! same. A witness signs a checkpoint only if the log grew since the last one that he saw; so who
//! has a proof with his signature has the log that all see. Nothing that comes back is believed
//! before it verifies, and nothing here ever holds up a call.

mod standing;
#[cfg(test)]
mod tests;
mod timestamp;
mod witness;

pub use standing::{Standing, Trouble};
pub use timestamp::{Authority, AuthoritySettings, StampFault, imprint};
pub use witness::{WitnessAnswer, WitnessFault, WitnessSettings, Witnesses};

use crate::webhook::Trust;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// Patience with one request, from the name of the host to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client that follows no redirect and no environment, and has fifteen seconds for each request.
#[must_use]
pub fn agent(trust: &Trust) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(trust.issuers()))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent(concat!("voicelog/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Reads the files of somebody else's log.
#[derive(Debug)]
pub struct Fetcher(Agent);

impl Fetcher {
    /// One that believes these issuers.
    #[must_use]
    pub fn new(trust: &Trust) -> Self {
        Self(agent(trust))
    }

    /// What lies at an address below the log's. Errors: why it cannot be had.
    pub fn get(&self, log: &str, path: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
        let url = format!("{}/{path}", log.trim_end_matches('/'));
        let mut answer = self.0.get(&url).call().map_err(|error| error.to_string())?;
        if answer.status().as_u16() != 200 {
            return Err(format!("the server answers {}", answer.status()));
        }
        let body = answer.body_mut().with_config().limit(bytes_max);
        body.read_to_vec().map_err(|error| error.to_string())
    }
}

/// Posts bytes; gives the status and the body, which is cut off as an error beyond `bytes_max`.
fn post(
    agent: &Agent,
    url: &str,
    kind: &str,
    body: &[u8],
    bytes_max: u64,
) -> Result<(u16, Vec<u8>), String> {
    let mut answer = agent
        .post(url)
        .header("content-type", kind)
        .send(body)
        .map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = answer
        .body_mut()
        .with_config()
        .limit(bytes_max)
        .read_to_vec()
        .map_err(|error| error.to_string())?;
    Ok((status, body))
}
