//! The sockets of the recording server: signalling over UDP and TCP, and a task for each call.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::agent::{Agent, Output, Peer};
use super::call::{Call, Input, News, Ports, roomy_udp};
use super::parties::RoleRules;
use super::sip::{Cutter, MESSAGE_MAX_BYTES, Message};
use crate::connect::telephony::MediaSockets;
use crate::domain::TenantId;

/// Signalling connections at a time; more are closed at once.
const CONNECTIONS_MAX: usize = 256;
/// Messages of all connections that may wait; then their senders wait.
const MESSAGES: usize = 256;
/// Answers that may wait for one connection; beyond that it is closed.
const ANSWERS: usize = 64;
const WRITE_PATIENCE: Duration = Duration::from_secs(5);
/// A connection without a message for so long is closed.
const IDLE: Duration = Duration::from_secs(3_600);
/// A message that has begun has to be whole by then.
const MESSAGE_PATIENCE: Duration = Duration::from_secs(10);
/// When nothing has to be said again.
const REST: Duration = Duration::from_secs(3_600);

/// What the recording server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may record.
    pub peers: Vec<IpNet>,
    pub rules: RoleRules,
    /// Our address as recorders have to reach it, where the system doesn't know.
    pub address: Option<IpAddr>,
    /// First and last port for audio; `None` takes what the system gives.
    pub rtp_ports: Option<(u16, u16)>,
    pub tenant: TenantId,
}

/// One address for both transports.
pub struct Listener {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Listener {
    /// # Errors
    /// The address can't be listened on.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        const TRIES: usize = 16;
        let mut tries = 0;
        loop {
            let tcp = TcpListener::bind(address).await?;
            match roomy_udp(tcp.local_addr()?).await {
                Ok(udp) => return Ok(Self { udp, tcp }),
                // A free port of one transport may be taken on the other.
                Err(_) if address.port() == 0 && tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// # Errors
    /// The socket is broken.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }
}

enum Event {
    Connected(u64, mpsc::Sender<Vec<u8>>),
    Message(Peer, Message),
    Disconnected(u64),
}

struct Server {
    agent: Agent,
    settings: Settings,
    sockets: MediaSockets,
    listener: Listener,
    ports: Ports,
    begun: Instant,
    connections: HashMap<u64, mpsc::Sender<Vec<u8>>>,
    accepted: u64,
    calls: HashMap<u64, mpsc::UnboundedSender<Input>>,
    news: mpsc::UnboundedSender<News>,
    events: mpsc::Sender<Event>,
}

/// Takes recordings until `sockets.shutdown`.
///
/// # Errors
/// The listening socket is broken.
pub async fn serve(
    listener: Listener,
    settings: Settings,
    sockets: MediaSockets,
) -> io::Result<()> {
    let address = listener.address()?;
    // Unbounded, but never more than one answer for each thing that a call is asked, and its end.
    let (news, from_calls) = mpsc::unbounded_channel();
    let (events, from_connections) = mpsc::channel(MESSAGES);
    let server = Server {
        agent: Agent::new(settings.rules.clone(), settings.peers.clone(), address.port()),
        ports: Ports::new(address.ip(), settings.rtp_ports),
        settings,
        sockets,
        listener,
        begun: Instant::now(),
        connections: HashMap::new(),
        accepted: 0,
        calls: HashMap::new(),
        news,
        events,
    };
    server.run(from_calls, from_connections).await;
    Ok(())
}

impl Server {
    async fn run(
        mut self,
        mut from_calls: mpsc::UnboundedReceiver<News>,
        mut from_connections: mpsc::Receiver<Event>,
    ) {
        let shutdown = self.sockets.shutdown.clone();
        let mut datagram = vec![0; MESSAGE_MAX_BYTES];
        loop {
            let deadline =
                self.agent.deadline().map_or(Instant::now() + REST, |at| self.begun + at);
            tokio::select! {
                () = shutdown.cancelled() => break,
                received = self.listener.udp.recv_from(&mut datagram) => {
                    // Errors are notices that an answer of ours didn't arrive.
                    if let Ok((length, from)) = received {
                        self.datagram(from, &datagram[..length]);
                    }
                }
                accepted = self.listener.tcp.accept() => match accepted {
                    Ok((stream, from)) => self.connected(stream, from),
                    Err(error) => {
                        tracing::warn!(%error, "a SIP connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                },
                Some(event) = from_connections.recv() => self.event(event),
                Some(news) = from_calls.recv() => self.news(news),
                () = sleep_until(deadline) => self.agent.handle_timeout(self.begun.elapsed()),
            }
            self.carry_out().await;
        }
        self.agent.shut_down(self.begun.elapsed());
        self.carry_out().await;
    }

    fn datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        match Message::parse(bytes) {
            Ok(message) => {
                self.agent.handle_message(self.begun.elapsed(), Peer::Udp(from), &message);
            }
            // Empty lines keep a path through a firewall open.
            Err(_) if bytes.iter().all(u8::is_ascii_whitespace) => {}
            Err(error) => tracing::debug!(%from, %error, "a datagram is no SIP message"),
        }
    }

    fn connected(&mut self, stream: TcpStream, from: SocketAddr) {
        if !self.agent.allows(from.ip()) || self.connections.len() >= CONNECTIONS_MAX {
            tracing::warn!(%from, "a SIP connection was refused");
            return;
        }
        self.accepted += 1;
        let peer = Peer::Tcp { connection: self.accepted, address: from };
        let events = self.events.clone();
        let shutdown = self.sockets.shutdown.clone();
        self.sockets.connections.spawn(async move {
            tokio::select! {
                // The last answers are on their way when the answers' channel is closed.
                () = signal(stream, peer, events) => {}
                () = async { shutdown.cancelled().await; tokio::time::sleep(WRITE_PATIENCE).await } => {}
            }
        });
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected(connection, answers) => {
                self.connections.insert(connection, answers);
            }
            Event::Message(peer, message) => {
                self.agent.handle_message(self.begun.elapsed(), peer, &message);
            }
            Event::Disconnected(connection) => {
                self.connections.remove(&connection);
            }
        }
    }

    fn news(&mut self, news: News) {
        let now = self.begun.elapsed();
        match news {
            News::Ready(call, ready) => self.agent.ready(now, call, ready),
            News::Ended(call) => {
                self.calls.remove(&call);
                self.agent.hang_up(now, call);
            }
        }
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { to: Peer::Udp(address), bytes } => {
                    if let Err(error) = self.listener.udp.send_to(&bytes, address).await {
                        tracing::debug!(%address, %error, "a SIP message was not sent");
                    }
                }
                Output::Send { to: Peer::Tcp { connection, .. }, bytes } => {
                    let answers = self.connections.get(&connection);
                    if answers.is_some_and(|answers| answers.try_send(bytes).is_err()) {
                        self.connections.remove(&connection);
                    }
                }
                Output::Open { call, peer, opening, streams } => {
                    let (to_call, inputs) = mpsc::unbounded_channel();
                    self.calls.insert(call, to_call);
                    let signals = peer.address();
                    let task = Call {
                        number: call,
                        sockets: self.sockets.clone(),
                        tenant: self.settings.tenant.clone(),
                        ports: self.ports.clone(),
                        address: self.address_for(signals).await,
                        signals,
                        news: self.news.clone(),
                    };
                    self.sockets.connections.spawn(task.run(opening, streams, inputs));
                }
                Output::Extend { call, streams } => self.tell(call, Input::Extend(streams)),
                Output::Control { call, control } => self.tell(call, Input::Control(control)),
                Output::Close { call, reason } => self.tell(call, Input::Close(reason)),
            }
        }
    }

    fn tell(&self, call: u64, input: Input) {
        if let Some(to_call) = self.calls.get(&call) {
            // A call that has just ended hears nothing more.
            let _ = to_call.send(input);
        }
    }

    /// Our own address on the way to the other side.
    async fn address_for(&self, peer: SocketAddr) -> IpAddr {
        if let Some(address) = self.settings.address {
            return address;
        }
        let listening = self.listener.address().map(|address| address.ip());
        let fallback = listening.unwrap_or(peer.ip());
        if !fallback.is_unspecified() {
            return fallback;
        }
        // Nothing is sent: the system only says which way it would go.
        let probe = async {
            let socket = UdpSocket::bind((fallback, 0)).await?;
            socket.connect(peer).await?;
            socket.local_addr()
        };
        probe.await.map_or(fallback, |address| address.ip().to_canonical())
    }
}

/// Reads one connection's messages and writes its answers.
async fn signal(stream: TcpStream, peer: Peer, events: mpsc::Sender<Event>) {
    let Peer::Tcp { connection, .. } = peer else { return };
    let (mut reader, mut writer) = stream.into_split();
    let (answers, mut to_write) = mpsc::channel::<Vec<u8>>(ANSWERS);
    if events.send(Event::Connected(connection, answers)).await.is_err() {
        return;
    }
    let write = async {
        while let Some(bytes) = to_write.recv().await {
            if !matches!(timeout(WRITE_PATIENCE, writer.write_all(&bytes)).await, Ok(Ok(()))) {
                break;
            }
        }
    };
    let read = async {
        let mut cutter = Cutter::default();
        let mut buffer = vec![0; 16 << 10];
        let mut deadline = Instant::now() + IDLE;
        loop {
            let length = match timeout_at(deadline, reader.read(&mut buffer)).await {
                Ok(Ok(length @ 1..)) => length,
                Err(_) if cutter.is_within_message() => {
                    tracing::warn!(from = %peer.address(), "a SIP message came too slowly");
                    return;
                }
                _ => return,
            };
            let went_on = cutter.is_within_message();
            cutter.push(&buffer[..length]);
            let mut whole = false;
            loop {
                match cutter.next_message() {
                    Ok(Some(message)) => {
                        whole = true;
                        if events.send(Event::Message(peer, message)).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(from = %peer.address(), %error, "a SIP connection is unreadable");
                        return;
                    }
                }
            }
            // Only a whole message earns more time; one byte after the other does not.
            deadline = match (cutter.is_within_message(), went_on && !whole) {
                (true, true) => deadline,
                (true, false) => Instant::now() + MESSAGE_PATIENCE,
                (false, _) => Instant::now() + IDLE,
            };
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
    let _ = events.send(Event::Disconnected(connection)).await;
}
