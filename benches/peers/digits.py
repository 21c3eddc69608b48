"""Joins single spoken digits into sequences, one speaker each: benches/peers/run digits.py IN OUT.

The recordings are joined as they are, with silence between them, at their own rate.
"""

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder with manifest.jsonl: id, file, text, speaker")
    parser.add_argument("target", type=Path)
    parser.add_argument("--sequences", type=int, default=60)
    parser.add_argument("--shortest", type=int, default=4)
    parser.add_argument("--longest", type=int, default=16)
    parser.add_argument("--gap-ms", type=int, default=150)
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    lines = (args.source / "manifest.jsonl").read_text().splitlines()
    by_speaker = defaultdict(list)
    for row in map(json.loads, lines):
        by_speaker[row["speaker"]].append(row)
    dice = random.Random(args.seed)
    (args.target / "audio").mkdir(parents=True, exist_ok=True)
    with open(args.target / "manifest.jsonl", "w") as out:
        for number in range(args.sequences):
            speaker = sorted(by_speaker)[number % len(by_speaker)]
            rows = dice.choices(by_speaker[speaker], k=dice.randint(args.shortest, args.longest))
            pieces = []
            for row in rows:
                samples, rate = soundfile.read(args.source / row["file"], dtype="int16")
                gap = np.zeros(rate * args.gap_ms // 1000, "int16")
                pieces += [samples, gap]
            joined = np.concatenate(pieces[:-1])
            name = f"audio/{number:03}-{speaker}.wav"
            soundfile.write(args.target / name, joined, rate, subtype="PCM_16")
            text = " ".join(row["text"] for row in rows)
            row = {"id": f"{number:03}-{speaker}", "file": name, "text": text, "speaker": speaker}
            out.write(json.dumps(row | {"seconds": round(len(joined) / rate, 3)}) + "\n")


if __name__ == "__main__":
    main()
