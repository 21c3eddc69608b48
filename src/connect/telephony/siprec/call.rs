//! One recorded call: its RTP ports, and the conversation that their audio goes to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::agent::{Answer, Refusal, StreamSpec};
use super::rtp::{RtpStream, may_send};
use crate::connect::telephony::{LiveCall, MediaSockets, Opening};
use crate::domain::{EndReason, TenantId};
use crate::flow::driver::{CallError, Control};

/// Datagrams of one call that may wait; more are dropped, and become a gap.
const PACKETS: usize = 512;
const PACKET_MAX_BYTES: usize = 2_048;
const TICK: Duration = Duration::from_millis(100);
/// So many ports are tried before a call is refused.
const TRIES: usize = 64;
/// What the system holds for a port while nobody reads: most of a second of a flood. Its own measure
/// is a tenth of a second of it, less than a busy machine may keep a reader waiting.
const RECEIVE_BUFFER_BYTES: usize = 1 << 20;

/// A socket that holds much; as much as the system allows, which need not be all.
pub(super) async fn roomy_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address).await?;
    if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
        tracing::debug!(%error, "a socket holds no more than is usual");
    }
    Ok(socket)
}

/// Where RTP is taken. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ports {
    ip: IpAddr,
    /// First and last; `None` takes what the system gives.
    range: Option<(u16, u16)>,
    next: Arc<AtomicU16>,
}

impl Ports {
    pub fn new(ip: IpAddr, range: Option<(u16, u16)>) -> Self {
        Self { ip, range, next: Arc::default() }
    }

    /// A socket with an even port, as RFC 3550 has it: the odd one above is for reports, which we
    /// don't read.
    async fn take(&self) -> std::io::Result<UdpSocket> {
        let mut refused = None;
        for _ in 0..TRIES {
            let port = match self.range {
                None => 0,
                Some((first, last)) => {
                    let first = first.next_multiple_of(2);
                    let pairs = (last.saturating_sub(first) / 2 + 1).max(1);
                    first + self.next.fetch_add(1, Ordering::Relaxed) % pairs * 2
                }
            };
            match roomy_udp((self.ip, port).into()).await {
                Ok(socket) if socket.local_addr()?.port() % 2 == 0 => return Ok(socket),
                Ok(_) => {}
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()))
    }
}

/// What the signalling wants of a call.
pub(super) enum Input {
    Extend(Vec<StreamSpec>),
    Control(Control),
    Close(EndReason),
}

/// What a call tells the signalling.
pub(super) enum News {
    Ready(u64, Result<Answer, Refusal>),
    /// It has ended by itself, and is durable.
    Ended(u64),
}

pub(super) struct Call {
    pub number: u64,
    pub sockets: MediaSockets,
    pub tenant: TenantId,
    pub ports: Ports,
    /// Of ours, as the other side has to reach it.
    pub address: IpAddr,
    /// Of the other side's signalling.
    pub signals: SocketAddr,
    pub news: mpsc::UnboundedSender<News>,
}

struct Datagram {
    leg: usize,
    bytes: Bytes,
}

/// The ports that are open, and what comes to them.
struct Media {
    streams: Vec<RtpStream>,
    /// Of the other side's signalling.
    signals: SocketAddr,
    /// One reader for each port; they end with it.
    readers: JoinSet<()>,
    to_call: mpsc::Sender<Datagram>,
    datagrams: mpsc::Receiver<Datagram>,
    ready: Vec<(u64, Bytes)>,
}

impl Media {
    fn new(signals: SocketAddr) -> Self {
        let (to_call, datagrams) = mpsc::channel(PACKETS);
        let readers = JoinSet::new();
        Self { streams: Vec::new(), signals, readers, to_call, datagrams, ready: Vec::new() }
    }

    /// Opens a port for each; all or none.
    async fn open(&mut self, ports: &Ports, specs: &[StreamSpec]) -> std::io::Result<Vec<u16>> {
        let mut opened = Vec::new();
        for _ in specs {
            opened.push(ports.take().await?);
        }
        let mut numbers = Vec::new();
        for (socket, spec) in opened.into_iter().zip(specs) {
            numbers.push(socket.local_addr()?.port());
            let leg = self.streams.len();
            self.streams.push(RtpStream::new(spec.format, spec.events));
            let (signals, offered) = (self.signals, spec.from);
            let is_ours = move |from| may_send(from, signals, offered);
            self.readers.spawn(read(socket, leg, is_ours, self.to_call.clone()));
        }
        Ok(numbers)
    }

    /// Answers whether it was audio of this call.
    fn take(&mut self, now: Duration, datagram: &Datagram, live: &dyn LiveCall) -> bool {
        let Datagram { leg, bytes } = datagram;
        let stream = &mut self.streams[*leg];
        let keys = stream.keys;
        let taken = stream.handle(now, bytes, &mut self.ready);
        if stream.keys > keys {
            metrics::counter!("backchannel_media_dtmf_total").increment(1);
        }
        hand_over(&mut self.ready, *leg, live);
        taken
    }

    fn tick(&mut self, now: Duration, live: &dyn LiveCall) {
        for (leg, stream) in self.streams.iter_mut().enumerate() {
            stream.tick(now, &mut self.ready);
            hand_over(&mut self.ready, leg, live);
        }
    }

    fn flush(&mut self, live: &dyn LiveCall) {
        for (leg, stream) in self.streams.iter_mut().enumerate() {
            stream.flush(&mut self.ready);
            hand_over(&mut self.ready, leg, live);
        }
    }
}

fn hand_over(ready: &mut Vec<(u64, Bytes)>, leg: usize, live: &dyn LiveCall) {
    for (at_ms, payload) in ready.drain(..) {
        live.audio(leg, Some(at_ms), payload);
    }
}

/// What strangers send is left out here, so that it fills no queue.
async fn read(
    socket: UdpSocket,
    leg: usize,
    is_ours: impl Fn(SocketAddr) -> bool,
    to_call: mpsc::Sender<Datagram>,
) {
    let mut buffer = [0; PACKET_MAX_BYTES];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            sleep(TICK).await;
            continue;
        };
        if !is_ours(from) {
            metrics::counter!("backchannel_media_strange_packets_total").increment(1);
            continue;
        }
        let bytes = Bytes::copy_from_slice(&buffer[..length]);
        if to_call.try_send(Datagram { leg, bytes }).is_err() {
            metrics::counter!("backchannel_audio_dropped_payloads_total").increment(1);
        }
    }
}

impl Call {
    pub async fn run(
        self,
        opening: Opening,
        streams: Vec<StreamSpec>,
        mut inputs: mpsc::UnboundedReceiver<Input>,
    ) {
        let live = metrics::gauge!("backchannel_media_connections", "protocol" => "siprec");
        live.increment(1);
        self.converse(opening, streams, &mut inputs).await;
        live.decrement(1);
        // The signalling may be gone already.
        let _ = self.news.send(News::Ended(self.number));
    }

    async fn converse(
        &self,
        opening: Opening,
        streams: Vec<StreamSpec>,
        inputs: &mut mpsc::UnboundedReceiver<Input>,
    ) {
        // Before its ports are taken: those of a flood that is refused would be missing elsewhere.
        let place = match self.sockets.calls.reserve(&self.tenant) {
            Ok(place) => place,
            Err(error) => return self.refuse(&error),
        };
        let mut media = Media::new(self.signals);
        let answer = match media.open(&self.ports, &streams).await {
            Ok(ports) => Answer { address: self.address, ports },
            Err(error) => {
                tracing::error!(%error, "no port for a recorded call");
                self.tell(Err(Refusal::BUSY));
                return;
            }
        };
        let opening = opening.for_tenant(self.tenant.clone());
        let mut live = match self.sockets.calls.open_in(place, opening).await {
            Ok(live) => live,
            Err(error) => return self.refuse(&error),
        };
        tracing::info!(media.protocol = "siprec", call.id = %live.id(), "call opened");
        self.tell(Ok(answer));
        let reason = self.listen(&mut media, live.as_mut(), inputs).await;
        media.flush(live.as_ref());
        drop(media);
        let id = live.id().clone();
        match live.close(reason).await {
            Ok(summary) => {
                let reason = reason.as_str();
                tracing::info!(call.id = %id, turns = summary.turns, reason, "call ended");
            }
            Err(error) => tracing::error!(call.id = %id, %error, "the call's end is not durable"),
        }
    }

    async fn listen(
        &self,
        media: &mut Media,
        live: &mut dyn LiveCall,
        inputs: &mut mpsc::UnboundedReceiver<Input>,
    ) -> EndReason {
        let begun = Instant::now();
        let mut heard_at = begun;
        let mut paused = false;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                input = inputs.recv() => match input {
                    Some(Input::Extend(streams)) => {
                        let opened = media.open(&self.ports, &streams).await;
                        match &opened {
                            Ok(_) => {
                                let legs = streams.into_iter().map(|stream| stream.leg);
                                if !legs.map(Control::Join).all(|join| live.control(join)) {
                                    return EndReason::ProtocolError;
                                }
                            }
                            Err(error) => tracing::error!(%error, "no port for one more stream"),
                        }
                        let address = self.address;
                        self.tell(opened.map_or(Err(Refusal::FAILED), |ports| {
                            Ok(Answer { address, ports })
                        }));
                    }
                    Some(Input::Control(control)) => {
                        match control {
                            Control::Pause => paused = true,
                            Control::Resume { .. } => paused = false,
                            _ => {}
                        }
                        heard_at = Instant::now();
                        if !live.control(control) {
                            return EndReason::ProtocolError;
                        }
                    }
                    Some(Input::Close(reason)) => return reason,
                    None => return EndReason::Shutdown,
                },
                Some(datagram) = media.datagrams.recv() => {
                    if media.take(begun.elapsed(), &datagram, &*live) {
                        heard_at = Instant::now();
                    }
                }
                _ = ticks.tick() => {
                    media.tick(begun.elapsed(), &*live);
                    if !paused && heard_at.elapsed() > self.sockets.patience {
                        return EndReason::Timeout;
                    }
                }
            }
        }
    }

    fn refuse(&self, error: &CallError) {
        tracing::warn!(media.protocol = "siprec", %error, "a call was not taken");
        self.tell(Err(match error {
            CallError::Busy(full) => Refusal::full(*full),
            CallError::ShuttingDown => Refusal::BUSY,
            _ => Refusal::FAILED,
        }));
    }

    fn tell(&self, ready: Result<Answer, Refusal>) {
        let _ = self.news.send(News::Ready(self.number, ready));
    }
}
