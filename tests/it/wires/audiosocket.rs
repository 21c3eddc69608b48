//! AudioSocket over TCP.

use std::net::SocketAddr;
use std::time::Duration;

use backchannel::connect::telephony::audiosocket::{ExpectedCall, Registry, serve};
use backchannel::connect::telephony::{MediaSockets, Notes};
use backchannel::domain::{EndReason, TenantId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::recorder::Recorder;
use super::{PATIENCE, sockets};

const ID: Uuid = Uuid::from_u128(0x4045_4b8a_96ff_4bc6_8a29_1c5f_6f1d_3a01);

async fn start(recorder: &Recorder) -> (SocketAddr, MediaSockets) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let registry = Registry::default();
    let tenant = TenantId::from("t-1");
    let call = ExpectedCall { tenant, notes: Notes::default() };
    registry.announce(ID, call, PATIENCE).expect("room");
    let sockets = sockets(recorder);
    tokio::spawn(serve(listener, sockets.clone(), registry));
    (address, sockets)
}

async fn dial(address: SocketAddr, id: Uuid) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("taken");
    stream.write_all(&[1, 0, 16]).await.expect("sent");
    stream.write_all(id.as_bytes()).await.expect("sent");
    stream
}

/// What comes until the other side closes.
async fn hear_out(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let all = stream.read_to_end(&mut heard);
    tokio::time::timeout(PATIENCE, all).await.expect("in time").expect("an orderly end");
    heard
}

#[tokio::test]
async fn an_announced_call_is_heard_and_nobody_else() {
    let recorder = Recorder::default();
    let (address, _sockets) = start(&recorder).await;
    let mut call = dial(address, ID).await;
    for _ in 0..50 {
        let mut frame = vec![0x10, 1, 64];
        frame.extend([7; 320]);
        // Cut where it hurts.
        call.write_all(&frame[..2]).await.expect("sent");
        call.flush().await.expect("sent");
        call.write_all(&frame[2..]).await.expect("sent");
    }
    call.write_all(&[0, 0, 0]).await.expect("sent");
    assert_eq!(hear_out(&mut call).await, [0, 0, 0], "the hang-up is answered");
    let heard = recorder.ended(0).await;
    assert_eq!(heard.ended, Some(EndReason::Hangup));
    assert_eq!(heard.audio[&0], vec![7; 16_000]);
    assert_eq!(heard.opening.tenant.as_str(), "t-1", "the announcer's");

    for id in [ID, Uuid::from_u128(1)] {
        let mut stranger = dial(address, id).await;
        assert_eq!(hear_out(&mut stranger).await, [0, 0, 0]);
    }
    assert_eq!(recorder.count(), 1);
}

#[tokio::test]
async fn a_stop_of_the_service_ends_the_call_in_order() {
    let recorder = Recorder::default();
    let (address, sockets) = start(&recorder).await;
    let mut call = dial(address, ID).await;
    call.write_all(&[0x12, 0, 4, 1, 0, 2, 0]).await.expect("sent");
    recorder.call(0, |call| call.audio.contains_key(&0)).await;
    sockets.shutdown.cancel();
    assert_eq!(hear_out(&mut call).await, [0, 0, 0]);
    assert_eq!(recorder.ended(0).await.ended, Some(EndReason::Shutdown));
    sockets.connections.close();
    drop(call);
    let waited = tokio::time::timeout(Duration::from_secs(5), sockets.connections.wait()).await;
    waited.expect("no connection is left");
}
