//! What becomes of words through the session: languages, names, short answers, overlaps. Recorded
//! decodings where the models don't matter, real models where they do.

use std::path::{Path, PathBuf};

use backchannel::domain::{EndReason, EventBody, Party, PartyId, Role, Turn};
use backchannel::flow::audio::{AudioFile, Codec};
use backchannel::flow::session::{Output, Session, SessionLeg, SessionSettings};
use backchannel::flow::transcript::{Purpose, Ticket, TranscriptSettings};
use backchannel::models::{Ears, Engine, Heard, HeardWord, Hints, SpeechModel, Urgency, installed};

fn model(name: &str) -> SpeechModel {
    let installed = installed(name).expect("`make models` pulls it");
    let file = installed.file("model.bin").expect("it has one");
    SpeechModel::load(Engine::Auto, file).expect("it loads")
}

fn ears() -> Ears {
    Ears {
        finals: model("whisper-base").transcriber().expect("a state"),
        partials: model("whisper-tiny.en").transcriber().expect("a state"),
    }
}

fn session(settings: TranscriptSettings, roles: &[Role]) -> Session {
    let leg = |(number, role): (usize, &Role)| SessionLeg {
        party: Party { id: PartyId::from(format!("p-{number}")), role: *role, name: None },
        codec: Codec::PcmS16Le,
        sample_rate_hz: 8_000,
    };
    let settings = SessionSettings { transcript: settings, ..SessionSettings::default() };
    Session::new(roles.iter().enumerate().map(leg).collect(), &settings).expect("8 kHz is fine")
}

/// Hears what a leg said, or leaves it for later.
type Recogniser<'a> = dyn FnMut(usize, &[f32], &Hints) -> Option<Heard> + 'a;

/// Takes every output; decodings are answered by `hear`, or kept when it gives none.
fn obey(
    session: &mut Session,
    hear: &mut Recogniser<'_>,
    waiting: &mut Vec<(usize, Ticket)>,
    turns: &mut Vec<Turn>,
) {
    while let Some(output) = session.poll_output() {
        match output {
            Output::Decode { leg, ticket, purpose: Purpose::Partial, .. } => {
                session.decoded(leg, ticket, None);
            }
            Output::Decode { leg, ticket, samples, .. } => {
                let hints = session.hints(leg);
                match hear(leg, &samples, &hints) {
                    Some(heard) => session.decoded(leg, ticket, Some(heard)),
                    None => waiting.push((leg, ticket)),
                }
            }
            Output::Cancel { leg, ticket } => waiting.retain(|job| *job != (leg, ticket)),
            Output::Event(EventBody::TurnFinal(turn)) => turns.push(turn),
            Output::Search(query) => session.found(&query, None, 0),
            _ => {}
        }
    }
}

fn bytes(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()).collect()
}

/// A line's noise, the same every time.
fn noise(samples: usize, amplitude: f32) -> Vec<f32> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32 - 0.5) * 2.0 * amplitude
    };
    (0..samples).map(|_| next()).collect()
}

fn call(name: &str) -> AudioFile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    AudioFile::open(&folder.join(name)).expect("a recording")
}

/// A stretch of a demo call with a second of line noise on both sides.
fn stretch(file: &AudioFile, channel: usize, from_ms: usize, to_ms: usize) -> Vec<f32> {
    let per_ms = file.sample_rate_hz as usize / 1_000;
    let speech = &file.channels[channel][from_ms * per_ms..to_ms * per_ms];
    let mut audio = noise(speech.len() + 2_000 * per_ms, 0.001);
    for (slot, sample) in audio[1_000 * per_ms..].iter_mut().zip(speech) {
        *slot += sample;
    }
    audio
}

/// Plays one leg through real recognisers, and returns its turns.
fn play(ears: &mut Ears, settings: TranscriptSettings, audio: &[f32]) -> Vec<Turn> {
    let mut session = session(settings, &[Role::Customer]);
    let (mut waiting, mut turns) = (Vec::new(), Vec::new());
    let mut hear = |_: usize, samples: &[f32], hints: &Hints| {
        Some(ears.listen(Urgency::Final, samples, hints).expect("it decodes"))
    };
    for frame in audio.chunks(160) {
        session.audio(0, None, 0, &bytes(frame)).expect("it resamples");
        obey(&mut session, &mut hear, &mut waiting, &mut turns);
    }
    session.close(EndReason::Hangup);
    obey(&mut session, &mut hear, &mut waiting, &mut turns);
    assert!(session.is_finished(), "every decoding was answered");
    turns
}

fn texts(turns: &[Turn]) -> Vec<&str> {
    turns.iter().map(|turn| turn.text.as_str()).collect()
}

#[test]
fn a_long_turn_that_began_first_keeps_its_place_when_it_is_final_last() {
    let file = call("billing-double-charge.wav");
    let mut session = session(TranscriptSettings::default(), &[Role::Customer, Role::Agent]);
    let (mut waiting, mut turns) = (Vec::new(), Vec::new());
    let word = |text: &str| Heard {
        words: vec![HeardWord { text: text.into(), start_ms: 0, end_ms: 9_000, confidence: 0.9 }],
        mean_logprob: -0.2,
        tokens: 1,
        ..Heard::default()
    };
    // The customer's decodings wait; the agent talks across the customer and is heard at once.
    let mut hear = |leg: usize, _: &[f32], _: &Hints| (leg == 1).then(|| word("mhm"));
    let customer = stretch(&file, 0, 5_800, 14_000);
    let mut agent = noise(customer.len(), 0.001);
    let across = stretch(&file, 1, 24_700, 25_500);
    agent.splice(24_000..24_000 + across.len(), across);
    for (customer, agent) in customer.chunks(160).zip(agent.chunks(160)) {
        for (leg, frame) in [customer, agent].into_iter().enumerate() {
            session.audio(leg, None, 0, &bytes(frame)).expect("it resamples");
            obey(&mut session, &mut hear, &mut waiting, &mut turns);
        }
    }
    session.close(EndReason::Hangup);
    obey(&mut session, &mut hear, &mut waiting, &mut turns);
    for (leg, ticket) in std::mem::take(&mut waiting) {
        session.decoded(leg, ticket, Some(word("charged")));
        obey(&mut session, &mut hear, &mut waiting, &mut turns);
    }
    assert!(session.is_finished());
    let came: Vec<Role> = turns.iter().map(|turn| turn.party.role).collect();
    assert_eq!(came.first(), Some(&Role::Agent), "the short one was final first");
    let (first, last) = (&turns[0], turns.last().expect("turns"));
    assert_eq!(last.party.role, Role::Customer);
    let customer = turns.iter().find(|turn| turn.party.role == Role::Customer).expect("a turn");
    assert!(customer.start_ms < first.start_ms, "{} {}", customer.start_ms, first.start_ms);
    assert!(last.end_ms > first.end_ms, "each has its own times");
    turns.sort_by_key(|turn| turn.start_ms);
    assert_eq!(turns[0].party.role, Role::Customer);
}

#[test]
fn numbers_are_shown_as_people_write_them_and_other_languages_as_they_are() {
    let spoken = |text: &str, language: Option<&str>| Heard {
        words: text
            .split(' ')
            .map(|text| HeardWord { text: text.into(), start_ms: 0, end_ms: 500, confidence: 0.9 })
            .collect(),
        mean_logprob: -0.2,
        tokens: 5,
        language: language.map(Into::into),
        ..Heard::default()
    };
    for (text, language, display, called) in [
        ("It's forty-two pounds fifty.", None, Some("It's £42.50."), "en"),
        ("It's forty-two pounds fifty.", Some("en"), Some("It's £42.50."), "en"),
        ("one of those", Some("en"), None, "en"),
        ("Ten dollars five percent", Some("nl"), None, "nl"),
    ] {
        let audio = stretch(&call("billing-double-charge.wav"), 0, 28_200, 30_200);
        let mut session = session(TranscriptSettings::default(), &[Role::Customer]);
        let (mut waiting, mut turns) = (Vec::new(), Vec::new());
        let mut hear = |_: usize, _: &[f32], _: &Hints| Some(spoken(text, language));
        for frame in audio.chunks(160) {
            session.audio(0, None, 0, &bytes(frame)).expect("it resamples");
            obey(&mut session, &mut hear, &mut waiting, &mut turns);
        }
        let [turn] = &turns[..] else { panic!("{} turns", turns.len()) };
        assert_eq!(turn.text.as_str(), text);
        assert_eq!(turn.display_text.as_ref().map(|text| text.as_str()), display);
        assert_eq!(turn.language, called);
    }
}

/// Words that begin turns of the demo calls and stand alone there: a pause follows.
#[test]
fn short_answers_become_turns() {
    let mut ears = ears();
    let spans = [
        ("moving-home", 0, 42_300, 42_840, "okay"),
        ("outage-cancel-threat", 0, 106_425, 106_940, "okay"),
        ("moving-home", 0, 18_100, 18_390, "ye"),
        ("moving-home", 1, 88_450, 88_830, "ye"),
        ("billing-double-charge", 1, 87_620, 87_950, "ye"),
        ("outage-cancel-threat", 1, 21_930, 22_530, "thank you"),
        ("moving-home", 0, 6_130, 6_700, "hello"),
        ("outage-cancel-threat", 0, 93_190, 93_690, "fine"),
    ];
    let mut missed = Vec::new();
    for (name, channel, from_ms, to_ms, said) in spans {
        let audio = stretch(&call(&format!("{name}.wav")), channel, from_ms, to_ms);
        let turns = play(&mut ears, TranscriptSettings::default(), &audio);
        let heard = texts(&turns).join(" ").to_lowercase();
        if !heard.contains(said) {
            missed.push(format!("{name} at {from_ms} ms: {heard:?}, not {said:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_name_of_the_glossary_is_heard_and_never_where_nobody_said_it() {
    let mut ears = ears();
    let settings = |glossary: &str| TranscriptSettings {
        glossary: Some(glossary.into()),
        ..TranscriptSettings::default()
    };
    for (name, from_ms, to_ms) in [
        ("billing-double-charge", 400, 5_400),
        ("moving-home", 400, 5_300),
        ("outage-cancel-threat", 400, 5_000),
    ] {
        let audio = stretch(&call(&format!("{name}.wav")), 1, from_ms, to_ms);
        let heard = texts(&play(&mut ears, settings("Larkfield"), &audio)).join(" ");
        assert!(heard.contains("Larkfield"), "{name}: {heard}");
        // Names of about the same length, which nobody says.
        let names = "Northgate\nBrambleton\nFull Fibre 900\nOkehampton";
        let heard = texts(&play(&mut ears, settings(names), &audio)).join(" ");
        assert!(names.lines().all(|name| !heard.contains(name)), "{name}: {heard}");
    }
    let quiet = noise(10 * 8_000, 0.001);
    assert!(play(&mut ears, settings("Larkfield"), &quiet).is_empty());
}

/// Prompts of a telephone exchange in French and Spanish, from Debian's packages.
fn prompts(folder: &str) -> Option<Vec<PathBuf>> {
    let folder = Path::new("/usr/share/asterisk/sounds").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    files.sort();
    Some(files)
}

#[test]
fn languages_are_told_from_enough_speech_and_english_is_never_mistaken() {
    let mut base = model("whisper-base").transcriber().expect("a state");
    let mut clear =
        |samples: &[f32]| base.transcribe(samples, &Hints::default()).expect("it decodes").language;
    for name in ["billing-double-charge", "moving-home", "outage-cancel-threat"] {
        let file = call(&format!("{name}.wav"));
        for channel in 0..2 {
            let audio = file.channel_16k(channel).expect("it resamples");
            for part in audio.chunks(16_000 * 5).step_by(3) {
                let language = clear(part);
                assert!(language.as_deref().is_none_or(|l| l == "en"), "{name}: {language:?}");
            }
        }
    }
    for (folder, code) in [("fr_CA_f_June", "fr"), ("es_MX_f_Allison", "es")] {
        let files = prompts(folder).expect("`.ci/need prompts-fr prompts-es` installs them");
        let (mut told, mut tried) = (0, 0);
        for path in files.iter().step_by(12) {
            let audio = AudioFile::open(path).expect("a recording");
            let audio = audio.channel_16k(0).expect("it resamples");
            if !(16_000 * 3..16_000 * 12).contains(&audio.len()) {
                continue;
            }
            tried += 1;
            let language = clear(&audio);
            told += usize::from(language.as_deref() == Some(code));
            let possible = language.as_deref().is_none_or(|found| found == code);
            assert!(possible, "{}: {language:?}", path.display());
        }
        println!("{code}: {told} of {tried} prompts told");
        assert!(2 * told > tried, "{code}: {told} of {tried}");
    }
}
