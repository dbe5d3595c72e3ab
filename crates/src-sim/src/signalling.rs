//! The one socket that signalling travels over, for one call or for thousands.

use crate::dialog::Transport;
use crate::error::SimError;
use crate::message::{self, Message};
use crate::tls::{TlsClient, TlsStream};
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;
use voicelog_model::limits;

/// Patience with a TCP connection that is being made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes asked for in the kernel for answers that wait: a thousand calls may end at once.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
/// Messages taken in one go, so that media never waits long for signalling.
const MESSAGES_AT_ONCE: usize = 256;

/// An open way to the server.
#[derive(Debug)]
pub(crate) struct Signalling {
    local: SocketAddr,
    line: Line,
    scratch: Vec<u8>,
}

#[derive(Debug)]
enum Line {
    Udp(UdpSocket),
    Tcp {
        stream: TcpStream,
        received: Vec<u8>,
        unsent: Vec<u8>,
    },
    Tls {
        stream: Box<TlsStream>,
        received: Vec<u8>,
    },
}

impl Signalling {
    /// Opens the socket; over TCP and TLS this connects.
    pub(crate) fn open(
        server: SocketAddr,
        transport: Transport,
        tls: Option<&TlsClient>,
    ) -> Result<Self, SimError> {
        let unreachable = |source: io::Error| SimError::Unreachable {
            server,
            why: source.to_string(),
        };
        let opened = match transport {
            Transport::Udp => {
                open_udp(server).map_err(|source| SimError::Socket { server, source })
            }
            Transport::Tcp => open_tcp(server).map_err(unreachable),
            Transport::Tls => {
                let tls = tls.ok_or_else(|| SimError::BadPlan {
                    why: "over TLS it must be said whom to believe".to_owned(),
                })?;
                open_tls(server, tls).map_err(unreachable)
            }
        };
        let (line, local) = opened?;
        Ok(Self {
            local,
            line,
            scratch: vec![0; limits::SIP_MESSAGE_BYTES_MAX],
        })
    }

    /// Our side's address, as the server can reach it.
    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends one message. A datagram that the kernel has no room for is as good as lost on the
    /// way: retransmission sees to it.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.line {
            Line::Udp(socket) => match socket.send(bytes) {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                Err(error) => Err(error),
            },
            Line::Tcp { unsent, .. } => {
                unsent.extend_from_slice(bytes);
                self.flush()
            }
            Line::Tls { stream, .. } => stream.send(bytes),
        }
    }

    /// Gives every message that has come; does not wait. An error means that the server is not
    /// there (UDP) or that the connection is gone (TCP, TLS).
    pub(crate) fn receive(&mut self, mut take: impl FnMut(&Message)) -> io::Result<()> {
        match &mut self.line {
            Line::Udp(socket) => {
                for _ in 0..MESSAGES_AT_ONCE {
                    let length = match socket.recv(&mut self.scratch) {
                        Ok(length) => length,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                        Err(error) => return Err(error),
                    };
                    let bytes = self.scratch.get(..length).unwrap_or_default();
                    if let Some(message) = Message::read(bytes) {
                        take(&message);
                    }
                }
                Ok(())
            }
            Line::Tcp {
                stream, received, ..
            } => {
                let open = read_available(stream, &mut self.scratch, received);
                take_framed(received, take)?;
                open?;
                self.flush()
            }
            Line::Tls { stream, received } => {
                let most = MESSAGES_AT_ONCE * self.scratch.len();
                let open = stream.read_available(&mut self.scratch, received, most);
                take_framed(received, take)?;
                open?;
                stream.flush()
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Line::Tcp { stream, unsent, .. } = &mut self.line else {
            return Ok(());
        };
        while !unsent.is_empty() {
            match stream.write(unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => drop(unsent.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Takes the whole messages at the head of what has come over a connection.
fn take_framed(received: &mut Vec<u8>, mut take: impl FnMut(&Message)) -> io::Result<()> {
    while let Some(framed) = message::framed(received) {
        let length = framed.map_err(io::Error::other)?;
        if let Some(message) = received.get(..length).and_then(Message::read) {
            take(&message);
        }
        received.drain(..length);
    }
    Ok(())
}

/// Reads what is there. `Err` once the other side has closed or the connection broke.
fn read_available(
    stream: &mut TcpStream,
    scratch: &mut [u8],
    received: &mut Vec<u8>,
) -> io::Result<()> {
    for _ in 0..MESSAGES_AT_ONCE {
        match stream.read(scratch) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => received.extend_from_slice(scratch.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn open_udp(server: SocketAddr) -> io::Result<(Line, SocketAddr)> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES)?;
    let local = socket.local_addr()?;
    Ok((Line::Udp(socket), local))
}

fn open_tcp(server: SocketAddr) -> io::Result<(Line, SocketAddr)> {
    let stream = TcpStream::connect_timeout(&server, CONNECT_WITHIN)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let local = stream.local_addr()?;
    let line = Line::Tcp {
        stream,
        received: Vec::new(),
        unsent: Vec::new(),
    };
    Ok((line, local))
}

fn open_tls(server: SocketAddr, tls: &TlsClient) -> io::Result<(Line, SocketAddr)> {
    let stream = tls.connect(server, CONNECT_WITHIN)?;
    let local = stream.local_addr()?;
    let line = Line::Tls {
        stream: Box::new(stream),
        received: Vec::new(),
    };
    Ok((line, local))
}

/// Tries to get an even port for RTP (RFC 3550 §11); an odd one works too, so it does not insist.
const EVEN_TRIES: usize = 16;

/// Opens a socket to send media from.
pub(crate) fn open_media(local: IpAddr, server: SocketAddr) -> Result<UdpSocket, SimError> {
    let failed = |source| SimError::Socket { server, source };
    let mut tried = Vec::new();
    for _ in 0..EVEN_TRIES {
        let socket = UdpSocket::bind((local, 0)).map_err(failed)?;
        if socket.local_addr().map_err(failed)?.port() % 2 == 0 {
            return Ok(socket);
        }
        // Kept open meanwhile, so that the system does not give the same one again.
        tried.push(socket);
    }
    tried
        .pop()
        .ok_or_else(|| failed(io::ErrorKind::AddrNotAvailable.into()))
}
