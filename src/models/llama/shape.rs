//! How large everything is, from the file's values.

use super::error::LlamaError;
use super::file::Head;
use super::kernels::BLOCK;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Architecture {
    Llama,
    Qwen2,
}

impl Architecture {
    fn named(name: &str) -> Result<Self, LlamaError> {
        match name {
            "llama" => Ok(Self::Llama),
            "qwen2" => Ok(Self::Qwen2),
            other => Err(LlamaError::Architecture(other.chars().take(60).collect())),
        }
    }

    /// Whether the two numbers that are turned together stand half a head apart. The files of llama
    /// have their queries and keys rearranged so that they stand side by side.
    pub const fn is_split(self) -> bool {
        matches!(self, Self::Qwen2)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub architecture: Architecture,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    /// Heads of keys and values: several heads of queries share one.
    pub kept_heads: usize,
    pub head_width: usize,
    /// Numbers of a head that positions turn.
    pub turned_width: usize,
    pub inner: usize,
    pub vocabulary: usize,
    /// Tokens of a text at most.
    pub context: usize,
    pub epsilon: f32,
    pub base: f32,
}

impl Shape {
    pub fn family(head: &Head) -> Result<Architecture, LlamaError> {
        Architecture::named(head.text("general.architecture").unwrap_or(""))
    }

    pub fn read(head: &Head, vocabulary: usize) -> Result<Self, LlamaError> {
        let architecture = Self::family(head)?;
        let name = head.text("general.architecture").unwrap_or("");
        let key = |part: &str| format!("{name}.{part}");
        let optional = |part: &str| head.whole(&key(part));
        let needed = |part: &str| {
            optional(part)?.ok_or_else(|| LlamaError::Shape(format!("{} is missing", key(part))))
        };
        if optional("expert_count")?.unwrap_or(0) > 0 {
            return Err(LlamaError::Architecture(format!("{name} with experts")));
        }
        let scaling = head.text(&key("rope.scaling.type")).unwrap_or("none");
        if scaling != "none" {
            return Err(LlamaError::Architecture(format!("{name} with rope scaling {scaling}")));
        }
        let (width, heads) = (needed("embedding_length")?, needed("attention.head_count")?);
        if heads == 0 || width == 0 {
            return Err(LlamaError::Shape("it has no heads or no width".to_owned()));
        }
        let head_width = optional("attention.key_length")?.unwrap_or(width / heads);
        let float = |part: &str, usual: f32| head.float(&key(part)).map(|v| v.unwrap_or(usual));
        let shape = Self {
            architecture,
            layers: needed("block_count")?,
            width,
            heads,
            kept_heads: optional("attention.head_count_kv")?.unwrap_or(heads),
            head_width,
            turned_width: optional("rope.dimension_count")?.unwrap_or(head_width),
            inner: needed("feed_forward_length")?,
            vocabulary,
            context: needed("context_length")?,
            epsilon: float("attention.layer_norm_rms_epsilon", 1e-5)?,
            base: float("rope.freq_base", 10_000.0)?,
        };
        shape.check(optional("attention.value_length")?.unwrap_or(head_width))?;
        Ok(shape)
    }

    fn check(&self, value_width: usize) -> Result<(), LlamaError> {
        let wrong = |problem: String| Err(LlamaError::Shape(problem));
        for (what, size) in
            [("width", self.width), ("head's width", self.head_width), ("inner width", self.inner)]
        {
            if size == 0 || !size.is_multiple_of(BLOCK) {
                return wrong(format!("its {what} is {size}, which is no multiple of {BLOCK}"));
            }
        }
        if self.kept_heads == 0 || !self.heads.is_multiple_of(self.kept_heads) {
            return wrong(format!("{} heads share {}", self.heads, self.kept_heads));
        }
        if value_width != self.head_width {
            return wrong("its values are not as wide as its keys".to_owned());
        }
        let turned = self.turned_width;
        if turned == 0 || turned > self.head_width || !turned.is_multiple_of(2) {
            return wrong(format!("{turned} of {} numbers are turned", self.head_width));
        }
        if self.context == 0 || self.vocabulary == 0 {
            return wrong("it has no context or no vocabulary".to_owned());
        }
        if !(self.base > 0.0 && self.epsilon >= 0.0) {
            return wrong("its constants are not positive".to_owned());
        }
        Ok(())
    }

    pub const fn query_width(&self) -> usize {
        self.heads * self.head_width
    }
}
