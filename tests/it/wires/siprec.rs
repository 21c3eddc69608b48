//! The recording server with real peers: SIPp signals and sends one stream, ffmpeg the other.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use backchannel::connect::telephony::MediaSockets;
use backchannel::connect::telephony::siprec::{Listener, RoleRules, Settings, serve};
use backchannel::domain::{EndReason, Role, TenantId};

use super::recorder::Recorder;
use super::{PATIENCE, sockets, until};
use crate::ports::free_ports;

/// 20 ms of each value in turn; none is µ-law's silence.
fn audio(frames: usize, from: u8) -> Vec<u8> {
    (0..frames).flat_map(|frame| [from + (frame % 100) as u8; 160]).collect()
}

struct Server {
    address: SocketAddr,
    rtp: u16,
    sockets: MediaSockets,
}

async fn server(recorder: &Recorder, peers: &str) -> Server {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("free ports");
    let address = listener.address().expect("bound");
    let rtp = free_ports(4);
    let settings = Settings {
        peers: vec![peers.parse().expect("a network")],
        rules: RoleRules::default(),
        address: None,
        rtp_ports: Some((rtp, rtp + 3)),
        tenant: TenantId::from("demo"),
    };
    let sockets = sockets(recorder);
    tokio::spawn(serve(listener, settings, sockets.clone()));
    Server { address, rtp, sockets }
}

/// A program that is stopped with the test.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    async fn succeeds(mut self, folder: &Path) {
        let ended = until("its end", || self.0.try_wait().expect("a child")).await;
        let log = std::fs::read_to_string(folder.join("sipp.log")).unwrap_or_default();
        assert!(ended.success(), "{log}");
    }
}

fn spawn(command: &mut Command) -> Peer {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).spawn();
    Peer(child.unwrap_or_else(|error| panic!("{name}: {error}; `.ci/need {name}` installs it")))
}

/// SIPp with the scenario, and `audio` as its stream.
async fn sipp(folder: &Path, to: SocketAddr, audio: &[u8], more: &[&str]) -> Peer {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/siprec/recorder.xml");
    std::fs::copy(scenario, folder.join("recorder.xml")).expect("copied");
    std::fs::write(folder.join("audio.ulaw"), audio).expect("written");
    let log = std::fs::File::create(folder.join("sipp.log")).expect("a log");
    let (port, rtp) = (free_ports(1), free_ports(4));
    let mut command = Command::new("sipp");
    command
        .current_dir(folder)
        .env("TERM", "dumb")
        .args(["-sf", "recorder.xml", "-m", "1", "-nostdin", "-timeout", "15s", "-timeout_error"])
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port.to_string()])
        .args(["-mp", &rtp.to_string()])
        .args(more)
        .arg(to.to_string())
        .stderr(log.try_clone().expect("a log"))
        .stdout(log);
    spawn(&mut command)
}

fn ffmpeg(recording: &PathBuf, to: u16) -> Peer {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-loglevel", "error", "-re", "-f", "mulaw", "-ar", "8000", "-ac", "1", "-i"])
        .arg(recording)
        .args(["-c:a", "copy", "-f", "rtp", "-payload_type", "0"])
        .arg(format!("rtp://127.0.0.1:{to}?pkt_size=172"))
        .stdout(Stdio::null());
    spawn(&mut command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_sipp_and_ffmpeg_record_is_heard_on_both_legs() {
    let recorder = Recorder::default();
    let server = server(&recorder, "127.0.0.0/8").await;
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (audio(100, 1), audio(75, 101));
    let sipp = sipp(folder.path(), server.address, &first, &["-d", "3500"]).await;
    recorder.call(0, |_| true).await;
    let recording = folder.path().join("second.ulaw");
    std::fs::write(&recording, &second).expect("written");
    let ffmpeg = ffmpeg(&recording, server.rtp + 2);
    sipp.succeeds(folder.path()).await;
    drop(ffmpeg);

    let call = recorder.ended(0).await;
    assert_eq!(call.ended, Some(EndReason::Hangup));
    assert_eq!(call.opening.tenant.as_str(), "demo");
    assert_eq!(call.opening.external_id.as_deref(), Some("ab30317f1a784dc48ff824d0d3715d86"));
    let legs: Vec<_> =
        call.opening.legs.iter().map(|leg| (leg.role, leg.name.as_deref())).collect();
    assert_eq!(legs, [(Role::Customer, Some("Ada")), (Role::Agent, None)]);
    assert!(call.audio[&0] == first, "SIPp's stream comes whole and in order");
    assert!(call.audio[&1] == second, "and so does ffmpeg's");
    for stamps in call.stamps.values() {
        assert!(stamps.windows(2).all(|pair| pair[1] - pair[0] == 20), "{stamps:?}");
    }
    assert!(call.stamps[&0][0] < 1_000, "it begins with the call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signalling_over_tcp_works_as_well() {
    let recorder = Recorder::default();
    let server = server(&recorder, "127.0.0.1/32").await;
    let folder = tempfile::tempdir().expect("a folder");
    let first = audio(25, 1);
    let sipp = sipp(folder.path(), server.address, &first, &["-t", "t1", "-d", "1000"]).await;
    sipp.succeeds(folder.path()).await;
    let call = recorder.ended(0).await;
    assert_eq!((call.ended, call.audio[&0] == first), (Some(EndReason::Hangup), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_on_the_list_records_nothing() {
    let recorder = Recorder::default();
    let server = server(&recorder, "192.0.2.0/24").await;
    let options = "OPTIONS sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport\r\n\
        From: <sip:t@127.0.0.1>;tag=1\r\nTo: <sip:srs@127.0.0.1>\r\nCall-ID: o-1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    stranger.send_to(options.as_bytes(), server.address).await.expect("sent");
    let mut answer = [0; 2_048];
    let heard = tokio::time::timeout(PATIENCE, stranger.recv(&mut answer)).await;
    let length = heard.expect("in time").expect("an answer");
    assert!(answer[..length].starts_with(b"SIP/2.0 403 "));
    let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    let end = tokio::io::AsyncReadExt::read(&mut stream, &mut answer);
    let end = tokio::time::timeout(PATIENCE, end).await.expect("in time");
    assert!(matches!(end, Ok(0) | Err(_)), "it is closed at once");
    assert_eq!(recorder.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_of_the_service_says_bye() {
    let recorder = Recorder::default();
    let server = server(&recorder, "127.0.0.0/8").await;
    let source = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let port = source.local_addr().expect("bound").port();
    let sdp = "v=0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n";
    let invite = format!(
        "INVITE sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n\
         From: <sip:t@127.0.0.1>;tag=1\r\nTo: <sip:srs@127.0.0.1>\r\nCall-ID: o-1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:t@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    source.send_to(invite.as_bytes(), server.address).await.expect("sent");
    let mut buffer = [0; 4_096];
    let mut hear = async || {
        let heard = tokio::time::timeout(PATIENCE, source.recv(&mut buffer)).await;
        let length = heard.expect("in time").expect("a message");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert!(hear().await.starts_with("SIP/2.0 100 "));
    let ok = hear().await;
    assert!(ok.starts_with("SIP/2.0 200 "), "{ok}");
    assert!(ok.contains(&format!("m=audio {} RTP/AVP 0", server.rtp)), "{ok}");
    server.sockets.shutdown.cancel();
    let mut last = hear().await;
    while last.starts_with("SIP/2.0 200 ") {
        // Nobody has acknowledged the answer, so it may come again.
        last = hear().await;
    }
    assert!(last.starts_with(&format!("BYE sip:t@127.0.0.1:{port} SIP/2.0")), "{last}");
    let call = recorder.ended(0).await;
    assert_eq!((call.ended, call.opening.legs[0].role), (Some(EndReason::Shutdown), Role::Mixed));
    server.sockets.connections.close();
    let waited = tokio::time::timeout(PATIENCE, server.sockets.connections.wait()).await;
    waited.expect("nothing is left");
}
