//! Strangers, floods and broken senders: each gets a clear answer or none, and a call that is live
//! beside them loses nothing.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use backchannel::connect::telephony::MediaSockets;
use backchannel::connect::telephony::siprec::{Listener, RoleRules, Settings, serve};
use backchannel::domain::{EndReason, TenantId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::recorder::Recorder;
use super::{PATIENCE, Service, dial, hear_out, send, sockets, wires};

const PACKETS: u16 = 100;

struct Source {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Source {
    async fn new(server: SocketAddr, ip: &str) -> Self {
        Self { socket: UdpSocket::bind((ip, 0)).await.expect("a port"), server }
    }

    fn message(&self, method: &str, call: &str, cseq: u32, to_tag: &str, body: &str) -> String {
        let from = self.socket.local_addr().expect("bound");
        let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        format!(
            "{method} sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{call}{cseq};rport\r\n\
             From: <sip:t@127.0.0.1>;tag=1\r\nTo: <sip:srs@127.0.0.1>{tag}\r\nCall-ID: {call}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:t@{from}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    async fn say(&self, message: &str) {
        self.socket.send_to(message.as_bytes(), self.server).await.expect("sent");
    }

    /// The next answer that isn't provisional.
    async fn hear(&self) -> String {
        let mut buffer = [0; 4_096];
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.socket.recv(&mut buffer)).await;
            let text = String::from_utf8_lossy(&buffer[..heard.expect("in time").expect("heard")]);
            if !text.starts_with("SIP/2.0 1") {
                return text.into_owned();
            }
        }
    }
}

fn field<'a>(text: &'a str, before: &str, end: char) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split(end).next().expect("a rest").trim()
}

fn rtp(number: u16, ssrc: u32, value: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(number.to_be_bytes());
    packet.extend((u32::from(number) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([value; 160]);
    packet
}

async fn server(recorder: &Recorder) -> (SocketAddr, MediaSockets) {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("free ports");
    let address = listener.address().expect("bound");
    let settings = Settings {
        peers: vec!["127.0.0.1/32".parse().expect("a network")],
        rules: RoleRules::default(),
        address: None,
        rtp_ports: None,
        tenant: TenantId::from("demo"),
    };
    let sockets = sockets(recorder);
    tokio::spawn(serve(listener, settings, sockets.clone()));
    (address, sockets)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_stays_whole_beside_floods_and_strangers() {
    const OFFER: &str = "v=0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n";
    let recorder = Recorder::with_places(1);
    let (address, _sockets) = server(&recorder).await;
    let recording = Source::new(address, "127.0.0.1").await;
    recording.say(&recording.message("INVITE", "good", 1, "", OFFER)).await;
    let ok = recording.hear().await;
    assert!(ok.starts_with("SIP/2.0 200 "), "{ok}");
    let tag = field(&ok, "To: <sip:srs@127.0.0.1>;tag=", '\r').to_owned();
    let port: u16 = field(&ok, "m=audio ", ' ').parse().expect("a port");
    recording.say(&recording.message("ACK", "good", 1, &tag, "")).await;

    let media = SocketAddr::from(([127, 0, 0, 1], port));
    let stream = tokio::spawn(async move {
        let own = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let elsewhere = UdpSocket::bind("127.0.0.2:0").await.expect("a port");
        let begun = tokio::time::Instant::now();
        for number in 0..PACKETS {
            own.send_to(&rtp(number, 1, 1 + number as u8), media).await.expect("sent");
            for stray in 0..20u16 {
                // The right numbers from the wrong address, another sender from the right one, noise.
                let forged = rtp(number.wrapping_add(stray), 1, 200);
                elsewhere.send_to(&forged, media).await.expect("sent");
                own.send_to(&rtp(stray, 2, 201), media).await.expect("sent");
                own.send_to(&[0x80; 7], media).await.expect("sent");
            }
            tokio::time::sleep_until(begun + Duration::from_millis(20) * u32::from(number + 1))
                .await;
        }
    });

    let flood = Source::new(address, "127.0.0.1").await;
    for number in 0..1_500 {
        flood.say(&flood.message("INVITE", &format!("f-{number}"), 1, "", OFFER)).await;
        if number % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let refused = flood.hear().await;
    assert!(refused.starts_with("SIP/2.0 503 "), "{refused}");
    assert!(refused.contains("Retry-After: 15\r\n"), "{refused}");

    // The same call again, by another way; and somebody who isn't on the list says its end.
    let twin = Source::new(address, "127.0.0.1").await;
    twin.say(&twin.message("INVITE", "good", 2, "", OFFER)).await;
    assert!(twin.hear().await.starts_with("SIP/2.0 482 "));
    let stranger = Source::new(address, "127.0.0.2").await;
    stranger.say(&stranger.message("BYE", "good", 2, &tag, "")).await;
    assert!(stranger.hear().await.starts_with("SIP/2.0 403 "));

    // A message in fragments is understood, an endless one is not waited for.
    let mut tcp = TcpStream::connect(address).await.expect("taken");
    let options = twin.message("OPTIONS", "o-1", 1, "", "").replace("/UDP", "/TCP");
    for piece in options.as_bytes().chunks(40) {
        tcp.write_all(piece).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut answer = [0; 2_048];
    let length = tokio::time::timeout(PATIENCE, tcp.read(&mut answer)).await;
    let length = length.expect("in time").expect("an answer");
    assert!(answer[..length].starts_with(b"SIP/2.0 200 "));
    let endless = format!("OPTIONS sip:x SIP/2.0\r\nSubject: {}", "x".repeat(20_000));
    tcp.write_all(endless.as_bytes()).await.expect("sent");
    let closed = tokio::time::timeout(PATIENCE, tcp.read(&mut answer)).await.expect("in time");
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");

    stream.await.expect("sent");
    recording.say(&recording.message("BYE", "good", 2, &tag, "")).await;
    assert!(recording.hear().await.starts_with("SIP/2.0 200 "));
    let call = recorder.ended(0).await;
    let heard: Vec<u8> = call.audio[&0].chunks(160).map(|packet| packet[0]).collect();
    let sent: Vec<u8> = (1..=PACKETS as u8).collect();
    assert_eq!(heard, sent, "all of our packets, in order, and nobody else's");
    assert_eq!((call.ended, recorder.count()), (Some(EndReason::Hangup), 1));
    let late = recorder.refused_late.load(Ordering::SeqCst);
    assert_eq!(late, 0, "who is refused has no ports by then");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_head_is_given_up() {
    let recorder = Recorder::default();
    let (sip, _sockets) = server(&recorder).await;
    let service = Service::start(|_| ()).await;
    let http = service.access.url.strip_prefix("http://").expect("it is plain");
    let http = http.trim_end_matches('/').parse().expect("an address");
    tokio::join!(
        drip(sip, b"OPTIONS sip:x SIP/2.0\r\nSubject: "),
        drip(http, b"GET /v1/listen HTTP/1.1\r\nX: "),
    );
    service.stop().await;
}

/// Sends a head that doesn't end, a byte at a time, until it is given up.
async fn drip(address: SocketAddr, head: &[u8]) {
    let mut tcp = TcpStream::connect(address).await.expect("taken");
    tcp.write_all(head).await.expect("sent");
    let begun = Instant::now();
    let mut answer = [0; 64];
    while tcp.write_all(b"x").await.is_ok() {
        let pause = Duration::from_millis(250);
        // Nothing yet, or a word of farewell, is no end.
        if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(pause, tcp.read(&mut answer)).await {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is still open");
    }
    assert!(begun.elapsed() > Duration::from_secs(5), "a slow line is no attack yet");
}

#[tokio::test]
async fn what_deepgram_knows_and_we_do_not_is_no_fault() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!(
        "ws://{address}/v1/listen?encoding=linear16&sample_rate=8000&model=nova-9&diarize=true&\
         numerals=maybe&keyterm=%F0%9F%A6%80&redact=pci&redact=ssn&endpointing=false&x=%00&{}",
        (0..200).map(|number| format!("y{number}=1")).collect::<Vec<_>>().join("&")
    );
    let (mut client, _) = dial(&url, &[]).await.expect("taken");
    send(&mut client, vec![0; 320]).await;
    recorder.call(0, |call| call.audio.contains_key(&0)).await;
    let (mut raw, _) = dial(&format!("ws://{address}/v1/listen"), &[]).await.expect("taken");
    send(&mut raw, vec![1; 320]).await;
    let (code, reason, texts) = hear_out(&mut raw).await;
    let says = "DATA-0000: the audio is no WAV file: raw audio needs encoding and sample_rate";
    assert_eq!((code, reason.as_str()), (1008, says));
    assert!(texts[0].contains("\"type\":\"Error\""), "{texts:?}");
    assert_eq!(recorder.count(), 1);
}
