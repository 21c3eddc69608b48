//! A Whisper of one layer and 32 numbers a row, made here.

use std::io::Cursor;

use half::f16;
use proptest::prelude::*;

use super::*;

const STATE: u32 = 32;
const WORDS: &[u8] = "a\nĠb\n<|endoftext|>\n".as_bytes();

/// The parts of a CTranslate2 file, so that a test can spoil one.
#[derive(Clone)]
struct Model {
    version: u32,
    spec: &'static str,
    revision: u32,
    variables: Vec<(String, Vec<u32>, u8, Vec<u8>)>,
}

impl Model {
    fn tiny() -> Self {
        let mut model =
            Self { version: 6, spec: "WhisperSpec", revision: 3, variables: Vec::new() };
        let n = STATE;
        model.halves("encoder/position_encodings/encodings", &[4, n]);
        model.halves("encoder/conv1/weight", &[n, 80, 3]);
        model.halves("encoder/conv1/bias", &[n]);
        model.halves("encoder/conv2/weight", &[n, n, 3]);
        model.halves("encoder/conv2/bias", &[n]);
        model.halves("decoder/position_encodings/encodings", &[4, n]);
        model.halves("decoder/embeddings/weight", &[5, n]);
        for half in ["encoder", "decoder"] {
            model.norm(&format!("{half}/layer_norm"));
            let layer = format!("{half}/layer_0");
            model.norm(&format!("{layer}/self_attention/layer_norm"));
            model.linear(&format!("{layer}/self_attention/linear_0"), 3 * n, n);
            model.linear(&format!("{layer}/self_attention/linear_1"), n, n);
            model.norm(&format!("{layer}/ffn/layer_norm"));
            model.linear(&format!("{layer}/ffn/linear_0"), 4 * n, n);
            model.linear(&format!("{layer}/ffn/linear_1"), n, 4 * n);
            model.variables.push((format!("{half}/num_heads"), vec![], 2, vec![2, 0]));
        }
        let cross = "decoder/layer_0/attention";
        model.norm(&format!("{cross}/layer_norm"));
        model.linear(&format!("{cross}/linear_0"), n, n);
        model.linear(&format!("{cross}/linear_1"), 2 * n, n);
        model.linear(&format!("{cross}/linear_2"), n, n);
        model
    }

    fn halves(&mut self, name: &str, dims: &[u32]) {
        let count: u32 = dims.iter().product();
        // Every number differs from its neighbours, so that a wrong offset shows.
        let data = (0..count)
            .flat_map(|i| f16::from_f32((i % 509) as f32 / 16.0 - 15.0).to_le_bytes())
            .collect();
        self.variables.push((name.to_owned(), dims.to_vec(), 4, data));
    }

    fn norm(&mut self, name: &str) {
        self.halves(&format!("{name}/gamma"), &[STATE]);
        self.halves(&format!("{name}/beta"), &[STATE]);
    }

    fn linear(&mut self, name: &str, rows: u32, columns: u32) {
        self.halves(&format!("{name}/weight"), &[rows, columns]);
        self.halves(&format!("{name}/bias"), &[rows]);
    }

    fn edit(
        mut self,
        name: &str,
        change: impl FnOnce(&mut (String, Vec<u32>, u8, Vec<u8>)),
    ) -> Self {
        change(self.variables.iter_mut().find(|variable| variable.0 == name).unwrap());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        fn text(out: &mut Vec<u8>, text: &str) {
            out.extend((text.len() as u16 + 1).to_le_bytes());
            out.extend(text.bytes());
            out.push(0);
        }
        let mut out = self.version.to_le_bytes().to_vec();
        text(&mut out, self.spec);
        out.extend(self.revision.to_le_bytes());
        out.extend((self.variables.len() as u32).to_le_bytes());
        for (name, dims, kind, data) in &self.variables {
            text(&mut out, name);
            out.push(dims.len() as u8);
            out.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
            out.push(*kind);
            out.extend((data.len() as u32).to_le_bytes());
            out.extend(data);
        }
        out.extend(1u32.to_le_bytes());
        text(&mut out, "decoder/projection/weight");
        text(&mut out, "decoder/embeddings/weight");
        out
    }
}

fn convert(weights: &[u8], vocabulary: &[u8]) -> Result<(Converted, Vec<u8>), ConvertError> {
    let mut out = Vec::new();
    whisper(&mut Cursor::new(weights), vocabulary, &mut out).map(|converted| (converted, out))
}

/// Reads tensors back as whisper.cpp does.
fn tensor<'a>(file: &'a [u8], name: &str) -> (Vec<u32>, u32, &'a [u8]) {
    let u32_at = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 48 + 8 + 80 * 201 * 4;
    let words = u32_at(at);
    at += 4;
    for _ in 0..words {
        at += 4 + u32_at(at) as usize;
    }
    while at < file.len() {
        let (rank, length, kind) = (u32_at(at) as usize, u32_at(at + 4) as usize, u32_at(at + 8));
        let dims: Vec<u32> = (0..rank).map(|i| u32_at(at + 12 + 4 * i)).collect();
        at += 12 + 4 * rank;
        let found = &file[at..at + length];
        at += length;
        let count = dims.iter().product::<u32>() as usize;
        let bytes = match kind {
            0 => count * 4,
            1 => count * 2,
            8 => count / 32 * 34,
            _ => panic!("type {kind}"),
        };
        if found == name.as_bytes() {
            return (dims, kind, &file[at..at + bytes]);
        }
        at += bytes;
    }
    assert_eq!(at, file.len());
    panic!("no tensor {name}");
}

#[test]
fn a_model_becomes_the_file_that_whisper_cpp_reads() {
    let (converted, file) = convert(&Model::tiny().bytes(), WORDS).unwrap();
    assert_eq!(converted, Converted { tensors: 11 + 15 + 24, words: 2, bytes: file.len() as u64 });
    let header: Vec<u32> =
        file[..48].chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(header, [0x6767_6d6c, 5, 4, 32, 2, 1, 4, 32, 2, 1, 80, 2007]);

    let (dims, kind, data) = tensor(&file, "encoder.conv1.bias");
    assert_eq!((dims, kind), (vec![1, 32], 0));
    assert_eq!(data[..4], (-15.0f32).to_le_bytes());
    let (dims, kind, _) = tensor(&file, "encoder.conv1.weight");
    assert_eq!((dims, kind), (vec![3, 80, 32], 1));
    let (dims, kind, _) = tensor(&file, "decoder.positional_embedding");
    assert_eq!((dims, kind), (vec![32, 4], 0));
    let (dims, kind, _) = tensor(&file, "decoder.blocks.0.cross_attn.out.weight");
    assert_eq!((dims, kind), (vec![32, 32], 8));
    // The values' bias is the second half of the stack: number 32 of the sequence.
    let (_, _, data) = tensor(&file, "decoder.blocks.0.cross_attn.value.bias");
    assert_eq!(data[..4], (32.0f32 / 16.0 - 15.0).to_le_bytes());
    assert!(!file.windows(9).any(|bytes| bytes == b".key.bias"));
}

#[test]
fn a_block_keeps_each_number_within_half_a_step() {
    let numbers: Vec<f32> = (0..64).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
    let mut blocks = Vec::new();
    q8::append(&numbers, &mut blocks);
    assert_eq!(blocks.len(), 68);
    for (block, original) in blocks.chunks(34).zip(numbers.chunks(32)) {
        let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
        for (byte, number) in block[2..].iter().zip(original) {
            // Half a step, and the rounding of the scale to f16.
            assert!((f32::from(*byte as i8) * scale - number).abs() <= scale * 0.57);
        }
    }
    let mut zeros = Vec::new();
    q8::append(&[0.0; 32], &mut zeros);
    assert_eq!(zeros, [0; 34]);
}

#[test]
fn f32_weights_give_the_same_file() {
    let mut model = Model::tiny();
    let expected = convert(&model.bytes(), WORDS).unwrap().1;
    for (_, _, kind, data) in model.variables.iter_mut().filter(|variable| variable.2 == 4) {
        *kind = 0;
        *data = data
            .chunks(2)
            .flat_map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32().to_le_bytes())
            .collect();
    }
    assert!(convert(&model.bytes(), WORDS).unwrap().1 == expected);
}

#[test]
fn a_wrong_file_is_refused_by_name() {
    #[track_caller]
    fn check(model: Model, expected: &str) {
        let message = convert(&model.bytes(), WORDS).unwrap_err().to_string();
        assert!(message.contains(expected), "got {message}\nexpected {expected}");
    }
    let tiny = Model::tiny;
    check(Model { version: 5, ..tiny() }, "binary version 5, expected 6");
    check(Model { spec: "TransformerSpec", ..tiny() }, "\"TransformerSpec\", expected");
    check(Model { revision: 2, ..tiny() }, "revision 2, expected 3");
    let conv = "encoder/conv2/weight";
    check(tiny().edit(conv, |v| v.0 = "x".into()), "tensor encoder/conv2/weight: is missing");
    check(tiny().edit(conv, |v| v.1 = vec![32, 3, 32]), "has the dimensions [32, 3, 32], expected");
    check(tiny().edit(conv, |v| v.1[0] = 31), "can't be 6144 bytes");
    check(tiny().edit(conv, |v| v.1 = vec![u32::MAX; 4]), "can't be 6144 bytes");
    check(tiny().edit(conv, |v| v.2 = 5), "stored as Bf16");
    check(tiny().edit(conv, |v| v.2 = 9), "unknown data type 9");
    check(tiny().edit("encoder/num_heads", |v| v.3 = vec![0, 0]), "whole number above zero");
    let mut extra = tiny();
    extra.halves("decoder/layer_9/odd", &[4]);
    check(extra, "tensors, of which Whisper has");

    let weights = tiny().bytes();
    let cut = convert(&weights[..weights.len() / 2], WORDS).unwrap_err().to_string();
    assert!(cut.contains("end too early"), "{cut}");
    let many = "a\n".repeat(9) + "<|endoftext|>";
    let message = convert(&weights, many.as_bytes()).unwrap_err().to_string();
    assert!(message.contains("9 words before <|endoftext|>, but the weights have 5"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spoilt_weights_never_panic(at in 0..2_000usize, value: u8, cut in 0..60_000usize) {
        let mut weights = Model::tiny().bytes();
        weights[at] = value;
        weights.truncate(cut.max(at));
        let _ = convert(&weights, WORDS);
    }

    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, words: Vec<u8>) {
        let _ = convert(&bytes, &words);
        let mut begun = Model::tiny().bytes()[..26].to_vec();
        begun.extend(&bytes);
        let _ = convert(&begun, &words);
        let _ = convert(&Model::tiny().bytes(), &words);
    }
}
