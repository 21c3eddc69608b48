//! Text to tokens and back, from what the file says: byte-level BPE.

use std::collections::BTreeMap;

use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::error::LlamaError;
use super::file::{Head, Value};

/// What ends a text, besides what the file says: names that models give to the end of a turn.
const ENDS: [&str; 4] = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>"];
const CONTROL: i128 = 3;
const UNUSED: i128 = 5;

/// Source: Meta's tokenizer of Llama 3, and Qwen2's, which keeps every digit alone.
const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

pub(super) struct Tokens {
    bpe: Tokenizer,
    /// None: marks, which are no text.
    bytes: Vec<Option<Box<[u8]>>>,
    marks: Vec<(String, u32)>,
    ends: Vec<u32>,
    begin: Option<u32>,
}

fn wrong(problem: impl Into<String>) -> LlamaError {
    LlamaError::Tokenizer(problem.into())
}

impl Tokens {
    pub fn read(head: &Head) -> Result<Self, LlamaError> {
        let model = head.text("tokenizer.ggml.model").unwrap_or("none");
        if model != "gpt2" {
            return Err(wrong(format!(
                "{model:?} is not supported: only byte-level BPE (gpt2) is"
            )));
        }
        let words = texts(head, "tokenizer.ggml.tokens")?;
        let kinds = head.list("tokenizer.ggml.token_type");
        let is_mark =
            |token: usize| matches!(kinds.get(token), Some(Value::Whole(CONTROL | UNUSED)));
        let named: BTreeMap<&str, u32> =
            words.iter().enumerate().map(|(token, word)| (*word, token as u32)).collect();
        let id = |key: &str| -> Result<Option<u32>, LlamaError> {
            match head.whole(key)? {
                Some(token) if token >= words.len() => Err(wrong(format!("has no token {token}"))),
                token => Ok(token.map(|token| token as u32)),
            }
        };
        let mut ends = Vec::new();
        for key in ["eos", "eot", "eom"] {
            ends.extend(id(&format!("tokenizer.ggml.{key}_token_id"))?);
        }
        ends.extend(ENDS.iter().filter_map(|name| named.get(name)));
        ends.sort_unstable();
        ends.dedup();
        if ends.is_empty() {
            return Err(wrong("has no token for the end of a text"));
        }
        let begin = match head.flag("tokenizer.ggml.add_bos_token") {
            Some(true) => id("tokenizer.ggml.bos_token_id")?,
            _ => None,
        };
        let alphabet = alphabet();
        let text_of = |token: usize, word: &str| {
            let bytes: Option<Box<[u8]>> =
                word.chars().map(|letter| alphabet.get(&letter).copied()).collect();
            // What was added by hand stands there as it is.
            let bytes = bytes.unwrap_or_else(|| word.as_bytes().into());
            (!is_mark(token)).then_some(bytes)
        };
        let mut marks: Vec<(String, u32)> = words
            .iter()
            .enumerate()
            .filter(|(token, word)| is_mark(*token) && !word.is_empty())
            .map(|(token, word)| ((*word).to_owned(), token as u32))
            .collect();
        marks.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.len()));
        Ok(Self {
            bpe: bpe(head, &words)?,
            bytes: words.iter().enumerate().map(|(token, word)| text_of(token, word)).collect(),
            marks,
            ends,
            begin,
        })
    }

    pub fn count(&self) -> usize {
        self.bytes.len()
    }

    /// What must stand first.
    pub fn begin(&self) -> Option<u32> {
        self.begin
    }

    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// The text of a token; none for marks.
    pub fn bytes(&self, token: u32) -> Option<&[u8]> {
        self.bytes.get(token as usize)?.as_deref()
    }

    pub fn mark(&self, token: u32) -> Option<&str> {
        self.marks.iter().find(|(_, id)| *id == token).map(|(mark, _)| mark.as_str())
    }

    /// Somebody's words: what looks like a mark in them is none.
    pub fn words(&self, text: &str, to: &mut Vec<u32>) -> Result<(), LlamaError> {
        if text.is_empty() {
            return Ok(());
        }
        let encoded = self.bpe.encode_fast(text, false);
        let encoded = encoded.map_err(|error| wrong(format!("failed: {error}")))?;
        to.extend_from_slice(encoded.get_ids());
        Ok(())
    }

    /// The words of a template, with marks.
    pub fn marked(&self, mut text: &str, to: &mut Vec<u32>) -> Result<(), LlamaError> {
        while !text.is_empty() {
            let found = self.marks.iter().filter_map(|(mark, token)| {
                text.find(mark.as_str()).map(|at| (at, mark.len(), *token))
            });
            // The first, and of those at one place the longest.
            let Some((at, length, token)) =
                found.min_by_key(|(at, length, _)| (*at, std::cmp::Reverse(*length)))
            else {
                return self.words(text, to);
            };
            self.words(&text[..at], to)?;
            to.push(token);
            text = &text[at + length..];
        }
        Ok(())
    }
}

fn texts<'a>(head: &'a Head, name: &str) -> Result<Vec<&'a str>, LlamaError> {
    let list = head.list(name).iter().map(|value| match value {
        Value::Text(text) => Ok(text.as_str()),
        _ => Err(wrong(format!("has something else than texts in {name}"))),
    });
    let list = list.collect::<Result<Vec<_>, _>>()?;
    if list.is_empty() { Err(wrong(format!("has no {name}"))) } else { Ok(list) }
}

fn bpe(head: &Head, words: &[&str]) -> Result<Tokenizer, LlamaError> {
    let vocabulary: Vocab =
        words.iter().enumerate().map(|(token, word)| ((*word).to_owned(), token as u32)).collect();
    let pair = |merge: &str| -> Option<(String, String)> {
        let (left, right) = merge.split_once(' ')?;
        Some((left.to_owned(), right.to_owned()))
    };
    let merges = texts(head, "tokenizer.ggml.merges")?.into_iter().map(pair);
    let merges = merges.collect::<Option<Merges>>();
    let merges = merges.ok_or_else(|| wrong("has a merge that is no pair"))?;
    let kind = head.text("tokenizer.ggml.pre").unwrap_or("none");
    let builder = BPE::builder().vocab_and_merges(vocabulary, merges);
    let builder = builder.ignore_merges(kind == "llama-bpe");
    let model = builder.build().map_err(|error| wrong(format!("can't be built: {error}")))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(cuts(kind)?));
    Ok(tokenizer)
}

/// Where words are cut before they become tokens.
fn cuts(kind: &str) -> Result<PreTokenizerWrapper, LlamaError> {
    let split = |pattern: &str| {
        let pattern = SplitPattern::Regex(pattern.to_owned());
        Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
            .map_err(|error| wrong(format!("can't be built: {error}")))
    };
    let bytes = |cuts_words| PreTokenizerWrapper::from(ByteLevel::new(false, true, cuts_words));
    let first = match kind {
        "gpt-2" => return Ok(bytes(true)),
        "smollm" => return Ok(Sequence::new(vec![Digits::new(true).into(), bytes(true)]).into()),
        "llama-bpe" | "llama3" => split(LLAMA_3)?,
        "qwen2" => split(QWEN_2)?,
        other => {
            let known = "gpt-2, smollm, llama-bpe, qwen2";
            return Err(wrong(format!("cuts words as {other:?}; supported are {known}")));
        }
    };
    Ok(Sequence::new(vec![first.into(), bytes(false)]).into())
}

/// GPT-2's letters for bytes: printable ones stand for themselves, the others for those from 256 on.
pub(super) fn alphabet() -> BTreeMap<char, u8> {
    let mut hidden = 256_u32;
    let letter = |byte: u8| {
        if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            return char::from(byte);
        }
        hidden += 1;
        char::from_u32(hidden - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    (0..=u8::MAX).map(letter).zip(0..=u8::MAX).collect()
}
