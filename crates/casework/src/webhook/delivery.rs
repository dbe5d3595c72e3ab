//! Bringing messages to one endpoint.

use super::{Secret, pause_after};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use voicelog_archive::{Archive, ArchiveError, MessageRow};
use voicelog_model::{Clock, Timestamp};

/// Patience with one attempt, from the name of the host to the status.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages tried in one round.
const ROUND_MAX: usize = 50;
/// The answer to what is not wanted any more (RFC 9110 §15.5.11).
const GONE: u16 = 410;

/// Where messages go.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its name in the queue, the same as long as the messages are for it.
    pub name: String,
    /// The address, one that [`super::check_address`] takes.
    pub url: String,
    /// What both sides have.
    pub secret: Secret,
}

/// Whose certificates are believed.
#[derive(Clone)]
pub struct Trust(Arc<Vec<ureq::tls::Certificate<'static>>>);

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} issuers)", self.0.len())
    }
}

/// There is no certificate in the file of issuers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no certificate in it, in PEM")]
pub struct TrustError;

impl Trust {
    /// The issuers in a file in PEM. What else is in it is passed over.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TrustError> {
        let certificates: Vec<_> = parse_pem(pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            Err(TrustError)
        } else {
            Ok(Self(Arc::new(certificates)))
        }
    }

    /// The issuers, as the client takes them.
    pub(crate) fn issuers(&self) -> Arc<Vec<ureq::tls::Certificate<'static>>> {
        Arc::clone(&self.0)
    }

    /// Nobody: for endpoints without TLS.
    #[must_use]
    pub fn nobody() -> Self {
        Self(Arc::default())
    }
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Messages that were taken.
    pub delivered: u64,
    /// Attempts that failed; the round ends with the first.
    pub failed: u64,
    /// Messages given up.
    pub given_up: u64,
}

/// Brings the messages of one endpoint.
pub struct Courier {
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    endpoint: Endpoint,
    agent: Agent,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Courier({})", self.endpoint.name)
    }
}

impl Courier {
    /// One that has done nothing yet.
    #[must_use]
    pub fn new(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        endpoint: Endpoint,
        trust: &Trust,
    ) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::clone(&trust.0)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // Whatever the environment says: the address is the one of the configuration.
            .proxy(None)
            .user_agent(concat!("voicelog/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self {
            archive,
            clock,
            endpoint,
            agent,
        }
    }

    /// Tries what is due, those that waited longest first, until one fails or `is_stopping`.
    ///
    /// # Errors
    /// The queue can't be read or written. What was delivered and could not be noted goes out again.
    pub fn round(&self, is_stopping: &dyn Fn() -> bool) -> Result<Round, ArchiveError> {
        let mut round = Round::default();
        let due = self
            .archive
            .due_messages(&self.endpoint.name, self.clock.now(), ROUND_MAX)?;
        for row in due {
            if is_stopping() {
                break;
            }
            match self.post(&row) {
                Ok(()) => {
                    self.archive.message_delivered(&row.message.id)?;
                    round.delivered += 1;
                }
                Err(fault) => {
                    let next_at = fault.next_at(&row, self.clock.now());
                    self.archive
                        .message_failed(&row.message.id, next_at, &fault.word)?;
                    round.failed += 1;
                    round.given_up += u64::from(next_at.is_none());
                    break;
                }
            }
        }
        Ok(round)
    }

    fn post(&self, row: &MessageRow) -> Result<(), Fault> {
        let id = message_id(&row.message.id);
        let seconds = self.clock.now().micros().div_euclid(1_000_000);
        let body = &row.message.body;
        let answer = self
            .agent
            .post(&self.endpoint.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds.to_string())
            .header(
                "webhook-signature",
                self.endpoint.secret.sign(&id, seconds, body),
            )
            .send(&body[..])
            .map_err(|error| Fault::of(&error))?;
        let status = answer.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(Fault {
                word: format!("http_{}", status.as_u16()),
                is_final: status.as_u16() == GONE,
            })
        }
    }
}

/// The id of a message as its `webhook-id` has it.
fn message_id(id: &[u8; 16]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{hex}")
}

/// Why an attempt failed.
struct Fault {
    word: String,
    /// The endpoint says that it wants no more.
    is_final: bool,
}

impl Fault {
    fn of(error: &ureq::Error) -> Self {
        use ureq::Error;
        let word = match error {
            Error::Timeout(_) => "too_slow",
            Error::HostNotFound => "no_such_host",
            // A certificate that is not believed comes as an error of the connection.
            Error::Io(io)
                if io
                    .get_ref()
                    .is_some_and(|inner| inner.is::<rustls::Error>()) =>
            {
                "tls"
            }
            Error::ConnectionFailed | Error::Io(_) => "no_connection",
            Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => "tls",
            _ => "no_http",
        };
        Self {
            word: word.to_owned(),
            is_final: false,
        }
    }

    /// When the next attempt is made; nothing where there is none.
    fn next_at(&self, row: &MessageRow, now: Timestamp) -> Option<Timestamp> {
        let pause = pause_after(row.attempts + 1).filter(|_| !self.is_final)?;
        Some(now.plus_micros(pause))
    }
}
