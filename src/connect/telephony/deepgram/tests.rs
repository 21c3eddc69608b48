use std::time::Duration;

use serde_json::{Value, json};

use super::{Format, Listen, Protocol};
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Output};
use crate::domain::{
    ConversationId, Direction, EndReason, Partial, Party, PartyId, Redacted, Role, Turn, Word,
};
use crate::flow::audio::Codec;
use crate::flow::driver::{Control, News};

const NOW: Duration = Duration::ZERO;

/// `more` comes first: the first of a name counts.
fn query(more: &str) -> Vec<(String, String)> {
    let all = format!("{more}&encoding=linear16&sample_rate=8000");
    all.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn protocol(more: &str) -> Protocol {
    let listen = Listen::from_query(&query(more)).expect("a right query");
    Protocol::new(Duration::from_secs(30), listen, "r-1", "2026-01-01T00:00:00Z")
}

/// 16-bit silence on all channels.
fn audio(ms: usize, channels: usize) -> Seen {
    Seen::Binary(vec![0; ms * 16 * channels])
}

fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

fn party(number: usize) -> Party {
    Party { id: PartyId::from(format!("p-{number}")), role: Role::Mixed, name: None }
}

/// A turn whose words take 300 ms each.
fn turn(party_number: usize, start_ms: u64, said: &str) -> News {
    let words: Vec<Word> = said
        .split(' ')
        .enumerate()
        .map(|(number, word)| Word {
            text: Redacted::vouched(word),
            start_ms: start_ms + 300 * number as u64,
            end_ms: start_ms + 300 * (number as u64 + 1),
            confidence: 0.75,
        })
        .collect();
    News::Turn(Turn {
        id: "t-1".into(),
        party: party(party_number),
        start_ms,
        end_ms: words.last().map_or(start_ms, |word| word.end_ms),
        text: Redacted::vouched(said),
        words,
        mean_logprob: Some(-0.2),
        display_text: None,
        language: "en".to_owned(),
    })
}

fn partial(start_ms: u64, said: &str, stable_prefix_chars: usize) -> News {
    let text = Redacted::vouched(said);
    News::Partial(Partial {
        turn_id: "t-1".into(),
        party: party(1),
        start_ms,
        text,
        stable_prefix_chars,
    })
}

/// What is sent on these news, as JSON.
fn told(protocol: &mut Protocol, news: &[News]) -> Vec<Value> {
    news.iter().for_each(|news| protocol.handle_news(news));
    let outputs: Vec<Output> = std::iter::from_fn(|| protocol.poll_output()).collect();
    sent(&outputs)
}

fn sent(outputs: &[Output]) -> Vec<Value> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Send(text) => Some(serde_json::from_str(text).expect("JSON")),
            _ => None,
        })
        .collect()
}

#[test]
fn a_query_says_what_comes() {
    let listen = Listen::from_query(&query(
        "encoding=mulaw&model=nova-3&channels=2&multichannel=true&interim_results=True&\
         smart_format=true&vad_events=1&utterance_end_ms=500&tag=a&tag=b&extra=queue:billing&\
         extra=external_id:x:1&extra=parties:agent,customer&extra=direction:outbound&endpointing=10",
    ))
    .expect("a right query");
    let format = Format { codec: Codec::Mulaw, sample_rate_hz: 8_000, channels: 2 };
    assert_eq!((listen.format, listen.multichannel), (Some(format), true));
    assert!(listen.interim_results && listen.punctuate && listen.vad_events);
    assert_eq!(listen.utterance_end_ms, Some(1_000));
    assert_eq!(listen.roles(format), Ok(vec![Role::Agent, Role::Customer]));
    assert_eq!(listen.notes.external_id.as_deref(), Some("x:1"));
    assert_eq!(listen.notes.direction, Some(Direction::Outbound));
    assert_eq!(listen.notes.attributes["tag"], "a,b");
    assert_eq!(listen.notes.attributes["queue"], "billing");
    let usual = Listen::from_query(&query("")).expect("a right query");
    assert_eq!((usual.roles(format), usual.punctuate), (Ok(vec![Role::Mixed]), false));
}

#[test]
fn each_fault_of_a_query_gets_one_clear_sentence() {
    let check = |more: &str, says: &str| {
        assert_eq!(Listen::from_query(&query(more)), Err(says.to_owned()), "{more}");
    };
    check("encoding=opus", "encoding is not supported: use linear16, mulaw or alaw");
    check("sample_rate=", "encoding needs a sample_rate, from 8000 to 48000");
    check("sample_rate=96000", "sample_rate must be from 8000 to 48000");
    check("sample_rate=fast", "sample_rate must be a number");
    check("channels=0", "channels must be from 1 to 8");
    check("channels=9", "channels must be from 1 to 8");
    check("callback=http://x", "callback is not supported: results come over this connection");
    check(
        "extra=parties:cat",
        "each of parties must be customer, agent, supervisor, bot, expert or mixed",
    );
    check(
        "channels=2&multichannel=true&extra=party:agent",
        "2 channels need as many parties, not 1",
    );
}

#[test]
fn a_call_from_first_audio_to_metadata() {
    let mut protocol = protocol("interim_results=true&punctuate=true");
    assert_eq!(protocol.poll_output(), None, "no audio, no call");
    let outputs = seen(&mut protocol, [audio(1_500, 1)]);
    let [Output::Start(opening), Output::Audio { leg: 0, at_ms: None, payload }] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(payload.len(), 24_000);
    assert!(opening.wants_news);
    assert_eq!(opening.external_id.as_deref(), Some("r-1"));
    assert_eq!((opening.legs.len(), opening.legs[0].role), (1, Role::Mixed));
    protocol.handle_opened(&ConversationId::from("c-1"));

    let results = told(&mut protocol, &[partial(200, "Hello the", 6)]);
    assert_eq!(
        results,
        [json!({"type": "Results", "channel_index": [0, 1], "duration": 1.3, "start": 0.2,
            "is_final": false, "speech_final": false, "from_finalize": false,
            "channel": {"alternatives": [
                {"transcript": "Hello the", "confidence": 0.6667, "words": []}]},
            "metadata": {"request_id": "r-1", "model_uuid": "6261636b-6368-416e-8e65-6c2d6c6f6361",
                "model_info": {"name": "backchannel", "version": env!("CARGO_PKG_VERSION"),
                    "arch": "whisper"}}})]
    );
    let results = told(&mut protocol, &[turn(1, 200, "Hello there.")]);
    assert_eq!(results[0]["is_final"], true);
    assert_eq!(results[0]["speech_final"], true);
    assert_eq!(
        results[0]["channel"]["alternatives"],
        json!([{"transcript": "Hello there.", "confidence": 0.75, "words": [
            {"word": "hello", "punctuated_word": "Hello", "start": 0.2, "end": 0.5, "confidence": 0.75},
            {"word": "there", "punctuated_word": "there.", "start": 0.5, "end": 0.8,
                "confidence": 0.75}]}])
    );

    let outputs = seen(&mut protocol, [text(r#"{"type":"CloseStream"}"#)]);
    assert_eq!(outputs, [Output::Stop(EndReason::Hangup)], "metadata waits for the finals");
    assert_eq!(told(&mut protocol, &[turn(1, 900, "Bye.")]).len(), 1);
    protocol.handle_finished(2);
    let outputs: Vec<Output> = std::iter::from_fn(|| protocol.poll_output()).collect();
    let metadata = &sent(&outputs)[0];
    let of_24_000_zeros = "151ff79f29e96d211576b9a2e3e78f518b26109916616945d50cdee82dd2ba8b";
    assert_eq!(metadata["sha256"], of_24_000_zeros);
    assert_eq!(
        (&metadata["type"], &metadata["duration"], &metadata["channels"], &metadata["created"]),
        (&json!("Metadata"), &json!(1.5), &json!(1), &json!("2026-01-01T00:00:00Z"))
    );
}

#[test]
fn without_punctuate_words_are_plain() {
    let mut protocol = protocol("");
    seen(&mut protocol, [audio(20, 1)]);
    let said = "Well, it's [card-1]. - OK?";
    let results = told(&mut protocol, &[turn(1, 0, said)]);
    let heard = &results[0]["channel"]["alternatives"][0];
    assert_eq!(heard["transcript"], "well it's [card-1] ok");
    assert!(heard["words"][0].get("punctuated_word").is_none());
    assert_eq!(told(&mut protocol, &[partial(0, "Hi", 0)]), Vec::<Value>::new(), "not asked for");
}

#[test]
fn channels_are_parties_or_one_mix() {
    let frames = || Seen::Binary([1u8, 0, 3, 0].repeat(10));
    let outputs = seen(&mut protocol("channels=2&multichannel=true"), [frames()]);
    let [
        Output::Start(opening),
        Output::Audio { payload: left, .. },
        Output::Audio { payload: right, .. },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(opening.legs[1].role, Role::Agent);
    assert_eq!((&left[..], &right[..]), (&[1u8, 0].repeat(10)[..], &[3u8, 0].repeat(10)[..]));

    let outputs = seen(&mut protocol("channels=2"), [frames()]);
    let [Output::Start(opening), Output::Audio { leg: 0, payload, .. }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((opening.legs.len(), &payload[..]), (1, &[2u8, 0].repeat(10)[..]));

    let mulaw = "encoding=mulaw&channels=2";
    let outputs = seen(&mut protocol(mulaw), [Seen::Binary(vec![0xFF; 6])]);
    let [Output::Start(opening), Output::Audio { payload, .. }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((opening.legs[0].codec, payload.len()), (Codec::PcmS16Le, 6));
}

/// A head with a chunk that nobody asked for, and lengths as a live encoder leaves them.
fn wav(kind: u16, bits: u16, channels: u16, sample_rate_hz: u32) -> Vec<u8> {
    let mut head = b"RIFF\xff\xff\xff\xffWAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
    head.extend([kind.to_le_bytes(), channels.to_le_bytes()].concat());
    head.extend([sample_rate_hz.to_le_bytes(), [0; 4]].concat());
    head.extend([[0; 2], bits.to_le_bytes()].concat());
    head.extend(b"data\xff\xff\xff\xff");
    head
}

#[test]
fn a_wav_file_says_its_format_by_itself() {
    let stream = |query: &str, cut: usize| {
        let pairs: Vec<_> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let listen = Listen::from_query(&pairs).expect("a right query");
        let mut protocol = Protocol::new(Duration::from_secs(30), listen, "r-1", "now");
        let mut file = wav(1, 16, 2, 16_000);
        file.extend([1u8, 0, 3, 0].repeat(160));
        let behind = file.split_off(cut);
        let close = text(r#"{"type":"CloseStream"}"#);
        let outputs = seen(&mut protocol, [Seen::Binary(file), Seen::Binary(behind), close]);
        protocol.handle_finished(0);
        let metadata = sent(&[protocol.poll_output().expect("metadata")]).remove(0);
        (outputs, metadata)
    };
    // However it is cut, with the format named or not.
    for (query, cut) in [
        ("multichannel=true", 2),
        ("multichannel=true", 13),
        ("multichannel=true&channels=1", 55),
        ("multichannel=true&encoding=linear16&sample_rate=8000", 100),
    ] {
        let (outputs, metadata) = stream(query, cut);
        let Some(Output::Start(opening)) = outputs.first() else { panic!("{outputs:?}") };
        let legs: Vec<_> = opening.legs.iter().map(|leg| (leg.role, leg.sample_rate_hz)).collect();
        assert_eq!(legs, [(Role::Customer, 16_000), (Role::Agent, 16_000)], "{query}");
        let heard = |wanted: usize| -> Vec<u8> {
            let payloads = outputs.iter().filter_map(|output| match output {
                Output::Audio { leg, payload, .. } if *leg == wanted => Some(payload.to_vec()),
                _ => None,
            });
            payloads.flatten().collect()
        };
        assert_eq!((heard(0), heard(1)), ([1u8, 0].repeat(160), [3u8, 0].repeat(160)), "{query}");
        assert_eq!((&metadata["duration"], &metadata["channels"]), (&json!(0.01), &json!(2)));
    }
}

#[test]
fn what_is_no_such_wav_file_is_refused() {
    let check = |bytes: Vec<u8>, says: &str| {
        let listen = Listen::from_query(&[]).expect("a right query");
        let mut protocol = Protocol::new(Duration::from_secs(30), listen, "r-1", "now");
        let outputs = seen(&mut protocol, [Seen::Binary(bytes)]);
        assert_eq!(rejected(&outputs), Some((1008, format!("DATA-0000: {says}").as_str())));
        assert_eq!(sent(&outputs)[0]["type"], "Error");
    };
    let raw = "the audio is no WAV file: raw audio needs encoding and sample_rate";
    check(vec![0; 640], raw);
    check(b"OggS".to_vec(), raw);
    check(b"RIFF\0\0\0\0AVI LIST".to_vec(), raw);
    let kind = "the WAV file must be 16-bit PCM, mu-law or A-law";
    check(wav(3, 32, 1, 16_000), kind);
    check(wav(1, 8, 1, 16_000), kind);
    check(wav(1, 16, 9, 16_000), "channels must be from 1 to 8");
    check(wav(7, 8, 1, 96_000), "sample_rate must be from 8000 to 48000");
    check(b"RIFF\0\0\0\0WAVEdata\0\0\0\0".to_vec(), "the WAV file has samples before their format");
    check(b"RIFF\0\0\0\0WAVEfmt \x02\0\0\0\x01\0".to_vec(), "the WAV file's format is cut short");
    check(
        b"RIFF\0\0\0\0WAVELIST\xff\xff\xff\xff".to_vec(),
        "the WAV file's head is larger than 64 KiB",
    );
}

#[test]
fn results_name_their_channel() {
    let mut protocol = protocol("channels=2&multichannel=true");
    seen(&mut protocol, [audio(20, 2)]);
    let results = told(&mut protocol, &[turn(2, 0, "yes"), turn(3, 0, "nobody")]);
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["channel_index"], json!([1, 2]));
}

#[test]
fn finalize_is_answered_once_however_the_news_come() {
    let finalize = || text(r#"{"type":"Finalize"}"#);
    let marks = |results: &[Value]| -> Vec<bool> {
        results.iter().map(|result| result["from_finalize"] == true).collect()
    };
    let mut quiet = protocol("");
    assert_eq!(marks(&sent(&seen(&mut quiet, [finalize()]))), [true], "before any audio");

    let mut call = protocol("");
    let outputs = seen(&mut call, [audio(20, 1), finalize()]);
    assert_eq!(outputs.last(), Some(&Output::Control(Control::Flush)));
    let news = [turn(1, 0, "one"), News::Flushed { turns: 2 }, turn(1, 400, "two")];
    assert_eq!(marks(&told(&mut call, &news)), [false, true]);
    let news = [turn(1, 800, "three"), News::Flushed { turns: 3 }];
    let results = told(&mut call, &news);
    assert_eq!(marks(&results), [false, true]);
    assert_eq!(results[1]["channel"]["alternatives"][0]["transcript"], "");
    let news = [News::Flushed { turns: 5 }, News::Flushed { turns: 5 }];
    assert_eq!(marks(&told(&mut call, &news)), [false; 0]);
    let news = [turn(1, 0, "four"), turn(1, 0, "five"), turn(1, 0, "six")];
    assert_eq!(marks(&told(&mut call, &news)), [false, true, false]);
}

#[test]
fn speech_and_its_end_are_told_when_asked_for() {
    let mut protocol = protocol("vad_events=true&utterance_end_ms=1000");
    seen(&mut protocol, [audio(1_000, 1)]);
    let onset = News::Onset { party: party(1), start_ms: 300 };
    assert_eq!(
        told(&mut protocol, &[onset]),
        [json!({"type": "SpeechStarted", "channel": [0], "timestamp": 0.3})]
    );
    assert_eq!(told(&mut protocol, &[turn(1, 300, "hello there")]).len(), 1);
    assert_eq!(sent(&seen(&mut protocol, [audio(800, 1)])), Vec::<Value>::new());
    assert_eq!(
        sent(&seen(&mut protocol, [audio(200, 1)])),
        [json!({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.9})]
    );
    assert_eq!(sent(&seen(&mut protocol, [audio(2_000, 1)])), Vec::<Value>::new(), "once");

    // Words at 4.0 to 4.3 s, and at 4.8 s somebody goes on.
    told(&mut protocol, &[turn(1, 4_000, "yes"), News::Onset { party: party(1), start_ms: 4_800 }]);
    assert_eq!(sent(&seen(&mut protocol, [audio(3_500, 1)])), Vec::<Value>::new(), "at 7.5 s");
    let ends = sent(&seen(&mut protocol, [audio(500, 1)]));
    assert_eq!(ends[0]["last_word_end"], 4.3, "it was a cough");
}

#[test]
fn a_stream_without_audio_ends_with_metadata_too() {
    let outputs = seen(&mut protocol(""), [text(r#"{"type":"CloseStream"}"#)]);
    assert_eq!(sent(&outputs)[0]["duration"], 0.0);
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Hangup)));
}

#[test]
fn what_can_be_configured_is() {
    let mut protocol = protocol("");
    let configure = |fields: &str| text(&format!(r#"{{"type":"Configure",{fields}}}"#));
    let answers = sent(&seen(
        &mut protocol,
        [configure(r#""keyterms":["Larkfield"]"#), configure(r#""features":{"punctuate":true}"#)],
    ));
    assert_eq!(answers[0]["code"], "CONFIGURE_KEYTERMS_NOT_SUPPORTED");
    assert_eq!(answers[1], json!({"type": "ConfigureSuccess", "request_id": "r-1"}));
    let results = told(&mut protocol, &[turn(1, 0, "Yes.")]);
    assert_eq!(results[0]["channel"]["alternatives"][0]["transcript"], "Yes.");
}

#[test]
fn a_fault_is_told_in_the_clients_own_form_and_closes() {
    let check = |said: &str, reason: &str| {
        let outputs = seen(&mut protocol(""), [audio(20, 1), text(said)]);
        assert_eq!(rejected(&outputs), Some((1007, reason)));
        let error = json!({"type": "Error", "variant": "SchemaError", "description": reason});
        assert_eq!(sent(&outputs), [error]);
    };
    check("{", "the text message is not JSON (line 1, column 1)");
    check("[]", "the text message is not a message of this protocol (line 1, column 2)");
    let outputs = seen(&mut protocol(""), [text(r#"{"type":"Mood"}"#)]);
    assert!(outputs.is_empty(), "{outputs:?}");
}

#[test]
fn silence_is_met_with_patience_as_long_as_it_says_that_it_lives() {
    let mut protocol = protocol("");
    let keep_alive = r#"{"type":"KeepAlive"}"#;
    protocol.handle_text(Duration::from_secs(20), keep_alive);
    assert_eq!(protocol.deadline(), Duration::from_secs(50));
    protocol.handle_timeout(Duration::from_secs(50));
    let outputs: Vec<Output> = std::iter::from_fn(|| protocol.poll_output()).collect();
    assert_eq!(rejected(&outputs), Some((1008, "no media for 30 s")));
}

#[test]
fn a_broken_connection_ends_the_call_as_disconnected() {
    let outputs = seen(&mut protocol(""), [audio(20, 1), Seen::Closed]);
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Disconnected)));
    let mut closed = protocol("");
    closed.handle_binary(NOW, vec![0; 4].into());
    closed.handle_goodbye();
    let outputs: Vec<Output> = std::iter::from_fn(|| closed.poll_output()).collect();
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Disconnected)));
}

proptest::proptest! {
    #[test]
    fn no_query_panics(pairs in proptest::collection::vec((".{0,12}", ".{0,12}"), 0..8)) {
        let mut all = query("");
        all.splice(0..0, pairs);
        let _ = Listen::from_query(&all);
    }

    #[test]
    fn nothing_breaks_the_order(
        channels in 1usize..9,
        multichannel: bool,
        picks in proptest::collection::vec((0u8..9, proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 0..40),
    ) {
        let more = format!("channels={channels}&multichannel={multichannel}&utterance_end_ms=1000");
        let steps = picks.into_iter().map(|(pick, bytes)| match pick {
            0 => text(r#"{"type":"Finalize"}"#),
            1 => text(r#"{"type":"CloseStream"}"#),
            2 => text(r#"{"type":"KeepAlive"}"#),
            3 => Seen::Text(String::from_utf8_lossy(&bytes).into_owned()),
            4 => Seen::Closed,
            5 => Seen::Time(Duration::from_secs(bytes.len() as u64)),
            _ => Seen::Binary(bytes),
        });
        check_order(&mut protocol(&more), steps);
    }

    #[test]
    fn news_in_any_order_are_borne(
        picks in proptest::collection::vec((0u8..4, 0usize..4, 0u64..10_000), 0..40),
    ) {
        let mut protocol = protocol("channels=2&multichannel=true&interim_results=true&utterance_end_ms=1000");
        seen(&mut protocol, [audio(20, 2)]);
        for (pick, number, at_ms) in picks {
            protocol.handle_news(&match pick {
                0 => News::Onset { party: party(number), start_ms: at_ms },
                1 => partial(at_ms, "hm", 1),
                2 => News::Flushed { turns: number },
                _ => turn(number, at_ms, "hm hm"),
            });
            protocol.handle_binary(NOW, vec![0; at_ms as usize].into());
        }
    }
}
