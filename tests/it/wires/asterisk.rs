//! `chan_websocket` over real sockets.

use backchannel::domain::{EndReason, Role};
use backchannel::flow::audio::Codec;
use serde_json::json;

use super::recorder::Recorder;
use super::{dial, hear_out, say, send, wires};

#[tokio::test]
async fn a_channel_is_heard_until_it_is_hung_up() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!("ws://{address}/v1/media/asterisk?party=customer&queue=billing");
    let (mut client, protocol) =
        dial(&url, &[("sec-websocket-protocol", "media")]).await.expect("taken");
    assert_eq!(protocol.as_deref(), Some("media"));
    say(
        &mut client,
        "MEDIA_START connection_id:e226 channel:WebSocket/media channel_id:17.4 format:alaw \
         optimal_frame_size:160 ptime:20",
    )
    .await;
    for _ in 0..50 {
        send(&mut client, vec![0xD5; 160]).await;
    }
    say(&mut client, "DTMF_END channel_id:17.4 digit:5").await;
    client.close(None).await.expect("closed");
    let call = recorder.ended(0).await;
    assert_eq!(call.ended, Some(EndReason::Hangup), "an orderly close is the hang-up");
    assert_eq!(call.audio[&0], vec![0xD5; 8_000]);
    let leg = &call.opening.legs[0];
    assert_eq!((leg.role, leg.codec), (Role::Customer, Codec::Alaw));
    assert_eq!(call.opening.external_id.as_deref(), Some("17.4"));
}

#[tokio::test]
async fn json_control_and_a_broken_connection() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!("ws://{address}/v1/media/asterisk");
    let (mut client, protocol) = dial(&url, &[]).await.expect("taken");
    assert_eq!(protocol, None);
    let start = json!({"event": "MEDIA_START", "channel_id": "17.5", "format": "slin16"});
    say(&mut client, start).await;
    send(&mut client, vec![0; 640]).await;
    recorder.call(0, |call| call.audio.contains_key(&0)).await;
    drop(client);
    assert_eq!(recorder.ended(0).await.ended, Some(EndReason::Disconnected));

    let (mut client, _) = dial(&url, &[]).await.expect("taken");
    send(&mut client, vec![0; 160]).await;
    let (code, reason, _) = hear_out(&mut client).await;
    assert_eq!((code, reason.as_str()), (1008, "audio came before MEDIA_START"));
}
