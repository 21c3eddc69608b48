//! The small model of the manifest in this process; `.ci/llama_server` fetches it.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::app;
use backchannel::config::Generation;
use backchannel::models::{
    self, Finish, Generator, Llama, LlamaModel, LlamaSettings, Message, Piece, Speaker,
    WritingError, WritingRequest, WritingTask,
};
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;

use super::conformance::{self, Candidate};
use super::real::card_request;
use super::{request, schema, write};

fn model() -> LlamaModel {
    let installed = models::installed("smollm2-135m-instruct").expect("make peers fetches it");
    LlamaModel::load(installed.file("model.gguf").expect("it has one")).expect("it loads")
}

fn settings() -> LlamaSettings {
    LlamaSettings {
        provider: "here".to_owned(),
        model: "smollm2-135m-instruct".to_owned(),
        threads: 2,
        queue_max: 8,
        context_tokens: 4_096,
    }
}

fn patient(request: WritingRequest) -> WritingRequest {
    // Two cores that others use as well.
    WritingRequest { deadline: Duration::from_secs(120), ..request }
}

fn asks(question: &str, max_tokens: u32) -> WritingRequest {
    let messages = vec![Message { speaker: Speaker::User, content: question.to_owned() }];
    WritingRequest { messages, max_tokens, ..patient(request()) }
}

#[tokio::test]
async fn it_keeps_the_contract_and_every_form() {
    let writer: Arc<dyn Generator> =
        Arc::new(Llama::start(&model(), settings()).expect("it starts"));
    conformance::all(&Candidate {
        generator: Arc::clone(&writer),
        request: patient(request()),
        with_schema: Some(WritingRequest { schema: Some(schema()), ..patient(request()) }),
        is_repeatable: true,
        counts_tokens: true,
        grace: Duration::from_secs(2),
    })
    .await;

    // A built-in prompt: the form holds without anybody who repairs it, hot or cold.
    for (temperature, seed) in [(0.0, 1), (1.5, 2), (1.5, 3)] {
        let card = WritingRequest { temperature, seed: Some(seed), ..patient(card_request()) };
        let form = Arc::clone(&card.schema.as_ref().expect("a card has a form").schema);
        let written = write(&*writer, &card).await.0.expect("it writes");
        println!("{:?} {:?} {}", written.finish, written.tokens, written.text);
        if written.finish == Finish::Stop {
            let value: serde_json::Value = serde_json::from_str(&written.text).expect("JSON");
            assert!(jsonschema::is_valid(&form, &value), "{}", written.text);
        }
    }
}

/// What llama.cpp's server wrote with the same file, temperature 0 and 60 tokens. Its activations have
/// scales of 16 bits and ours of 32, so that two nearly equal choices may fall differently in time.
const LLAMA_CPP: [(&str, &str); 4] = [
    (
        "What is the capital of France?",
        "L'Étoile, la Marseillaise, la femme au roi, la femme au roi",
    ),
    ("What is 2 + 2?", "The answer to this classic math problem is 4."),
    (
        "Write three sentences about a refund for a late parcel.",
        "A refund for a late parcel can be a bittersweet, as it's often a delicate balance of \
         emotions. On one hand, it's a relief to have a refund",
    ),
    (
        "Explain how a router works.",
        "A router is a device that connects devices to the internet. It's a network interface card \
         (NIC) that allows devices to communicate with each other",
    ),
];

#[tokio::test]
async fn what_is_likeliest_is_what_llama_cpp_finds_likeliest() {
    let writer = Llama::start(&model(), settings()).expect("it starts");
    let mut same = 0;
    for (question, theirs) in LLAMA_CPP {
        let ours = write(&writer, &asks(question, 60)).await.0.expect("it writes").text;
        let shared = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
        println!("{shared} of {}: {ours}", theirs.chars().count());
        assert!(shared >= 10, "{ours}");
        same += usize::from(shared == theirs.chars().count());
    }
    assert!(same >= 2, "{same} of {} texts are the same", LLAMA_CPP.len());
}

/// Candle's layers with this file's weights; `is_exact` computes all of it in 32 bits.
fn candle(is_exact: bool) -> ModelWeights {
    let installed = models::installed("smollm2-135m-instruct").expect("make peers fetches it");
    let bytes = std::fs::read(installed.file("model.gguf").expect("it has one")).expect("a file");
    let mut file = Cursor::new(bytes);
    let content = gguf_file::Content::read(&mut file).expect("it is one");
    if !is_exact {
        return ModelWeights::from_gguf(content, &mut file, &Device::Cpu).expect("it loads");
    }
    let mut exact = |name: &String| {
        let tensor = content.tensor(&mut file, name, &Device::Cpu)?;
        QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::F32)
    };
    let tensors: candle_core::Result<Vec<_>> =
        content.tensor_infos.keys().map(&mut exact).collect();
    let tensors = tensors.expect("they can be read");
    let tensors: Vec<_> = content.tensor_infos.keys().map(String::as_str).zip(&tensors).collect();
    let values: Vec<_> = content.metadata.iter().map(|(name, value)| (&**name, value)).collect();
    let mut copy = Cursor::new(Vec::new());
    gguf_file::write(&mut copy, &values, &tensors).expect("it writes");
    copy.set_position(0);
    let content = gguf_file::Content::read(&mut copy).expect("it is one");
    ModelWeights::from_gguf(content, &mut copy, &Device::Cpu).expect("it loads")
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// Both round what goes into the weights to 8 bits; neither is the truth.
#[test]
fn scores_are_as_near_the_exact_ones_as_those_of_candle() {
    let (ours, mut theirs, mut exact) = (model(), candle(false), candle(true));
    for text in [
        "The capital of France is",
        "1 2 3 4 5 6",
        "My parcel is late, and I want my money",
        "Thank you for calling. How can I help",
    ] {
        let tokens = ours.tokens(text).expect("tokens");
        let run = |model: &mut ModelWeights| -> candle_core::Result<Vec<f32>> {
            let input = Tensor::new(&tokens[..], &Device::Cpu)?.unsqueeze(0)?;
            model.forward(&input, 0)?.flatten_all()?.to_vec1()
        };
        let truth = run(&mut exact).expect("it runs");
        let scores = ours.scores(text).expect("scores");
        let here = cosine(&scores, &truth);
        let there = cosine(&run(&mut theirs).expect("it runs"), &truth);
        println!("{text}: {here} here, {there} there");
        assert!(here > 0.99 && here > there - 0.005, "{text}: {here} {there}");
        let best =
            |scores: &[f32]| (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        assert_eq!(best(&scores), best(&truth), "{text}");
    }
}

#[tokio::test]
async fn seeds_decide_and_nothing_else() {
    let writer = Llama::start(&model(), settings()).expect("it starts");
    let one = Llama::start(&model(), LlamaSettings { threads: 1, ..settings() }).expect("starts");
    let hot = |seed| WritingRequest {
        temperature: 1.2,
        seed: Some(seed),
        ..asks("Tell me about the sea.", 20)
    };
    let first = write(&writer, &hot(1)).await.0.expect("it writes").text;
    let other = write(&writer, &hot(2)).await.0.expect("it writes").text;
    assert_ne!(first, other);
    assert_eq!(write(&one, &hot(1)).await.0.expect("it writes").text, first);
}

#[tokio::test]
async fn who_leaves_frees_it_and_who_is_late_hears_so() {
    let writer = Llama::start(&model(), settings()).expect("it starts");
    let long = asks(&"The customer asks again. ".repeat(500), 2_000);
    let mut ignore = |_: Piece<'_>| {};
    let left = tokio::time::timeout(Duration::from_millis(300), writer.write(&long, &mut ignore));
    assert!(left.await.is_err(), "it takes longer than that");
    let began = Instant::now();
    write(&writer, &asks("Say yes.", 2)).await.0.expect("it writes");
    assert!(began.elapsed() < Duration::from_secs(20), "it went on: {:?}", began.elapsed());

    let hasty = WritingRequest { deadline: Duration::from_millis(400), ..long };
    let error = write(&writer, &hasty).await.0.expect_err("it is late");
    assert_eq!(error, WritingError::Timeout { provider: "here".to_owned(), waited_ms: 400 });
}

#[tokio::test]
async fn what_has_no_room_is_refused() {
    let small = LlamaSettings { queue_max: 0, context_tokens: 60, ..settings() };
    let writer = Llama::start(&model(), small).expect("it starts");
    let error = write(&writer, &asks(&"word ".repeat(80), 5)).await.0.expect_err("too long");
    assert!(matches!(error, WritingError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("59 fit"), "{error}");

    let written = write(&writer, &asks("Count to a thousand.", 500)).await.0.expect("it writes");
    assert!(written.tokens.prompt + written.tokens.written <= 60, "{:?}", written.tokens);

    let request = asks("Count to a thousand.", 500);
    let both = tokio::join!(write(&writer, &request), write(&writer, &request));
    let outcomes = [both.0.0, both.1.0];
    let busy = |outcome: &Result<_, _>| matches!(outcome, Err(WritingError::Busy { .. }));
    assert_eq!(outcomes.iter().filter(|outcome| busy(outcome)).count(), 1, "{outcomes:?}");
}

#[tokio::test]
async fn the_settings_name_it() {
    let text = "chain = [\"house\"]\n[providers.house]\nkind = \"embedded\"\n\
                model = \"smollm2-135m-instruct\"\nthreads = 1\n";
    let generation: Generation = toml::from_str(text).expect("settings");
    let local = app::embedded_writers(&generation).expect("it loads");
    let writers = app::writers(&generation, &local, &|_| None).expect("they can be set up");
    let request = WritingRequest { schema: Some(schema()), ..patient(request()) };
    let written = write(&*writers.of(WritingTask::Summary).expect("a chain"), &request)
        .await
        .0
        .expect("it writes");
    assert_eq!(written.provider, "house");
    assert_eq!(written.model.as_deref(), Some("smollm2-135m-instruct"));

    for (wrong, expected) in [
        (text.replace("smollm2-135m-instruct", "gpt-7"), "no model \"gpt-7\""),
        (text.replace("smollm2-135m-instruct", "whisper-base"), "doesn't write"),
        (text.replace("threads = 1", "file = \"/none.gguf\""), "/none.gguf"),
    ] {
        let generation: Generation = toml::from_str(&wrong).expect("settings");
        let error = app::embedded_writers(&generation).err().expect("it is refused");
        assert!(error.to_string().contains(expected), "{error}");
    }
}
