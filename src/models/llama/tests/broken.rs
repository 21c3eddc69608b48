//! Files that are not what they should be.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use proptest::prelude::*;

use super::super::LlamaError;
use super::small::{Small, load};

fn refused(bytes: &[u8]) -> LlamaError {
    load(bytes).err().expect("it is refused")
}

fn small() -> Small {
    Small::new("llama", GgmlDType::Q4_1)
}

#[test]
fn other_families_are_named() {
    for (name, expected) in [("gemma3", "\"gemma3\""), ("", "\"\"")] {
        let bytes = small().set("general.architecture", Value::String(name.to_owned())).bytes();
        let error = refused(&bytes);
        assert!(matches!(error, LlamaError::Architecture(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let experts = small().set("llama.expert_count", Value::U32(8)).bytes();
    assert!(refused(&experts).to_string().contains("llama with experts"));
    let scaled = small().set("llama.rope.scaling.type", Value::String("yarn".to_owned())).bytes();
    assert!(refused(&scaled).to_string().contains("rope scaling yarn"));
    let sentencepiece = small().set("tokenizer.ggml.model", Value::String("llama".to_owned()));
    assert!(refused(&sentencepiece.bytes()).to_string().contains("only byte-level BPE"));
}

#[test]
fn values_that_make_no_model_are_named() {
    for (key, value, expected) in [
        ("llama.attention.head_count", Value::U32(0), "no heads"),
        ("llama.attention.head_count", Value::String("two".to_owned()), "no usable number"),
        ("llama.attention.head_count_kv", Value::U32(3), "2 heads share 3"),
        ("llama.embedding_length", Value::U32(48), "no multiple of 32"),
        ("llama.feed_forward_length", Value::U32(4_000_000_000), "instead of"),
        ("llama.block_count", Value::U32(u32::MAX), "blk.2."),
        ("llama.rope.dimension_count", Value::U32(33), "are turned"),
        ("llama.context_length", Value::U32(0), "no context"),
        ("llama.rope.freq_base", Value::F32(f32::NAN), "no usable number"),
        ("tokenizer.ggml.eos_token_id", Value::U32(70_000), "no token 70000"),
        ("tokenizer.ggml.merges", Value::Array(vec![Value::U32(1)]), "else than texts"),
        ("tokenizer.ggml.pre", Value::String("tekken".to_owned()), "\"tekken\""),
        ("general.alignment", Value::U32(3), "alignment is 3"),
    ] {
        let error = refused(&small().set(key, value).bytes());
        assert!(error.to_string().contains(expected), "{key}: {error}");
    }
}

#[test]
fn cut_and_foreign_files_are_refused() {
    let bytes = small().bytes();
    for length in [0, 3, 4, 8, 23, 24, 100, 2_000, bytes.len() / 2, bytes.len() - 32] {
        let error = refused(&bytes[..length]);
        assert!(matches!(error, LlamaError::Container(_)), "{length}: {error}");
    }
    assert!(refused(b"PK\x03\x04 and so on").to_string().contains("begin with GGUF"));
    let mut old = bytes.clone();
    old[4] = 1;
    assert!(refused(&old).to_string().contains("version is 1"));
}

#[test]
fn huge_counts_allocate_nothing() {
    let bytes = small().bytes();
    // Of tensors, of values, and the length of the first key.
    for at in [8, 16, 24] {
        for huge in [u64::MAX, 1 << 62, 1 << 40] {
            let mut bytes = bytes.clone();
            bytes[at..at + 8].copy_from_slice(&huge.to_le_bytes());
            let error = refused(&bytes);
            assert!(matches!(error, LlamaError::Container(_)), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever stands in the head: a model or a typed error.
    #[test]
    fn changed_heads_do_no_harm(changes in prop::collection::vec((0_usize..20_000, any::<u8>()), 1..6)) {
        let mut bytes = BYTES.with(Clone::clone);
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(model) = load(&bytes) {
            let mut text = super::super::network::Text::default();
            model.parts.take_in(&[5, 6, 7], &mut text, &|| true);
        }
    }
}

thread_local! {
    static BYTES: Vec<u8> = small().bytes();
}
