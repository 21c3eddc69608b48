//! Which ggml tensor comes from which rows of which CTranslate2 variable.
//!
//! The two projects cut the same network differently: CTranslate2 stacks query, key and value in
//! one matrix, ggml keeps them apart; names follow OpenAI's there. No transposition is needed.
//! Sources: whisper.cpp `src/whisper.cpp` (tensor names) and CTranslate2 `specs/whisper_spec.py`.

use super::ConvertError;
use super::ct2::{Index, Kind, Variable, tensor};

/// The sizes in the header of the ggml file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) vocabulary: u32,
    pub(super) audio_context: u32,
    pub(super) audio_state: u32,
    pub(super) audio_heads: u32,
    pub(super) audio_layers: u32,
    pub(super) text_context: u32,
    pub(super) text_state: u32,
    pub(super) text_heads: u32,
    pub(super) text_layers: u32,
    pub(super) mels: u32,
}

/// The form in which a tensor is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    F32,
    F16,
    Q8,
}

/// One tensor to write.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) name: String,
    /// Row-major, as in CTranslate2; ggml writes them in reverse.
    pub(super) dims: Vec<u32>,
    pub(super) stored: Stored,
    pub(super) source: Kind,
    /// Where the first number lies in the source.
    pub(super) offset: u64,
}

impl Piece {
    pub(super) fn elements(&self) -> u64 {
        self.dims.iter().map(|&dim| u64::from(dim)).product()
    }
}

impl Shape {
    pub(super) fn of(index: &Index) -> Result<Self, ConvertError> {
        let [vocabulary, text_state] = dims(index, "decoder/embeddings/weight")?;
        let [audio_context, audio_state] = dims(index, "encoder/position_encodings/encodings")?;
        let [text_context, _] = dims(index, "decoder/position_encodings/encodings")?;
        let [_, mels, _] = dims(index, "encoder/conv1/weight")?;
        let shape = Self {
            vocabulary,
            audio_context,
            audio_state,
            audio_heads: heads(index, "encoder")?,
            audio_layers: layers(index, "encoder"),
            text_context,
            text_state,
            text_heads: heads(index, "decoder")?,
            text_layers: layers(index, "decoder"),
            mels,
        };
        if mels != super::mel::BINS {
            return Err(ConvertError::NotWhisper(format!(
                "{mels} mel bins; only models with {} are supported",
                super::mel::BINS
            )));
        }
        // Whisper's own sizes are far below; larger ones could not be read back by whisper.cpp.
        if [vocabulary, audio_context, audio_state, text_context, text_state]
            .iter()
            .any(|&size| size == 0 || size > 1 << 20)
        {
            return Err(ConvertError::NotWhisper("a size is zero or beyond a million".to_owned()));
        }
        Ok(shape)
    }
}

/// Lists every tensor in the order in which it is written, and refuses what is not accounted for.
pub(super) fn of(index: &Index, shape: &Shape) -> Result<Vec<Piece>, ConvertError> {
    let mut planner = Planner { index, pieces: Vec::new(), used: 0 };
    let (audio, text) = (shape.audio_state, shape.text_state);

    planner.whole(
        "encoder/position_encodings/encodings",
        "encoder.positional_embedding",
        &[shape.audio_context, audio],
        Stored::F32,
    )?;
    planner.conv("conv1", &[audio, shape.mels, 3])?;
    planner.conv("conv2", &[audio, audio, 3])?;
    planner.norm("encoder/layer_norm", "encoder.ln_post", audio)?;
    for i in 0..shape.audio_layers {
        let (from, to) = (format!("encoder/layer_{i}"), format!("encoder.blocks.{i}"));
        planner.block(&from, &to, audio)?;
    }

    planner.whole(
        "decoder/position_encodings/encodings",
        "decoder.positional_embedding",
        &[shape.text_context, text],
        Stored::F32,
    )?;
    planner.whole(
        "decoder/embeddings/weight",
        "decoder.token_embedding.weight",
        &[shape.vocabulary, text],
        Stored::Q8,
    )?;
    planner.norm("decoder/layer_norm", "decoder.ln", text)?;
    for i in 0..shape.text_layers {
        let (from, to) = (format!("decoder/layer_{i}"), format!("decoder.blocks.{i}"));
        planner.block(&from, &to, text)?;
        planner.cross(&from, &to, text, audio)?;
    }

    let tensors = index.variables.values().filter(|variable| !variable.dims.is_empty()).count();
    if planner.used != tensors {
        return Err(ConvertError::NotWhisper(format!(
            "{tensors} tensors, of which Whisper has {}",
            planner.used
        )));
    }
    Ok(planner.pieces)
}

struct Planner<'a> {
    index: &'a Index,
    pieces: Vec<Piece>,
    /// Variables accounted for.
    used: usize,
}

impl<'a> Planner<'a> {
    fn find(&mut self, name: &str, dims: &[u32]) -> Result<&'a Variable, ConvertError> {
        let variable = find(self.index, name)?;
        if variable.dims != dims {
            return Err(tensor(
                name,
                format!("has the dimensions {:?}, expected {dims:?}", variable.dims),
            ));
        }
        if !matches!(variable.kind, Kind::F16 | Kind::F32) {
            return Err(tensor(
                name,
                format!("is stored as {:?}; only f16 and f32 are supported", variable.kind),
            ));
        }
        self.used += 1;
        Ok(variable)
    }

    fn whole(
        &mut self,
        from: &str,
        to: &str,
        dims: &[u32],
        stored: Stored,
    ) -> Result<(), ConvertError> {
        let variable = self.find(from, dims)?;
        self.push(variable, to.to_owned(), dims.to_vec(), stored, 0)
    }

    fn push(
        &mut self,
        variable: &Variable,
        name: String,
        dims: Vec<u32>,
        stored: Stored,
        skipped_elements: u64,
    ) -> Result<(), ConvertError> {
        let width = dims.last().copied().unwrap_or(0) as usize;
        if stored == Stored::Q8 && !width.is_multiple_of(super::q8::BLOCK) {
            return Err(tensor(
                &name,
                format!("rows of {width} numbers can't be cut into blocks of {}", super::q8::BLOCK),
            ));
        }
        let offset = variable.offset + skipped_elements * variable.kind.bytes();
        self.pieces.push(Piece { name, dims, stored, source: variable.kind, offset });
        Ok(())
    }

    fn conv(&mut self, name: &str, dims: &[u32; 3]) -> Result<(), ConvertError> {
        self.whole(
            &format!("encoder/{name}/weight"),
            &format!("encoder.{name}.weight"),
            dims,
            Stored::F16,
        )?;
        // ggml adds it to a matrix, so it wants [n, 1].
        let bias = self.find(&format!("encoder/{name}/bias"), &dims[..1])?;
        self.push(bias, format!("encoder.{name}.bias"), vec![dims[0], 1], Stored::F32, 0)
    }

    fn norm(&mut self, from: &str, to: &str, width: u32) -> Result<(), ConvertError> {
        self.whole(&format!("{from}/gamma"), &format!("{to}.weight"), &[width], Stored::F32)?;
        self.whole(&format!("{from}/beta"), &format!("{to}.bias"), &[width], Stored::F32)
    }

    /// Cuts a stacked linear layer into its parts, each of `rows` rows.
    fn linear(
        &mut self,
        from: &str,
        to: &[String],
        rows: u32,
        columns: u32,
    ) -> Result<(), ConvertError> {
        let stacked = u32::try_from(to.len())
            .ok()
            .and_then(|parts| parts.checked_mul(rows))
            .expect("sizes are below a million and parts at most three; this is a bug");
        let weight = self.find(&format!("{from}/weight"), &[stacked, columns])?;
        let bias = self.find(&format!("{from}/bias"), &[stacked])?;
        for (part, name) in (0u64..).zip(to) {
            let skipped = part * u64::from(rows);
            self.push(
                weight,
                format!("{name}.weight"),
                vec![rows, columns],
                Stored::Q8,
                skipped * u64::from(columns),
            )?;
            // Whisper's keys have no bias; CTranslate2 fills the stack with zeros.
            if !name.ends_with(".key") {
                self.push(bias, format!("{name}.bias"), vec![rows], Stored::F32, skipped)?;
            }
        }
        Ok(())
    }

    fn block(&mut self, from: &str, to: &str, width: u32) -> Result<(), ConvertError> {
        let own = format!("{from}/self_attention");
        let names = ["query", "key", "value"].map(|part| format!("{to}.attn.{part}"));
        self.norm(&format!("{own}/layer_norm"), &format!("{to}.attn_ln"), width)?;
        self.linear(&format!("{own}/linear_0"), &names, width, width)?;
        self.linear(&format!("{own}/linear_1"), &[format!("{to}.attn.out")], width, width)?;
        let inner = width * 4;
        self.norm(&format!("{from}/ffn/layer_norm"), &format!("{to}.mlp_ln"), width)?;
        self.linear(&format!("{from}/ffn/linear_0"), &[format!("{to}.mlp.0")], inner, width)?;
        self.linear(&format!("{from}/ffn/linear_1"), &[format!("{to}.mlp.2")], width, inner)
    }

    fn cross(&mut self, from: &str, to: &str, text: u32, audio: u32) -> Result<(), ConvertError> {
        let attention = format!("{from}/attention");
        let to = format!("{to}.cross_attn");
        self.norm(&format!("{attention}/layer_norm"), &format!("{to}_ln"), text)?;
        self.linear(&format!("{attention}/linear_0"), &[format!("{to}.query")], text, text)?;
        let stacked = ["key", "value"].map(|part| format!("{to}.{part}"));
        self.linear(&format!("{attention}/linear_1"), &stacked, text, audio)?;
        self.linear(&format!("{attention}/linear_2"), &[format!("{to}.out")], text, text)
    }
}

fn find<'a>(index: &'a Index, name: &str) -> Result<&'a Variable, ConvertError> {
    index.variables.get(name).ok_or_else(|| tensor(name, "is missing"))
}

fn dims<const N: usize>(index: &Index, name: &str) -> Result<[u32; N], ConvertError> {
    let found = &find(index, name)?.dims;
    found
        .as_slice()
        .try_into()
        .map_err(|_| tensor(name, format!("has the dimensions {found:?}, expected {N} of them")))
}

fn heads(index: &Index, half: &str) -> Result<u32, ConvertError> {
    let name = format!("{half}/num_heads");
    let value = find(index, &name)?.scalar;
    value
        .and_then(|heads| u32::try_from(heads).ok())
        .filter(|&heads| heads > 0)
        .ok_or_else(|| tensor(&name, "must be a whole number above zero"))
}

fn layers(index: &Index, half: &str) -> u32 {
    (0u32..)
        .take_while(|i| {
            index
                .variables
                .contains_key(&format!("{half}/layer_{i}/self_attention/layer_norm/beta"))
        })
        .count() as u32
}
