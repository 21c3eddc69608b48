//! mod_audio_stream and jambonz over real sockets.

use backchannel::domain::{EndReason, Role};
use serde_json::json;

use super::recorder::Recorder;
use super::{dial, hear_out, say, send, wires};

#[tokio::test]
async fn a_freeswitch_channel_in_stereo() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!("ws://{address}/v1/media/freeswitch?mix=stereo&rate=16k");
    let (mut client, _) = dial(&url, &[]).await.expect("taken");
    say(&mut client, json!({"uuid": "u-1", "queue": "billing"})).await;
    send(&mut client, [1, 0, 2, 0].repeat(320)).await;
    // A frame cut in two.
    send(&mut client, vec![1, 0, 2]).await;
    send(&mut client, vec![0]).await;
    client.close(None).await.expect("closed");
    let call = recorder.ended(0).await;
    assert_eq!(call.ended, Some(EndReason::Hangup));
    assert_eq!(call.opening.external_id.as_deref(), Some("u-1"));
    assert_eq!((&call.audio[&0], &call.audio[&1]), (&[1, 0].repeat(321), &[2, 0].repeat(321)));
    let legs: Vec<_> = call.opening.legs.iter().map(|leg| (leg.role, leg.sample_rate_hz)).collect();
    assert_eq!(legs, [(Role::Customer, 16_000), (Role::Agent, 16_000)]);
}

#[tokio::test]
async fn a_jambonz_call_with_its_subprotocol() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!("ws://{address}/v1/media/jambonz");
    let ours = [("sec-websocket-protocol", "audio.jambonz.org")];
    let (mut client, protocol) = dial(&url, &ours).await.expect("taken");
    assert_eq!(protocol.as_deref(), Some("audio.jambonz.org"), "jambonz hangs up without it");
    let start = json!({"callSid": "cs-1", "direction": "inbound", "from": "+15551230001",
        "sampleRate": 8000, "mixType": "stereo", "metadata": {"queue": "billing"}});
    say(&mut client, start).await;
    send(&mut client, [1, 0, 2, 0].repeat(160)).await;
    say(&mut client, json!({"event": "dtmf", "dtmf": "4", "duration": 800})).await;
    client.close(None).await.expect("closed");
    let call = recorder.ended(0).await;
    assert_eq!(call.ended, Some(EndReason::Hangup));
    assert_eq!(call.audio[&1], [2, 0].repeat(160));
    assert_eq!(call.opening.attributes["queue"], "billing");
    assert!(!call.opening.attributes.values().any(|value| value == "4"), "keys are not kept");
}

#[tokio::test]
async fn a_full_house_says_so_on_every_wire() {
    let recorder = Recorder::with_capacity(0);
    let address = wires(&recorder).await;
    let jambonz = json!({"callSid": "cs-1", "sampleRate": 8000}).to_string();
    let listen = "listen?encoding=linear16&sample_rate=8000";
    for (path, first) in [
        ("media/freeswitch", None),
        ("media/jambonz", Some(jambonz)),
        ("media/asterisk", Some("MEDIA_START format:ulaw".to_owned())),
        (listen, None),
    ] {
        let (mut client, _) = dial(&format!("ws://{address}/v1/{path}"), &[]).await.expect("taken");
        match first {
            Some(text) => say(&mut client, text).await,
            None => send(&mut client, vec![0; 320]).await,
        }
        assert_eq!(hear_out(&mut client).await.0, 1013, "{path}");
    }
}
