//! The layers against candle's, with the same random weights.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config as CandleConfig};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::batches;
use super::network::{Network, Scratch};

const CONFIG: &str = r#"{"vocab_size": 90, "hidden_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 3, "intermediate_size": 160, "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0, "max_position_embeddings": 70, "type_vocab_size": 2,
    "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    "position_embedding_type": "absolute", "use_cache": false, "classifier_dropout": null,
    "model_type": "bert"}"#;

/// A file of weights as a trained model's: gains about 1, all else about 0.
fn weights() -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(7);
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    let mut add = |name: String, shape: &[usize], mean: f32, spread: f32| {
        let count = shape.iter().product();
        let values: Vec<f32> =
            (0..count).map(|_| mean + spread * random.random_range(-1.0_f32..1.0)).collect();
        tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    for (name, rows) in [("word", 90), ("position", 70), ("token_type", 2)] {
        add(format!("embeddings.{name}_embeddings.weight"), &[rows, 96], 0.0, 1.0);
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..2 {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        for (part, outputs, inputs) in [
            ("attention.self.query", 96, 96),
            ("attention.self.key", 96, 96),
            ("attention.self.value", 96, 96),
            ("attention.output.dense", 96, 96),
            ("intermediate.dense", 160, 96),
            ("output.dense", 96, 160),
        ] {
            add(format!("{}.weight", name(part)), &[outputs, inputs], 0.0, 0.2);
            add(format!("{}.bias", name(part)), &[outputs], 0.0, 0.3);
        }
        norms.extend([name("attention.output.LayerNorm"), name("output.LayerNorm")]);
    }
    for name in norms {
        add(format!("{name}.weight"), &[96], 1.0, 0.3);
        add(format!("{name}.bias"), &[96], 0.0, 0.3);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    candle_core::safetensors::save(&tensors, &file).unwrap();
    std::fs::read(file).unwrap()
}

fn candle(weights: &[u8], tokens: &[u32]) -> Vec<f32> {
    let config: CandleConfig = serde_json::from_str(CONFIG).unwrap();
    let variables =
        VarBuilder::from_buffered_safetensors(weights.to_vec(), DType::F32, &Device::Cpu).unwrap();
    let model = BertModel::load(variables, &config).unwrap();
    let ids = Tensor::new(tokens, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let states = model.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
    states.mean(1).unwrap().squeeze(0).unwrap().to_vec1().unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

#[test]
fn vectors_are_candles_and_neighbours_change_nothing() {
    let weights = weights();
    let network = Network::new(&weights, &serde_json::from_str(CONFIG).unwrap()).unwrap();
    let text =
        |length: u32| -> Vec<u32> { (0..length).map(|at| (at * 37 + length) % 90).collect() };
    let texts: Vec<Vec<u32>> = [1, 2, 5, 12, 13, 40, 70].into_iter().map(text).collect();
    let mut scratch = Scratch::default();
    let together = network.embed(&texts, &mut scratch).unwrap();
    for (text, vector) in texts.iter().zip(&together) {
        let alike = cosine(vector, &candle(&weights, text));
        assert!(alike > 0.999_99, "{} tokens: {alike}", text.len());
        let alone = network.embed(std::slice::from_ref(text), &mut scratch).unwrap();
        assert!(cosine(vector, &alone[0]) > 0.999_999, "{} tokens", text.len());
    }
    assert!(network.embed(&[vec![1, 90]], &mut scratch).is_err());
    assert!(network.embed(&[text(71)], &mut scratch).is_err());
}

#[test]
fn a_file_that_does_not_fit_is_refused() {
    let config = |from: &str, to: &str| serde_json::from_str(&CONFIG.replace(from, to)).unwrap();
    let weights = weights();
    let refusal = |from: &str, to: &str| Network::new(&weights, &config(from, to)).err().unwrap();
    assert!(refusal("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3").contains("layer.2"));
    assert!(refusal("\"hidden_size\": 96", "\"hidden_size\": 192").contains("wrong size"));
    assert!(refusal("\"gelu\"", "\"relu\"").contains("relu"));
    assert!(Network::new(b"no weights", &config("", "")).is_err());
}

#[test]
fn batches_keep_the_order_and_none_is_empty() {
    let texts: Vec<Vec<u32>> = [300, 80, 10, 500, 1].map(|length| vec![0; length]).to_vec();
    let sizes: Vec<usize> = batches(&texts).iter().map(|batch| batch.len()).collect();
    assert_eq!(sizes, [2, 1, 1, 1]);
    assert!(batches(&[]).is_empty());
}
