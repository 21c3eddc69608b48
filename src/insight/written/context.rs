//! What the words around a number say about it.

use super::Place;

/// Nouns that are counted: digits before them are a number, no year and no code.
pub(super) const COUNTED: [&str; 44] = [
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "night",
    "nights",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "time",
    "times",
    "people",
    "customers",
    "calls",
    "pound",
    "pounds",
    "dollar",
    "dollars",
    "euro",
    "euros",
    "pence",
    "cents",
    "percent",
    "per",
    "miles",
    "metres",
    "meters",
    "kilos",
    "megabits",
    "gigabytes",
    "megabytes",
    "items",
    "units",
    "boxes",
    "more",
    "other",
    "thousand",
];
/// Words of a sentence in which "nine fifty" is a price.
const PRICED: [&str; 36] = [
    "each",
    "paid",
    "pay",
    "pays",
    "paying",
    "payment",
    "payments",
    "cost",
    "costs",
    "costing",
    "bill",
    "bills",
    "charge",
    "charged",
    "charges",
    "charging",
    "price",
    "prices",
    "priced",
    "pound",
    "pounds",
    "quid",
    "pence",
    "dollars",
    "euros",
    "fee",
    "fees",
    "spend",
    "spent",
    "refund",
    "cheaper",
    "tariff",
    "rent",
    "discount",
    "expensive",
    "per",
];
const PERIODS: [&str; 5] = ["month", "week", "year", "quarter", "day"];
/// Words of a sentence in which "twelve forty two" is a house.
const HOUSED: [&str; 13] = [
    "live",
    "lives",
    "lived",
    "living",
    "address",
    "house",
    "flat",
    "apartment",
    "street",
    "road",
    "avenue",
    "postcode",
    "moved",
];
/// Words of a sentence in which "around nine thirty" is a time.
const DAILY: [&str; 20] = [
    "morning",
    "afternoon",
    "evening",
    "tonight",
    "today",
    "tomorrow",
    "yesterday",
    "noon",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "o'clock",
    "am",
    "pm",
    "a.m",
    "p.m",
];
/// Words of a sentence in which pounds are a weight.
const WEIGHED: [&str; 22] = [
    "weigh",
    "weighs",
    "weighed",
    "weighing",
    "weight",
    "weights",
    "ounce",
    "ounces",
    "stone",
    "baby",
    "babies",
    "parcel",
    "parcels",
    "package",
    "packages",
    "kilo",
    "kilos",
    "kilograms",
    "heavy",
    "heavier",
    "lighter",
    "lbs",
];

pub(super) fn is_priced(place: &Place) -> bool {
    let words = place.sentence();
    let each = |pair: &[&str]| {
        matches!(pair[0], "a" | "every" | "this" | "last") && PERIODS.contains(&pair[1])
    };
    let up = |pair: &[&str]| matches!(pair[0], "went" | "gone" | "go" | "goes") && pair[1] == "up";
    words.iter().any(|word| PRICED.contains(word) || word.contains(['£', '$', '€']))
        || words.windows(2).any(|pair| each(pair) || up(pair))
}

pub(super) fn is_housed(place: &Place) -> bool {
    place.sentence().iter().any(|word| HOUSED.contains(word))
}

pub(super) fn is_daily(place: &Place) -> bool {
    place.sentence().iter().any(|word| DAILY.contains(word))
}

pub(super) fn is_weighed(place: &Place) -> bool {
    place.sentence().iter().any(|word| WEIGHED.contains(word))
}

/// "between one and two hundred": what belongs to which number only the speaker knows.
pub(super) fn is_between(place: &Place) -> bool {
    const FAR: usize = 8;
    (1..=FAR).any(|back| place.word_before(back) == "between")
}

/// A word that makes the number before it larger.
pub(super) fn is_scale(word: &str) -> bool {
    matches!(word, "hundred" | "thousand" | "million" | "billion")
}
