//! The wires with sockets of their own within the whole service: settings, keys, announcements.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket};

use super::{PATIENCE, Service};

fn address(service: &Service, wire: &str) -> SocketAddr {
    let found = service.access.media.iter().find(|(name, _)| *name == wire);
    found.expect("it listens").1
}

async fn calls(service: &Service) -> Vec<Value> {
    let url = format!("{}/v1/conversations?state=all", service.access.url);
    let request = reqwest::Client::new().get(url).bearer_auth(service.key());
    let answer: Value = request.send().await.expect("answers").json().await.expect("JSON");
    answer["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_listens_and_takes_calls() {
    let service = Service::start(|config| {
        config.media.audiosocket.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.media.siprec.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    })
    .await;
    let announce = async |body: Value| {
        let url = format!("{}/v1/media/audiosocket/calls", service.access.url);
        let request = reqwest::Client::new().post(url).bearer_auth(service.key()).json(&body);
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let (status, awaited) = announce(json!({"party": "customer", "external_id": "x-1"})).await;
    assert_eq!((status, &awaited["expires_in_seconds"]), (201, &json!(60)));
    let id: uuid::Uuid = awaited["uuid"].as_str().expect("text").parse().expect("a UUID");
    let (status, _) = announce(json!({"uuid": id.to_string()})).await;
    assert_eq!(status, 409, "it is announced already");
    for bad in [
        json!({"uuid": "x"}),
        json!({"party": "cat"}),
        json!({"party": "customer,agent"}),
        json!({"direction": "up"}),
        json!({"expires_in_seconds": 0}),
    ] {
        assert_eq!(announce(bad.clone()).await.0, 422, "{bad}");
    }

    let mut call = TcpStream::connect(address(&service, "AudioSocket")).await.expect("taken");
    call.write_all(&[1, 0, 16]).await.expect("sent");
    call.write_all(id.as_bytes()).await.expect("sent");
    call.write_all(&[0x10, 0, 4, 0, 0, 0, 0, 0, 0, 0]).await.expect("sent");
    let found = async {
        loop {
            let items = calls(&service).await;
            if let Some(item) = items.first().filter(|item| item["state"] == "ended") {
                return item.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let item = tokio::time::timeout(PATIENCE, found).await.expect("in time");
    assert_eq!(item["external_id"], "x-1");

    let options = "OPTIONS sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport\r\n\
        From: <sip:t@127.0.0.1>;tag=1\r\nTo: <sip:srs@127.0.0.1>\r\nCall-ID: o-1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let sip = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    sip.send_to(options.as_bytes(), address(&service, "SIPREC")).await.expect("sent");
    let mut answer = [0; 2_048];
    let heard = tokio::time::timeout(PATIENCE, sip.recv(&mut answer)).await;
    let length = heard.expect("in time").expect("an answer");
    assert!(answer[..length].starts_with(b"SIP/2.0 200 OK\r\n"));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_set_does_not_listen() {
    let service = Service::start(|_| ()).await;
    assert!(service.access.media.is_empty());
    let url = format!("{}/v1/media/audiosocket/calls", service.access.url);
    let request = reqwest::Client::new().post(url).bearer_auth(service.key()).json(&json!({}));
    assert_eq!(request.send().await.expect("answers").status(), 409);
    service.stop().await;
}
