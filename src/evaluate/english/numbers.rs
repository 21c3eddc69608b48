//! Number words to digits, with the word before and the word after in view.

use super::pattern;

const ONES: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// The rest are powers of a thousand.
const MULTIPLIERS: [&str; 12] = [
    "hundred",
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
];

/// What a word is to a number.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Zero,
    Ones(u128),
    /// With what hangs on: "s" or the ending of an ordinal.
    OnesWith(u128, &'static str),
    Tens(u128),
    TensWith(u128, &'static str),
    Multiplier(u128),
    MultiplierWith(u128, &'static str),
    /// "minus".
    SignBefore(char),
    /// "dollars".
    SignAfter(char),
    Per,
    Percent,
    And,
    Repeat(usize),
    Point,
    Other,
}

fn word(text: &str) -> Word {
    match text {
        "o" | "oh" | "zero" => return Word::Zero,
        "zeroth" => return Word::OnesWith(0, "th"),
        "first" => return Word::OnesWith(1, "st"),
        "second" => return Word::OnesWith(2, "nd"),
        "third" => return Word::OnesWith(3, "rd"),
        "fifth" => return Word::OnesWith(5, "th"),
        "twelfth" => return Word::OnesWith(12, "th"),
        "sixes" => return Word::OnesWith(6, "s"),
        "minus" | "negative" => return Word::SignBefore('-'),
        "plus" | "positive" => return Word::SignBefore('+'),
        "pound" | "pounds" => return Word::SignAfter('£'),
        "euro" | "euros" => return Word::SignAfter('€'),
        "dollar" | "dollars" => return Word::SignAfter('$'),
        "cent" | "cents" => return Word::SignAfter('¢'),
        "per" => return Word::Per,
        "percent" => return Word::Percent,
        "and" => return Word::And,
        "double" => return Word::Repeat(2),
        "triple" => return Word::Repeat(3),
        "point" => return Word::Point,
        _ => {}
    }
    let ones = |name: &str| Some(ONES.iter().position(|one| *one == name)? as u128 + 1);
    let tens = |name: &str| Some((TENS.iter().position(|ten| *ten == name)? as u128 + 2) * 10);
    let multiplier = |name: &str| {
        let power = MULTIPLIERS.iter().position(|multiplier| *multiplier == name)?;
        Some(if power == 0 { 100 } else { 1_000_u128.pow(power as u32) })
    };
    None.or_else(|| ones(text).map(Word::Ones))
        .or_else(|| tens(text).map(Word::Tens))
        .or_else(|| multiplier(text).map(Word::Multiplier))
        .or_else(|| {
            let stem = text.strip_suffix("ieth").map(|stem| (stem, "th"));
            let (stem, suffix) = stem.or_else(|| Some((text.strip_suffix("ies")?, "s")))?;
            Some(Word::TensWith(tens(&format!("{stem}y"))?, suffix))
        })
        .or_else(|| {
            let stem = text.strip_suffix('s')?;
            let one = ones(stem).filter(|one| *one != 6).map(|one| Word::OnesWith(one, "s"));
            one.or_else(|| multiplier(stem).map(|value| Word::MultiplierWith(value, "s")))
        })
        .or_else(|| {
            if text == "eighth" {
                return Some(Word::OnesWith(8, "th"));
            }
            let stem = text.strip_suffix("th")?;
            let regular = |one: &u128| *one > 3 && !matches!(one, 5 | 8 | 12);
            let one = ones(stem).filter(regular).map(|one| Word::OnesWith(one, "th"));
            one.or_else(|| multiplier(stem).map(|value| Word::MultiplierWith(value, "th")))
        })
        .unwrap_or(Word::Other)
}

/// A number so far: one that can still be added to, or digits in a row.
#[derive(Clone, PartialEq)]
enum Value {
    Int(u128),
    Digits(String),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Digits(digits) => digits.clone(),
        }
    }
}

#[derive(Default)]
struct Reader {
    value: Option<Value>,
    prefix: Option<char>,
    out: Vec<String>,
}

impl Reader {
    fn say(&mut self, text: &str) {
        self.value = None;
        let prefix = self.prefix.take();
        self.out.push(prefix.into_iter().map(String::from).chain([text.to_owned()]).collect());
    }

    fn say_value(&mut self) {
        if let Some(value) = self.value.take() {
            self.say(&value.text());
        }
    }

    /// Says the number so far, and a word that isn't part of it.
    fn say_word(&mut self, text: &str) {
        self.say_value();
        self.say(text);
    }

    /// The digits so far, to be followed by more. Nought alone vanishes, as in the original.
    fn digits(&self) -> String {
        match &self.value {
            None | Some(Value::Int(0)) => String::new(),
            Some(value) => value.text(),
        }
    }

    /// What the number becomes when this one is said after it.
    fn joined(&self, number: u128, previous: Word) -> Value {
        let after_tens = matches!(previous, Word::Tens(_));
        let after_ones = matches!(previous, Word::Ones(_));
        match &self.value {
            None => Value::Int(number),
            Some(Value::Digits(digits)) if after_tens && number < 10 && digits.ends_with('0') => {
                Value::Digits(format!("{}{number}", &digits[..digits.len() - 1]))
            }
            Some(Value::Int(value)) if !(after_ones && number < 20) => {
                let room = if number < 10 { 10 } else { 100 };
                match value.is_multiple_of(room).then(|| value.checked_add(number)).flatten() {
                    Some(sum) => Value::Int(sum),
                    None => Value::Digits(format!("{value}{number}")),
                }
            }
            Some(value) => Value::Digits(format!("{}{number}", value.text())),
        }
    }

    /// The number so far times a hundred or more; none when it can't be multiplied.
    fn multiplied(&self, multiplier: u128) -> Option<u128> {
        match self.value.as_ref()? {
            Value::Int(value) => {
                let before = value / 1_000 * 1_000;
                (value % 1_000).checked_mul(multiplier)?.checked_add(before)
            }
            Value::Digits(digits) => {
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
                let product =
                    format!("{whole}{fraction}").parse::<u128>().ok()?.checked_mul(multiplier)?;
                product.is_multiple_of(scale).then_some(product / scale)
            }
        }
    }

    /// Takes one word; true when the next one is part of it.
    fn read(&mut self, previous: Word, text: &str, next: Option<&str>) -> bool {
        let next_word = next.map_or(Word::Other, word);
        let next_is_number = next.is_some_and(is_number);
        let next_counts = next_is_number || next_word != Word::Other;
        let sign = text.chars().next().filter(|first| "-+£€$¢".contains(*first));
        let unsigned = sign.map_or(text, |sign| &text[sign.len_utf8()..]);
        if is_number(unsigned) {
            self.read_number(text, unsigned, sign);
            return false;
        }
        match word(text) {
            Word::Other => self.say_word(text),
            Word::Zero => self.value = Some(Value::Digits(self.digits() + "0")),
            Word::Ones(number) | Word::Tens(number) => {
                self.value = Some(self.joined(number, previous));
            }
            Word::OnesWith(number, suffix) | Word::TensWith(number, suffix) => {
                let said = self.joined(number, previous).text() + suffix;
                self.say(&said);
            }
            Word::Multiplier(multiplier) => match self.multiplied(multiplier) {
                Some(product) => self.value = Some(Value::Int(product)),
                None => {
                    self.say_value();
                    self.value = Some(Value::Int(multiplier));
                }
            },
            Word::MultiplierWith(multiplier, suffix) => {
                let product = self.multiplied(multiplier);
                if product.is_none() {
                    self.say_value();
                }
                self.say(&format!("{}{suffix}", product.unwrap_or(multiplier)));
            }
            Word::SignBefore(sign) => {
                self.say_value();
                if next_counts {
                    self.prefix = Some(sign);
                } else {
                    self.say(text);
                }
            }
            Word::SignAfter(sign) => {
                if self.value.is_some() {
                    self.prefix = Some(sign);
                    self.say_value();
                } else {
                    self.say(text);
                }
            }
            Word::Per | Word::Percent => {
                let whole = text == "percent" || next == Some("cent");
                match self.value.clone().filter(|_| whole) {
                    Some(value) => {
                        self.say(&(value.text() + "%"));
                        return text == "per";
                    }
                    None => self.say_word(text),
                }
            }
            Word::And if next_counts => {
                if !matches!(previous, Word::Multiplier(_)) {
                    self.say_word(text);
                }
            }
            Word::Repeat(times) if matches!(next_word, Word::Ones(_) | Word::Zero) => {
                let digit = if let Word::Ones(number) = next_word { number } else { 0 };
                self.value = Some(Value::Digits(self.digits() + &digit.to_string().repeat(times)));
                return true;
            }
            Word::Point if next_counts => {
                let decimal = matches!(next_word, Word::Ones(_) | Word::Tens(_) | Word::Zero);
                if decimal || next_is_number {
                    self.value = Some(Value::Digits(self.digits() + "."));
                }
            }
            Word::And | Word::Repeat(_) | Word::Point => self.say_word(text),
        }
        false
    }

    fn read_number(&mut self, text: &str, unsigned: &str, sign: Option<char>) {
        match &mut self.value {
            // The parts of a decimal or of an IP address.
            Some(Value::Digits(digits)) if digits.ends_with('.') => {
                digits.push_str(text);
                return;
            }
            _ => self.say_value(),
        }
        self.prefix = sign.or(self.prefix);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_whole = fraction.bytes().all(|digit| digit == b'0');
        self.value = Some(match whole.parse() {
            Ok(value) if is_whole => Value::Int(value),
            _ => Value::Digits(unsigned.to_owned()),
        });
    }
}

fn is_number(text: &str) -> bool {
    pattern!(r"^[0-9]+(\.[0-9]+)?$").is_match(text)
}

pub(super) fn standardise(text: &str) -> String {
    let text = prepared(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut reader = Reader::default();
    let mut skip = false;
    let mut previous = Word::Other;
    for (index, text) in words.iter().enumerate() {
        if !skip {
            skip = reader.read(previous, text, words.get(index + 1).copied());
        } else {
            skip = false;
        }
        previous = word(text);
    }
    reader.say_value();
    finished(&reader.out.join(" "))
}

fn prepared(text: &str) -> String {
    let segments: Vec<&str> = pattern!(r"\band\s+a\s+half\b").split(text).collect();
    let mut parts = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let Some(last) = segment.split_whitespace().last() else { continue };
        parts.push(*segment);
        if index + 1 < segments.len() {
            let counts = matches!(
                word(last),
                Word::Ones(_) | Word::Tens(_) | Word::Zero | Word::Multiplier(_)
            );
            parts.push(if counts { "point five" } else { "and a half" });
        }
    }
    let text = parts.join(" ");
    let text = pattern!(r"([a-z])([0-9])").replace_all(&text, "$1 $2");
    let text = pattern!(r"([0-9])([a-z])").replace_all(&text, "$1 $2");
    pattern!(r"([0-9])\s+(st|nd|rd|th|s)\b").replace_all(&text, "$1$2").into_owned()
}

fn finished(text: &str) -> String {
    let cents = |digits: &str| digits.trim_start_matches('0').to_owned();
    let text = pattern!(r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b")
        .replace_all(text, |m: &regex::Captures| format!("{}{}.{:0>2}", &m[1], &m[2], &m[3]));
    let text = pattern!(r"[€£$]0.([0-9]{1,2})\b").replace_all(&text, |m: &regex::Captures| {
        let digits = cents(&m[1]);
        format!("¢{}", if digits.is_empty() { "0" } else { &digits })
    });
    pattern!(r"\b1(s?)\b").replace_all(&text, "one$1").into_owned()
}
