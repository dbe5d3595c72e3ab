//! Certificates made for one test, and a client that uses them.

use crate::raw::Wire;
use crate::support::{LONG, Server, config, server_with};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use voicelog_recorder::{RecorderConfig, SipTls};
use voicelog_tls::TlsFiles;

/// First and last year of a certificate.
pub(crate) type Years = (i32, i32);
/// Years that this test is not run outside of.
pub(crate) const NOW: Years = (2020, 4090);

/// An issuer of certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, in PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params(name, NOW);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate for 127.0.0.1.
    pub(crate) fn issue(&self, years: Years) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = params("leaf", years).signed_by(&key, &self.issuer);
        Issued {
            certificate: certificate.unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

fn params(name: &str, (first, last): Years) -> CertificateParams {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(first, 1, 1);
    params.not_after = date_time_ymd(last, 12, 31);
    params
}

/// Writes a file and gives its path.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}

/// A server with TLS; who issued its certificate; and it asks its clients for one by `client_ca`.
pub(crate) fn tls_server(client_ca: Option<&Authority>) -> (Server, Authority) {
    let (authority, folder) = (Authority::new("servers"), tempfile::tempdir().unwrap());
    let own = authority.issue(NOW);
    let files = TlsFiles {
        certificate: file(folder.path(), "certificate.pem", &own.certificate),
        key: file(folder.path(), "key.pem", &own.key),
        client_ca: client_ca.map(|ca| file(folder.path(), "clients.pem", &ca.pem)),
    };
    let config = RecorderConfig {
        sip_tls: Some(SipTls {
            address: "127.0.0.1:0".parse().unwrap(),
            files,
        }),
        ..config()
    };
    (server_with(&config), authority)
}

/// A client's connection.
pub(crate) struct TlsClient {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl TlsClient {
    /// Connects to a server whose certificate `authority` issued. The handshake is made with the
    /// first bytes.
    pub(crate) fn connect(
        server: &Server,
        authority: &Authority,
        version: &'static SupportedProtocolVersion,
        own: Option<&Issued>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
        roots.add(root).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let client = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let certificate = CertificateDer::from_pem_slice(own.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                let chain = vec![certificate.unwrap()];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let name = "127.0.0.1".try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(client), name).unwrap();
        let stream = TcpStream::connect(server.recorder.tls_address().unwrap()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        let stream = BufReader::new(StreamOwned::new(connection, stream));
        Self { stream }
    }

    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// The next message: its head, and as much body as it says.
    pub(crate) fn read(&mut self) -> io::Result<String> {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut text)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(text + &String::from_utf8(body).unwrap())
    }

    /// Asks whether the server is there.
    pub(crate) fn ask(&mut self) -> io::Result<String> {
        self.write(&options(1))?;
        self.read()
    }
}

/// A request that is answered by itself.
pub(crate) fn options(number: u32) -> String {
    format!(
        "OPTIONS sip:announced@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: o\r\n\
         CSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

impl Wire for TlsClient {
    fn transport(&self) -> &'static str {
        "TLS"
    }

    fn local(&self) -> SocketAddr {
        self.stream.get_ref().sock.local_addr().unwrap()
    }

    fn send(&mut self, text: &str) {
        self.write(text).unwrap();
    }

    fn receive(&mut self) -> String {
        self.read().unwrap()
    }
}
