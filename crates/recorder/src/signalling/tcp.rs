//! SIP over TCP, and over TLS inside it: connections, their limits, and whole messages out of their
//! bytes.
//!
//! Each connection has a task that reads and one that writes. What they read goes over one
//! bounded channel, so a client that sends faster than we work is slowed down by its own
//! connection. A client that does not read what we send loses its connection, never our time.
//! A connection counts from its first packet, so half a handshake counts as well.

use super::crowd::{Place, least_missed};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use voicelog_model::limits;
use voicelog_srs::{Frame, PONG, Peer, StreamFramer, Transport};
use voicelog_tls::{TlsAcceptor, TlsStream};

/// How long a connection may hold an unfinished message, or be open without any whole one.
const UNFINISHED: Duration = Duration::from_secs(30);
/// How long a connection may be without a message. A call can last hours between two messages.
const IDLE: Duration = Duration::from_secs(4 * 3_600);
/// How long a client may take to read what we send.
const WRITE: Duration = Duration::from_secs(10);
/// How long we try to reach a client whose connection is gone.
const CONNECT: Duration = Duration::from_secs(5);
/// Messages that wait for one client to read at most.
const OUTBOX: usize = 64;
/// Messages read and not yet worked on at most, all connections together.
const INBOX: usize = 256;
/// Bytes read at once.
const READ_BYTES: usize = 8 * 1024;

/// What happened on a connection.
#[derive(Debug)]
pub(crate) enum TcpEvent {
    /// A whole message.
    Message {
        /// Whose, over which connection.
        from: Peer,
        /// Where it came in.
        local: SocketAddr,
        /// The message.
        bytes: Vec<u8>,
    },
    /// We reached a client, or have shaken hands; what is still to be sent waits in the channel.
    Connected(u64, Stream, Receiver<Vec<u8>>),
    /// It is closed; with the reason to count if it was refused.
    Closed(u64, Option<&'static str>),
}

/// What the messages of a connection travel over.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn local_address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.local_addr(),
            Self::Tls(stream) => stream.get_ref().0.local_addr(),
        }
    }

    fn split(self) -> (ReadSide, WriteSide) {
        match self {
            Self::Tcp(stream) => {
                let (read, write) = stream.into_split();
                (Box::new(read), Box::new(write))
            }
            Self::Tls(stream) => {
                let (read, write) = split(stream);
                (Box::new(read), Box::new(write))
            }
        }
    }
}

type ReadSide = Box<dyn AsyncRead + Send + Unpin>;
type WriteSide = Box<dyn AsyncWrite + Send + Unpin>;

struct Connection {
    transport: Transport,
    address: SocketAddr,
    outbox: Sender<Vec<u8>>,
    tasks: Vec<AbortHandle>,
    /// When it was made, or a whole message last came over it.
    heard: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// All connections.
pub(crate) struct Connections {
    open: HashMap<u64, Connection>,
    last: u64,
    events: Sender<TcpEvent>,
    acceptor: Option<TlsAcceptor>,
}

impl Connections {
    /// No connection yet, and where their events come out. TLS is taken with `acceptor` only.
    pub(crate) fn new(acceptor: Option<TlsAcceptor>) -> (Self, Receiver<TcpEvent>) {
        let (events, received) = channel(INBOX);
        let connections = Self {
            open: HashMap::new(),
            last: 0,
            events,
            acceptor,
        };
        (connections, received)
    }

    /// Whether there are as many as we take.
    pub(crate) fn are_full(&self) -> bool {
        self.open.len() >= limits::SIP_CONNECTIONS_MAX
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// The connection that would be missed least, of those that no call goes over.
    pub(crate) fn least_missed(&self, in_use: &BTreeSet<u64>) -> Option<u64> {
        let places = self.open.iter().map(|(number, connection)| Place {
            number: *number,
            address: connection.address.ip(),
            heard: connection.heard,
        });
        least_missed(&places.collect::<Vec<_>>(), in_use)
    }

    /// A whole message came over a connection.
    pub(crate) fn heard(&mut self, number: u64) {
        if let Some(connection) = self.open.get_mut(&number) {
            connection.heard = Instant::now();
        }
    }

    /// Takes a connection that a client made. False if there are as many as we take.
    pub(crate) fn accept(
        &mut self,
        transport: Transport,
        stream: TcpStream,
        address: SocketAddr,
    ) -> bool {
        if self.are_full() {
            return false;
        }
        let (number, waiting) = self.enter(transport, address);
        match self.acceptor.clone() {
            Some(acceptor) if transport == Transport::Tls => {
                self.shake_hands(number, acceptor, stream, waiting);
            }
            _ => self.start(number, Stream::Tcp(stream), waiting),
        }
        true
    }

    /// A connection is ready: starts its tasks.
    pub(crate) fn connected(&mut self, number: u64, stream: Stream, waiting: Receiver<Vec<u8>>) {
        self.start(number, stream, waiting);
    }

    /// Forgets a connection. Whether it was there.
    pub(crate) fn close(&mut self, number: u64) -> bool {
        self.open.remove(&number).is_some()
    }

    /// Sends over a connection, or over another one to the same address, or over a new one. Over TLS
    /// none is made: nobody has said whose certificate the other side would have to show. The error
    /// is the connection that had to be closed because its client does not read, if one.
    pub(crate) fn send(&mut self, to: Peer, bytes: Vec<u8>) -> Result<(), Option<u64>> {
        let open = to
            .connection
            .filter(|number| self.open.contains_key(number));
        let number = open.or_else(|| self.open_to(to));
        if let Some(number) = number {
            let is_sent = self
                .open
                .get(&number)
                .is_some_and(|connection| connection.outbox.try_send(bytes).is_ok());
            if is_sent {
                return Ok(());
            }
            self.close(number);
            return Err(Some(number));
        }
        let may_connect = to.transport == Transport::Tcp;
        if may_connect
            && self.open.len() < limits::SIP_CONNECTIONS_MAX
            && self.connect(to.address, bytes)
        {
            Ok(())
        } else {
            Err(None)
        }
    }

    fn open_to(&self, to: Peer) -> Option<u64> {
        let wanted = (to.transport, to.address);
        self.open
            .iter()
            .find(|(_, connection)| (connection.transport, connection.address) == wanted)
            .map(|(number, _)| *number)
    }

    fn enter(&mut self, transport: Transport, address: SocketAddr) -> (u64, Receiver<Vec<u8>>) {
        self.last += 1;
        let (outbox, waiting) = channel(OUTBOX);
        let connection = Connection {
            transport,
            address,
            outbox,
            tasks: Vec::new(),
            heard: Instant::now(),
        };
        self.open.insert(self.last, connection);
        (self.last, waiting)
    }

    fn connect(&mut self, address: SocketAddr, first: Vec<u8>) -> bool {
        let (number, waiting) = self.enter(Transport::Tcp, address);
        let is_sent = self
            .open
            .get(&number)
            .is_some_and(|connection| connection.outbox.try_send(first).is_ok());
        let events = self.events.clone();
        let task = tokio::spawn(async move {
            let stream = timeout(CONNECT, TcpStream::connect(address)).await;
            let event = match stream {
                Ok(Ok(stream)) => TcpEvent::Connected(number, Stream::Tcp(stream), waiting),
                Ok(Err(_)) | Err(_) => TcpEvent::Closed(number, Some("tcp_unreachable")),
            };
            tell(&events, event).await;
        });
        if let Some(connection) = self.open.get_mut(&number) {
            connection.tasks.push(task.abort_handle());
        }
        is_sent
    }

    fn shake_hands(
        &mut self,
        number: u64,
        acceptor: TlsAcceptor,
        stream: TcpStream,
        waiting: Receiver<Vec<u8>>,
    ) {
        let events = self.events.clone();
        let task = tokio::spawn(async move {
            let event = match voicelog_tls::handshake(&acceptor, stream).await {
                Ok(stream) => TcpEvent::Connected(number, Stream::Tls(Box::new(stream)), waiting),
                Err(why) => TcpEvent::Closed(number, Some(why)),
            };
            tell(&events, event).await;
        });
        if let Some(connection) = self.open.get_mut(&number) {
            connection.tasks.push(task.abort_handle());
        }
    }

    fn start(&mut self, number: u64, stream: Stream, waiting: Receiver<Vec<u8>>) {
        let Some(connection) = self.open.get_mut(&number) else {
            return;
        };
        let incoming = Incoming {
            from: Peer {
                transport: connection.transport,
                address: connection.address,
                connection: Some(number),
            },
            // A connection that is already gone says so when it is read.
            local: stream.local_address().unwrap_or(connection.address),
            events: self.events.clone(),
            outbox: connection.outbox.clone(),
        };
        let (read, write) = stream.split();
        let reading = tokio::spawn(async move {
            let why = incoming.read_messages(read).await;
            tell(&incoming.events, TcpEvent::Closed(number, why)).await;
        });
        let events = self.events.clone();
        let writing = tokio::spawn(async move {
            if write_messages(write, waiting).await.is_err() {
                tell(&events, TcpEvent::Closed(number, Some("tcp_not_reading"))).await;
            }
        });
        connection.tasks = vec![reading.abort_handle(), writing.abort_handle()];
    }
}

/// The reading side of one connection.
struct Incoming {
    from: Peer,
    local: SocketAddr,
    events: Sender<TcpEvent>,
    outbox: Sender<Vec<u8>>,
}

impl Incoming {
    /// Reads until the connection ends or breaks a limit; the reason if it did.
    async fn read_messages(&self, mut read: ReadSide) -> Option<&'static str> {
        let mut framer = StreamFramer::new();
        let mut bytes = vec![0; READ_BYTES];
        // A deadline for the whole of a message, so that a byte now and then does not put it off.
        let mut deadline = Instant::now() + UNFINISHED;
        let mut is_waiting = true;
        loop {
            let count = match timeout_at(deadline, read.read(&mut bytes)).await {
                Ok(Ok(0) | Err(_)) => return None,
                Ok(Ok(count)) => count,
                Err(_) => return Some("tcp_idle"),
            };
            framer.push(bytes.get(..count).unwrap_or_default());
            match self.take_frames(&mut framer).await {
                Ok(false) => {}
                Ok(true) => is_waiting = false,
                Err(why) => return Some(why),
            }
            if !is_waiting {
                is_waiting = framer.is_waiting();
                deadline = Instant::now() + if is_waiting { UNFINISHED } else { IDLE };
            }
        }
    }

    /// Takes the whole messages. Whether there were any; the reason if it cannot go on.
    async fn take_frames(&self, framer: &mut StreamFramer) -> Result<bool, &'static str> {
        let mut has_message = false;
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => {
                    has_message = true;
                    let message = TcpEvent::Message {
                        from: self.from,
                        local: self.local,
                        bytes,
                    };
                    tell(&self.events, message).await;
                }
                Ok(Some(Frame::KeepAlive)) => {
                    if self.outbox.try_send(PONG.to_vec()).is_err() {
                        return Err("tcp_not_reading");
                    }
                }
                Ok(None) => return Ok(has_message),
                Err(_) => return Err("tcp_framing"),
            }
        }
    }
}

async fn write_messages(
    mut write: WriteSide,
    mut waiting: Receiver<Vec<u8>>,
) -> Result<(), io::Error> {
    while let Some(bytes) = waiting.recv().await {
        let write_whole = async {
            write.write_all(&bytes).await?;
            // TLS keeps what its socket has no room for.
            write.flush().await
        };
        timeout(WRITE, write_whole).await??;
    }
    Ok(())
}

async fn tell(events: &Sender<TcpEvent>, event: TcpEvent) {
    if events.send(event).await.is_err() {
        tracing::debug!("signalling has ended");
    }
}
