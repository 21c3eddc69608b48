//! The layers against candle's, on the same files.

use std::io::Cursor;

use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{Device, Tensor};
use candle_transformers::models::{quantized_llama, quantized_qwen2};

use super::super::network::Text;
use super::small::Small;

fn candle(small: &Small, tokens: &[u32]) -> Vec<f32> {
    let mut file = Cursor::new(small.bytes());
    let content = gguf_file::Content::read(&mut file).expect("a file");
    let input = Tensor::new(tokens, &Device::Cpu).and_then(|tokens| tokens.unsqueeze(0)).unwrap();
    let scores = if small.architecture == "qwen2" {
        quantized_qwen2::ModelWeights::from_gguf(content, &mut file, &Device::Cpu)
            .and_then(|mut model| model.forward(&input, 0))
    } else {
        quantized_llama::ModelWeights::from_gguf(content, &mut file, &Device::Cpu)
            .and_then(|mut model| model.forward(&input, 0))
    };
    scores.and_then(|scores| scores.flatten_all()).and_then(|scores| scores.to_vec1()).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

#[test]
fn scores_are_candles() {
    for architecture in ["llama", "qwen2"] {
        for format in [GgmlDType::Q4_1, GgmlDType::Q4_0, GgmlDType::Q8_0, GgmlDType::F16] {
            let small = Small::new(architecture, format);
            let model = small.model();
            for length in [1_usize, 2, 30, 70] {
                let tokens: Vec<u32> = (0..length).map(|at| 3 + (at as u32 * 89) % 200).collect();
                let mut text = Text::default();
                assert!(model.parts.take_in(&tokens, &mut text, &|| true));
                let expected = candle(&small, &tokens);
                assert_eq!(text.scores.len(), expected.len());
                let alike = cosine(&text.scores, &expected);
                assert!(alike > 0.995, "{architecture} {format:?} {length}: {alike}");
            }
        }
    }
}

#[test]
fn a_text_is_the_same_however_it_is_taken_in() {
    let model = Small::new("llama", GgmlDType::Q4_1).model();
    let tokens: Vec<u32> = (0..450).map(|at| 3 + (at * 31) % 250).collect();
    let mut at_once = Text::default();
    model.parts.take_in(&tokens, &mut at_once, &|| true);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for (threads, cut, piece) in [(1, 0, 7), (3, 5, 100), (2, 449, 1), (1, 300, 1)] {
        let mut text = Text::default();
        pool(threads).install(|| {
            // Another text stood there before.
            let other: Vec<u32> = tokens[..cut].iter().copied().chain([9, 8, 7]).collect();
            model.parts.take_in(&other, &mut text, &|| true);
            text.cut(cut);
            for piece in tokens[cut..].chunks(piece) {
                model.parts.take_in(piece, &mut text, &|| true);
            }
        });
        assert_eq!(text.scores, at_once.scores, "{threads} {cut} {piece}");
    }
}

#[test]
fn a_step_that_was_stopped_leaves_nothing() {
    let model = Small::new("llama", GgmlDType::Q8_0).model();
    let tokens: Vec<u32> = (3..203).collect();
    let (mut text, mut fresh) = (Text::default(), Text::default());
    let layers = std::sync::atomic::AtomicUsize::new(0);
    let only_one = || layers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
    assert!(!model.parts.take_in(&tokens, &mut text, &only_one));
    assert_eq!(text.tokens().len(), super::super::network::CHUNK_TOKENS);
    text.cut(100);
    model.parts.take_in(&tokens[100..], &mut text, &|| true);
    model.parts.take_in(&tokens, &mut fresh, &|| true);
    assert_eq!(text.scores, fresh.scores);
}
