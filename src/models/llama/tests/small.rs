//! Models of some kilobytes, with weights at random.

use std::io::Cursor;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::super::LlamaModel;
use super::super::tokens::alphabet;
use super::numbers;

const WIDTH: usize = 64;
const INNER: usize = 96;
const LAYERS: usize = 2;
const HEADS: usize = 2;
const MARKS: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const MERGES: [&str; 4] = ["t h", "th e", "Ġ t", "i n"];
pub const TEMPLATE: &str = "{% for message in messages %}\n{{ '<|im_start|>' + message['role'] + \
                            '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}\n\
                            {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}\n\
                            {%- endif %}";

/// What a test may change.
pub struct Small {
    pub architecture: &'static str,
    pub format: GgmlDType,
    pub values: Vec<(String, Value)>,
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

impl Small {
    pub fn new(architecture: &'static str, format: GgmlDType) -> Self {
        let key = |part: &str| format!("{architecture}.{part}");
        let letters = alphabet().into_keys().map(|letter| Value::String(letter.to_string()));
        let merged = MERGES.iter().map(|merge| Value::String(merge.replace(' ', "")));
        let words: Vec<Value> =
            MARKS.iter().map(|mark| text(mark)).chain(letters).chain(merged).collect();
        let kinds = (0..words.len()).map(|token| if token < MARKS.len() { 3 } else { 1 });
        let pre = if architecture == "qwen2" { "qwen2" } else { "smollm" };
        let values = vec![
            ("general.architecture".to_owned(), text(architecture)),
            (key("block_count"), Value::U32(LAYERS as u32)),
            (key("context_length"), Value::U32(600)),
            (key("embedding_length"), Value::U32(WIDTH as u32)),
            (key("feed_forward_length"), Value::U32(INNER as u32)),
            (key("attention.head_count"), Value::U32(HEADS as u32)),
            (key("attention.head_count_kv"), Value::U32(1)),
            (key("attention.layer_norm_rms_epsilon"), Value::F32(1e-5)),
            (key("rope.dimension_count"), Value::U32((WIDTH / HEADS) as u32)),
            (key("rope.freq_base"), Value::F32(10_000.0)),
            ("tokenizer.ggml.model".to_owned(), text("gpt2")),
            ("tokenizer.ggml.pre".to_owned(), text(pre)),
            ("tokenizer.ggml.token_type".to_owned(), Value::Array(kinds.map(Value::I32).collect())),
            ("tokenizer.ggml.tokens".to_owned(), Value::Array(words)),
            (
                "tokenizer.ggml.merges".to_owned(),
                Value::Array(MERGES.iter().map(|merge| text(merge)).collect()),
            ),
            ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(2)),
            ("tokenizer.chat_template".to_owned(), text(TEMPLATE)),
        ];
        Self { architecture, format, values }
    }

    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.values.retain(|(found, _)| found != name);
        self.values.push((name.to_owned(), value));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let vocabulary = MARKS.len() + 256 + MERGES.len();
        let mut seed = 0;
        let mut tensors: Vec<(String, QTensor)> = Vec::new();
        let mut add = |name: String, shape: &[usize], format: GgmlDType| {
            seed += 1;
            let mut values = numbers(shape.iter().product(), seed);
            if name.contains("norm") {
                values.iter_mut().for_each(|value| *value = 1.0 + *value / 4.0);
            }
            let tensor = Tensor::from_slice(&values, shape, &Device::Cpu).expect("a tensor");
            tensors.push((name, QTensor::quantize(&tensor, format).expect("it quantises")));
        };
        let (kept, exact) = (WIDTH / HEADS, GgmlDType::F32);
        for layer in 0..LAYERS {
            for (part, outputs, inputs) in [
                ("attn_q", WIDTH, WIDTH),
                ("attn_k", kept, WIDTH),
                ("attn_v", kept, WIDTH),
                ("attn_output", WIDTH, WIDTH),
                ("ffn_gate", INNER, WIDTH),
                ("ffn_up", INNER, WIDTH),
                ("ffn_down", WIDTH, INNER),
            ] {
                add(format!("blk.{layer}.{part}.weight"), &[outputs, inputs], self.format);
                let has_bias = matches!(part, "attn_q" | "attn_k" | "attn_v");
                if self.architecture == "qwen2" && has_bias {
                    add(format!("blk.{layer}.{part}.bias"), &[outputs], exact);
                }
            }
            for norm in ["attn_norm", "ffn_norm"] {
                add(format!("blk.{layer}.{norm}.weight"), &[WIDTH], exact);
            }
        }
        add("output_norm.weight".to_owned(), &[WIDTH], exact);
        add("token_embd.weight".to_owned(), &[vocabulary, WIDTH], GgmlDType::Q8_0);
        let values: Vec<_> = self.values.iter().map(|(name, value)| (&**name, value)).collect();
        let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (&**name, tensor)).collect();
        let mut file = Cursor::new(Vec::new());
        gguf_file::write(&mut file, &values, &tensors).expect("it writes");
        file.into_inner()
    }

    pub fn model(&self) -> LlamaModel {
        load(&self.bytes()).expect("it loads")
    }
}

pub fn load(bytes: &[u8]) -> Result<LlamaModel, super::super::LlamaError> {
    LlamaModel::read(&mut Cursor::new(bytes), bytes.len() as u64)
}
