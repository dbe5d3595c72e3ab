//! Pages and API: where they are, and by which certificate.

use crate::pages_acme::AcmeConfig;
use anyhow::{Result, bail};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use voicelog_tls::{Authority, TlsFiles};

/// Pages and API.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    /// Address for HTTP, or for HTTPS where there is a certificate.
    pub(crate) address: SocketAddr,
    /// Where people reach the pages, if that is another address: that of a proxy, or a name.
    pub(crate) public_url: Option<String>,
    /// Our certificate, then those of its issuers (PEM). With it pages and API are there over TLS alone.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub(crate) tls_key: Option<PathBuf>,
    /// Addresses and host names for which the server signs a certificate itself.
    pub(crate) tls_names: Vec<String>,
    /// An authority that signs it.
    pub(crate) acme: Option<AcmeConfig>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxy: Vec<IpAddr>,
    /// Memory (MiB) that opening one recording, to listen to it or to copy it, may take.
    pub(crate) recording_mib: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
            tls_names: Vec::new(),
            acme: None,
            trusted_proxy: Vec::new(),
            recording_mib: 1_024,
        }
    }
}

impl Http {
    /// The files of the certificate. They were looked at when the configuration was read: both are there, or none.
    pub(crate) fn files(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_certificate.clone()?,
            key: self.tls_key.clone()?,
            client_ca: None,
        })
    }

    /// Whether pages and API are there over TLS.
    pub(crate) const fn is_over_tls(&self) -> bool {
        self.tls_certificate.is_some() || !self.tls_names.is_empty() || self.acme.is_some()
    }

    /// Where people reach the pages, on a server that listens at `bound`.
    pub(crate) fn url(&self, bound: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        // An authority looks at port 443 of a name, so that is where people come.
        if let Some(name) = self.acme.as_ref().and_then(|acme| acme.names.first()) {
            return format!("https://{name}");
        }
        let host = match self.tls_names.first() {
            // An IPv6 address stands in brackets (RFC 3986 §3.2.2).
            Some(name) => match name.parse::<IpAddr>() {
                Ok(address) => SocketAddr::new(address, bound.port()).to_string(),
                Err(_is_a_name) => format!("{name}:{}", bound.port()),
            },
            None => bound.to_string(),
        };
        let scheme = if self.is_over_tls() { "https" } else { "http" };
        format!("{scheme}://{host}")
    }

    pub(crate) fn check(&self) -> Result<()> {
        if let Some(url) = &self.public_url {
            check_public_url(url)?;
            if self.is_over_tls() && !url.starts_with("https://") {
                bail!(
                    "http.public_url (`{url}`) begins with http, and the pages are there over TLS alone: write https"
                );
            }
        }
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => {
                bail!("http.tls_certificate is set and http.tls_key is not: name its file, in PEM")
            }
            (None, Some(_)) => {
                bail!("http.tls_key is set and http.tls_certificate is not: name its file, in PEM")
            }
            (Some(_), Some(_)) if !self.tls_names.is_empty() => bail!(
                "http.tls_names is for a server that signs its certificate itself; take it out, or take http.tls_certificate out"
            ),
            _ => {}
        }
        if let Some(acme) = &self.acme {
            if self.tls_certificate.is_some() || !self.tls_names.is_empty() {
                bail!(
                    "http.acme has an authority sign the certificate; take it out, or take http.tls_certificate or http.tls_names out"
                );
            }
            acme.check()?;
        }
        if self.tls_certificate.is_some()
            && self.public_url.is_none()
            && self.address.ip().is_unspecified()
        {
            bail!(
                "http.tls_certificate is set, http.address ({}) is every address of this machine, and http.public_url is not set: links and codes would lead nowhere. Set http.public_url to what the certificate is for, such as \"https://opnamen.voorbeeld.nl\"",
                self.address
            );
        }
        if !self.tls_names.is_empty() {
            Authority::check_names(&self.tls_names)
                .map_err(|error| anyhow::anyhow!("http.tls_names: {error}"))?;
        }
        Ok(())
    }
}

/// A scheme, a host, perhaps a port, and nothing else: the pages live at the root.
fn check_public_url(url: &str) -> Result<()> {
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        bail!(
            "http.public_url (`{url}`) is not an address such as `https://opnamen.voorbeeld.nl`: scheme and host, without a path or a slash at the end"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use voicelog_model::Timestamp;

    fn http(text: &str) -> anyhow::Result<super::Http> {
        let config = Config::parse(&format!("[http]\n{text}\n"), Timestamp::default())?;
        Ok(config.http)
    }

    #[test]
    fn a_public_url_is_scheme_and_host() {
        let of = |url: &str| http(&format!("public_url = \"{url}\""));
        for right in [
            "https://opnamen.voorbeeld.nl",
            "https://opnamen.voorbeeld.nl:8443",
            "http://10.0.0.5:8080",
            "https://[2001:db8::1]",
        ] {
            assert!(of(right).is_ok(), "{right}");
        }
        for wrong in [
            "opnamen.voorbeeld.nl",
            "https://",
            "ftp://a.nl",
            "https://a.nl/",
            "https://a.nl/pad",
            "https://u@a.nl",
            "",
        ] {
            let error = of(wrong).unwrap_err().to_string();
            assert!(error.contains("http.public_url"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_certificate_is_one_of_files_or_our_own_and_a_link_says_https() {
        let files = "tls_certificate = \"c\"\ntls_key = \"k\"\n";
        let names = "tls_names = [\"192.168.1.20\", \"voicelog.local\"]\n";
        let bound = "0.0.0.0:8443".parse().unwrap();
        assert_eq!(http(names).unwrap().url(bound), "https://192.168.1.20:8443");
        let six = http("tls_names = [\"2001:db8::1\"]").unwrap();
        assert_eq!(six.url(bound), "https://[2001:db8::1]:8443");
        assert_eq!(http("").unwrap().url(bound), "http://0.0.0.0:8443");
        assert_eq!(
            http(files).unwrap().url("10.0.0.5:8443".parse().unwrap()),
            "https://10.0.0.5:8443"
        );
        let acme = "[http.acme]\nnames = [\"opnamen.voorbeeld.nl\"]\n";
        let agreed = [acme, "terms_agreed = true\n"].concat();
        assert_eq!(
            http(&agreed).unwrap().url(bound),
            "https://opnamen.voorbeeld.nl"
        );
        let both = [names, &agreed].concat();
        let half = [&agreed, "key_id = \"a\"\n"].concat();
        let address = agreed.replace("opnamen.voorbeeld.nl", "192.168.1.20");
        let wild = agreed.replace("opnamen", "*");
        let far = [&agreed, "directory = \"http://ca.voorbeeld.nl/dir\"\n"].concat();
        for (wrong, told) in [
            (acme, "terms_agreed = true"),
            (both.as_str(), "http.acme has an authority"),
            (half.as_str(), "belong together"),
            (address.as_str(), "no host name"),
            (wild.as_str(), "no host name"),
            (far.as_str(), "http.acme.directory"),
        ] {
            let error = http(wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
        let plain = "public_url = \"http://a.nl\"\n";
        let everywhere = [files, "address = \"0.0.0.0:443\""].concat();
        for (wrong, told) in [
            (everywhere.as_str(), "http.public_url is not set"),
            ("tls_certificate = \"c\"", "http.tls_key is not"),
            ("tls_key = \"k\"", "http.tls_certificate is not"),
            (&[files, names].concat(), "http.tls_names is for"),
            (&[files, plain].concat(), "write https"),
            ("tls_names = [\"https://a.nl\"]", "`https://a.nl`"),
            ("tls_names = [\"*.a.nl\"]", "`*.a.nl`"),
            ("tls_names = [\"10.0.0\"]", "`10.0.0`"),
            ("tls_names = [\"\"]", "``"),
        ] {
            let error = http(wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}
