"""Backchannel beside faster-whisper and CTranslate2, same weights, same recordings, same run.

    benches/peers/run asr.py DATASET… [--model whisper-base] [--share 0.34]

Each system has one thread. The recordings are dealt into rounds, and the systems take turns within a
round, so that a busy machine slows all of them. CPU time is that of hearing: loading is left out, and
for the peers also reading the file. Words are compared by `whisper-normalizer`, digits one by one.
The last line is JSON.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from systems import SYSTEMS, manifest, read_audio
from whisper_normalizer.english import EnglishTextNormalizer

NORMALISE = EnglishTextNormalizer()
DIGITS = "zero one two three four five six seven eight nine".split()
OURS = "backchannel"
DRAWS = 10_000


def edits(wanted, got) -> int:
    row = list(range(len(got) + 1))
    for index, one in enumerate(wanted):
        diagonal, row[0] = row[0], index + 1
        for column, other in enumerate(got):
            diagonal, row[column + 1] = row[column + 1], min(
                diagonal + (one != other), row[column] + 1, row[column + 1] + 1
            )
    return row[-1]


def digits_of(text: str) -> str:
    tokens = re.findall(r"[a-z]+|[0-9]", text.lower())
    spoken = {word: str(digit) for digit, word in enumerate(DIGITS)} | {"oh": "0"}
    return "".join(spoken.get(token, token if token.isdigit() else "") for token in tokens)


def ours(binary: str, model: str, rows: list[dict]) -> tuple[list[str], float, dict]:
    with tempfile.TemporaryDirectory() as folder:
        lines = [
            {"id": str(number), "text": row["text"], "file": str(Path(row["folder"], row["file"]).resolve())}
            for number, row in enumerate(rows)
        ]
        path = Path(folder, "manifest.jsonl")
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        heard = Path(folder, "heard.jsonl")
        command = [binary, "eval", "asr", folder, "--json", "--workers", "1", "--model", model]
        done = subprocess.run([*command, "--predictions", heard], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        report = json.loads(done.stdout.splitlines()[-1])
        texts = [json.loads(line)["hypothesis"] for line in heard.read_text().splitlines()]
        return texts, report["cpu_seconds"], report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--model", default="whisper-base", choices=["whisper-base", "whisper-tiny.en"])
    parser.add_argument("--binary", default="target/release/backchannel")
    parser.add_argument("--peers", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--share", type=float, default=1.0, help="of data sets of over 50 recordings")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--out", type=Path, help="a line for each recording and system")
    args = parser.parse_args()

    dice = random.Random(args.seed)
    rows = []
    for folder in args.datasets:
        all_rows = manifest(folder)
        wanted = round(len(all_rows) * args.share) if len(all_rows) > 50 else len(all_rows)
        rows += dice.sample(all_rows, wanted)
    dice.shuffle(rows)
    audio = [read_audio(Path(row["folder"], row["file"])) for row in rows]
    seconds = sum(len(samples) for samples in audio) / 16_000
    peers = {name: SYSTEMS[name](args.model) for name in args.peers}
    for peer in peers.values():
        peer.hear(np.zeros(16_000, "float32"))

    texts = {name: [""] * len(rows) for name in [OURS, *peers]}
    cpu = dict.fromkeys(texts, 0.0)
    own_wer = [0, 0]
    for first in range(args.rounds):
        numbers = range(first, len(rows), args.rounds)
        heard, spent, report = ours(args.binary, args.model, [rows[number] for number in numbers])
        cpu[OURS] += spent
        own_wer = [own_wer[0] + report["errors"], own_wer[1] + report["words"]]
        for number, text in zip(numbers, heard, strict=True):
            texts[OURS][number] = text
        for name, peer in peers.items():
            begun = time.process_time()
            for number in numbers:
                texts[name][number] = peer.hear(audio[number])
            cpu[name] += time.process_time() - begun
        print(f"round {first + 1} of {args.rounds}", file=sys.stderr)

    said = [NORMALISE(row["text"]).split() for row in rows]
    words = np.array([len(reference) for reference in said])
    errors, figures = {}, {}
    digits = [digits_of(row["text"]) for row in rows]
    for name, heard in texts.items():
        errors[name] = np.array(
            [edits(reference, NORMALISE(text).split()) for reference, text in zip(said, heard, strict=True)]
        )
        wrong = sum(edits(d, digits_of(t)) for d, t in zip(digits, heard, strict=True) if d)
        figures[name] = {
            "wer": errors[name].sum() / max(words.sum(), 1),
            "digit_accuracy": 1 - wrong / max(sum(map(len, digits)), 1),
            "cpu_seconds_per_audio_second": cpu[name] / seconds,
        }
    draws = np.random.default_rng(args.seed).integers(0, len(rows), (DRAWS, len(rows)))
    drawn_words = words[draws].sum(axis=1)
    for name in peers:
        difference = (errors[OURS] - errors[name])[draws].sum(axis=1) / drawn_words
        figures[name]["ours_less_theirs"] = figures[OURS]["wer"] - figures[name]["wer"]
        # One-sided, and the upper end of the two-sided interval.
        figures[name]["upper_95"] = float(np.quantile(difference, 0.95))
        figures[name]["upper_97_5"] = float(np.quantile(difference, 0.975))
        figures[name]["cpu_ratio"] = cpu[OURS] / cpu[name]
    if args.out:
        with open(args.out, "w") as out:
            for number, row in enumerate(rows):
                line = {"id": row["id"], "reference": row["text"], "words": int(words[number])}
                for name in texts:
                    line[name] = {"text": texts[name][number], "errors": int(errors[name][number])}
                out.write(json.dumps(line) + "\n")
    print(f"{len(rows)} recordings, {seconds:.0f} s, {words.sum()} words, {sum(map(len, digits))} digits")
    print(f"by our own normaliser: {100 * own_wer[0] / max(own_wer[1], 1):.2f} % of {own_wer[1]} words")
    for name, figure in figures.items():
        line = f"{name:20} WER {100 * figure['wer']:6.2f} %  digits {100 * figure['digit_accuracy']:6.2f} %"
        line += f"  CPU {figure['cpu_seconds_per_audio_second']:.3f} s/s"
        if name != OURS:
            line += f"  ours − theirs {100 * figure['ours_less_theirs']:+.2f} points,"
            line += f" upper 95 % {100 * figure['upper_95']:+.2f} (97.5 %: {100 * figure['upper_97_5']:+.2f})"
            line += f"; CPU ours/theirs {figure['cpu_ratio']:.2f}"
        print(line)
    print(json.dumps({"model": args.model, "recordings": len(rows), "audio_seconds": seconds, "systems": figures}))


if __name__ == "__main__":
    main()
