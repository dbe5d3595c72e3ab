//! Certificates by a public authority, without anybody's hand: ACME (RFC 8555), proven by TLS itself (RFC 8737).
//!
//! The authority connects to port 443 of each name and asks for the protocol `acme-tls/1`; the server answers there with a
//! certificate that nobody but the holder of the account can make. So no port is open but that of the pages. The protocol is
//! a library's; what is here is which requests are made, what is shown to the authority, and what is kept.
//! Why: `design/decisions/0020-certificates-by-acme.md`.

mod challenge;
mod http;
mod issued;
mod order;

pub use challenge::Challenges;
pub use issued::Issued;

use crate::authority::is_host_name;
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount, Problem};
use std::fmt;
use ureq::Agent;
use zeroize::Zeroizing;

/// The protocol by which an authority looks whether a name is ours (RFC 8737 §6.2).
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";
/// Names of one certificate at most.
const NAMES_MAX: usize = 16;

/// No certificate was had.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority refuses, with its own reason.
    #[error("the authority refuses: {0}")]
    Refused(String),
    /// The authority could not see that a name is ours.
    #[error("the authority cannot see that `{name}` is this server: {why}")]
    NotSeen {
        /// The name.
        name: String,
        /// What the authority says of it.
        why: String,
    },
    /// The authority wants another proof than the one that we can give.
    #[error("the authority does not look for `{0}` by TLS on port 443 (tls-alpn-01)")]
    NoSuchProof(String),
    /// It did not answer as the protocol says, or not at all.
    #[error("the authority cannot be asked: {0}")]
    Unreachable(String),
    /// It took longer than an order may.
    #[error("the authority has not decided within {} s", order::PATIENCE.as_secs())]
    TooSlow,
    /// What it gave is no certificate for these names and this key.
    #[error("what came is no certificate that can be used here: {0}")]
    Unusable(String),
    /// No key or request can be made.
    #[error("no request for a certificate can be made ({0})")]
    Request(#[from] rcgen::Error),
}

impl AcmeError {
    /// What a person can do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Refused(_) => {
                "see http.acme: the names, and whether this authority asks for key_id and key_file"
            }
            Self::NotSeen { .. } => {
                "see whether the name leads to this server, and port 443 of it to http.address"
            }
            Self::NoSuchProof(_) => {
                "take another authority in http.acme.directory, or give files in http.tls_certificate and http.tls_key"
            }
            Self::Unreachable(_) | Self::TooSlow => {
                "see http.acme.directory, http.acme.issuers, and whether this server may reach it"
            }
            Self::Unusable(_) | Self::Request(_) => {
                "see the clock of this machine and http.acme.names"
            }
        }
    }

    /// Whether the authority does not know the account any more, so that a new one is needed.
    const fn is_of_account(problem: &Problem) -> bool {
        match &problem.r#type {
            Some(kind) => matches!(
                kind.as_bytes(),
                b"urn:ietf:params:acme:error:accountDoesNotExist"
            ),
            None => false,
        }
    }
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        match error {
            instant_acme::Error::Api(problem) => Self::Refused(told(&problem)),
            instant_acme::Error::Timeout(_) => Self::TooSlow,
            other => Self::Unreachable(other.to_string()),
        }
    }
}

/// What an authority says is wrong. Of what it says about somebody's address only the kind: that address is nobody's else.
fn told(problem: &Problem) -> String {
    let kind = problem.r#type.as_deref().unwrap_or("no reason given");
    let kind = kind
        .strip_prefix("urn:ietf:params:acme:error:")
        .unwrap_or(kind);
    match &problem.detail {
        Some(detail) if !kind.to_ascii_lowercase().contains("contact") => {
            format!("{kind} ({detail})")
        }
        _ => kind.to_owned(),
    }
}

/// What an authority gave to who has an account there already, out of its own administration (RFC 8555 §7.3.4).
pub struct ExternalAccount {
    /// The name of the key.
    pub key_id: String,
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExternalAccount")
            .field(&self.key_id)
            .finish()
    }
}

/// An authority, and what it is asked for.
#[derive(Debug)]
pub struct Acme {
    /// Where its directory is.
    pub directory: String,
    /// The host names of the certificate; the first stands for the server.
    pub names: Vec<String>,
    /// Where the authority may write about a certificate.
    pub contact: Option<String>,
    /// What it gave out of its own administration, where it asks for that.
    pub external: Option<ExternalAccount>,
    /// What asks it: it believes the issuers of the authority's own certificate.
    pub agent: Agent,
    /// What is shown to it when it looks.
    pub challenges: Challenges,
}

impl Acme {
    /// Looks whether a certificate can be asked for these names: one to sixteen host names, no addresses and no wildcards.
    ///
    /// # Errors
    /// The name that does not do, or nothing where there is none or there are too many.
    pub fn check_names(names: &[String]) -> Result<(), String> {
        if names.is_empty() || names.len() > NAMES_MAX {
            return Err(format!("give one to {NAMES_MAX} names"));
        }
        match names.iter().find(|name| !is_host_name(name)) {
            None => Ok(()),
            Some(wrong) => Err(format!(
                "`{wrong}` is no host name such as `opnamen.voorbeeld.nl`; an authority signs for no address and, by this way, for no `*`"
            )),
        }
    }

    /// A certificate by this account, or by a new one. The account that was used is told to `keep` before anything is ordered.
    ///
    /// # Errors
    /// Why there is none. Nothing is left that the next try would stumble over.
    pub async fn certificate(
        &self,
        account: Option<&str>,
        keep: impl FnOnce(&str) + Send,
    ) -> Result<Issued, AcmeError> {
        let work = async {
            let account = match account.and_then(|kept| serde_json::from_str(kept).ok()) {
                Some(kept) => self.account(kept).await?,
                None => None,
            };
            let account = match account {
                Some(account) => account,
                None => {
                    let (account, kept) = self.new_account().await?;
                    let unreadable = |error: serde_json::Error| {
                        AcmeError::Unreachable(format!("its account cannot be kept ({error})"))
                    };
                    let kept = serde_json::to_string(&kept).map(Zeroizing::new);
                    keep(&kept.map_err(unreadable)?);
                    account
                }
            };
            order::order(self, &account).await
        };
        match tokio::time::timeout(order::PATIENCE, work).await {
            Ok(issued) => issued,
            Err(_) => Err(AcmeError::TooSlow),
        }
    }

    /// The account that was kept; nothing where the authority does not know it.
    async fn account(&self, kept: AccountCredentials) -> Result<Option<Account>, AcmeError> {
        let account = self.builder().from_credentials(kept).await?;
        // Asking for it changes nothing, and tells whether it is there.
        let contact = self.contacts();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        match account.update_contacts(&contact).await {
            Ok(()) => Ok(Some(account)),
            Err(instant_acme::Error::Api(problem)) if AcmeError::is_of_account(&problem) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn new_account(&self) -> Result<(Account, AccountCredentials), AcmeError> {
        let contact = self.contacts();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let external = self.external.as_ref();
        let external =
            external.map(|given| ExternalAccountKey::new(given.key_id.clone(), &given.key));
        let new = NewAccount {
            contact: &contact,
            // Nobody gets here without having said so in the configuration.
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let directory = self.directory.clone();
        let made = self.builder().create(&new, directory, external.as_ref());
        Ok(made.await?)
    }

    fn contacts(&self) -> Vec<String> {
        let contact = self.contact.iter();
        contact.map(|contact| format!("mailto:{contact}")).collect()
    }

    fn builder(&self) -> instant_acme::AccountBuilder {
        Account::builder_with_http(Box::new(http::Http(self.agent.clone())))
    }
}
