//! One order (RFC 8555 §7.4): the names, the proof for each, and the certificate.

use super::{Acme, AcmeError, Issued, told};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    Problem, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long an order may take, with all its questions.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// How long the authority may take to look at the names, and to sign.
const STEP: Duration = Duration::from_secs(120);

/// Orders a certificate, with a new key.
pub(super) async fn order(acme: &Acme, account: &Account) -> Result<Issued, AcmeError> {
    let names = acme.names.iter().map(|name| name.to_ascii_lowercase());
    let names: Vec<String> = names.collect();
    let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let shown = show(acme, &mut order).await?;
    let steps = RetryPolicy::new().timeout(STEP);
    match order.poll_ready(&steps).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => return Err(why_not(&mut order, None).await?),
        Err(Error::Api(problem)) => return Err(why_not(&mut order, Some(problem)).await?),
        Err(error) => return Err(error.into()),
    }
    drop(shown);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.as_slice())?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&steps).await?;
    let key = Zeroizing::new(key.serialize_pem());
    Issued::new(&chain, &key, &names)
}

/// Shows for each name that it is ours, and asks the authority to look. What is shown stands until it is dropped.
async fn show(
    acme: &Acme,
    order: &mut Order,
) -> Result<Vec<super::challenge::Standing>, AcmeError> {
    let mut shown = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        // What was seen lately need not be looked at again.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or_else(|| AcmeError::NoSuchProof(name.clone()))?;
        let digest = challenge.key_authorization().digest();
        shown.push(acme.challenges.answer(&name, digest.as_ref())?);
        challenge.set_ready().await?;
    }
    Ok(shown)
}

/// What the authority says was wrong with an order that came to nothing.
async fn why_not(order: &mut Order, whole: Option<Problem>) -> Result<AcmeError, AcmeError> {
    let whole = whole.as_ref().or(order.state().error.as_ref()).map(told);
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        // What was read at first is from before it looked.
        authorization.refresh().await?;
        let problem = authorization.challenges.iter().find_map(|challenge| {
            let problem = challenge.error.as_ref();
            problem.map(told)
        });
        if let Some(why) = problem {
            let name = authorization.identifier().to_string();
            return Ok(AcmeError::NotSeen { name, why });
        }
    }
    Ok(AcmeError::Refused(
        whole.unwrap_or_else(|| "it does not say why".to_owned()),
    ))
}
