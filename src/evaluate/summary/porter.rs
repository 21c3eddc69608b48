//! Porter's stemmer as Google's `rouge-score` uses it, which is NLTK's: the algorithm of 1980 with
//! NLTK's extensions. Snowball's English stemmer is a later one and gives other figures.

const IRREGULAR: &[(&str, &str)] = &[
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// A suffix, what takes its place, and the measure that the stem must be above.
type Rule = (&'static str, &'static str, usize);

const STEP_2: &[Rule] = &[
    ("ational", "ate", 0),
    ("tional", "tion", 0),
    ("enci", "ence", 0),
    ("anci", "ance", 0),
    ("izer", "ize", 0),
    ("bli", "ble", 0),
    ("alli", "al", 0),
    ("entli", "ent", 0),
    ("eli", "e", 0),
    ("ousli", "ous", 0),
    ("ization", "ize", 0),
    ("ation", "ate", 0),
    ("ator", "ate", 0),
    ("alism", "al", 0),
    ("iveness", "ive", 0),
    ("fulness", "ful", 0),
    ("ousness", "ous", 0),
    ("aliti", "al", 0),
    ("iviti", "ive", 0),
    ("biliti", "ble", 0),
    ("fulli", "ful", 0),
];
const STEP_3: &[Rule] = &[
    ("icate", "ic", 0),
    ("ative", "", 0),
    ("alize", "al", 0),
    ("iciti", "ic", 0),
    ("ical", "ic", 0),
    ("ful", "", 0),
    ("ness", "", 0),
];
const STEP_4: &[Rule] = &[
    ("al", "", 1),
    ("ance", "", 1),
    ("ence", "", 1),
    ("er", "", 1),
    ("ic", "", 1),
    ("able", "", 1),
    ("ible", "", 1),
    ("ant", "", 1),
    ("ement", "", 1),
    ("ment", "", 1),
    ("ent", "", 1),
    ("ion", "", 1),
    ("ou", "", 1),
    ("ism", "", 1),
    ("ate", "", 1),
    ("iti", "", 1),
    ("ous", "", 1),
    ("ive", "", 1),
    ("ize", "", 1),
];

/// The stem of a word of lower-case ASCII letters and digits.
pub fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let word = step_1c(step_1b(step_1a(word)));
    let word = step_2(word);
    let word = first_rule(word, STEP_3);
    step_5(first_rule(word, STEP_4))
}

/// Which letters are consonants.
fn consonants(word: &str) -> Vec<bool> {
    let mut flags: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        flags.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !flags.last().copied().unwrap_or(false),
            _ => true,
        });
    }
    flags
}

/// How often a consonant follows a vowel.
fn measure(word: &str) -> usize {
    consonants(word).windows(2).filter(|pair| !pair[0] && pair[1]).count()
}

fn ends_double(word: &str) -> bool {
    let bytes = word.as_bytes();
    let [.., before, last] = bytes else { return false };
    before == last && consonants(word).last() == Some(&true)
}

fn ends_cvc(word: &str) -> bool {
    match *consonants(word) {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

fn step_1a(word: &str) -> String {
    if word.ends_with("ies") {
        let kept = if word.len() == 4 { 1 } else { 2 };
        return word[..word.len() - kept].to_owned();
    }
    if word.ends_with("sses") {
        return word[..word.len() - 2].to_owned();
    }
    match word.strip_suffix('s') {
        Some(stem) if !word.ends_with("ss") => stem.to_owned(),
        _ => word.to_owned(),
    }
}

fn step_1b(word: String) -> String {
    if word.ends_with("ied") {
        let kept = if word.len() == 4 { 1 } else { 2 };
        return word[..word.len() - kept].to_owned();
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { format!("{stem}ee") } else { word };
    }
    let has_vowel = |stem: &&str| consonants(stem).contains(&false);
    let ed = word.strip_suffix("ed").filter(has_vowel);
    let Some(stem) = ed.or_else(|| word.strip_suffix("ing").filter(has_vowel)) else {
        return word;
    };
    if ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end)) {
        return format!("{stem}e");
    }
    if ends_double(stem) {
        let kept = usize::from(!stem.ends_with(['l', 's', 'z']));
        return stem[..stem.len() - kept].to_owned();
    }
    if measure(stem) == 1 && ends_cvc(stem) { format!("{stem}e") } else { stem.to_owned() }
}

fn step_1c(word: String) -> String {
    match word.strip_suffix('y') {
        Some(stem) if stem.len() > 1 && consonants(stem).last() == Some(&true) => {
            format!("{stem}i")
        }
        _ => word,
    }
}

fn step_2(word: String) -> String {
    if let Some(stem) = word.strip_suffix("alli").filter(|stem| measure(stem) > 0) {
        return step_2(format!("{stem}al"));
    }
    let known = STEP_2.iter().any(|(suffix, ..)| word.ends_with(suffix));
    if !known && word.ends_with("logi") {
        let stem = &word[..word.len() - 1];
        return if measure(&word[..word.len() - 3]) > 0 { stem.to_owned() } else { word };
    }
    first_rule(word, STEP_2)
}

/// The first suffix that is there decides, whether its condition holds or not.
fn first_rule(word: String, rules: &[Rule]) -> String {
    let rule = rules.iter().find_map(|rule| Some((word.strip_suffix(rule.0)?, rule)));
    let Some((stem, &(suffix, instead, above))) = rule else { return word };
    let holds = measure(stem) > above && (suffix != "ion" || stem.ends_with(['s', 't']));
    if holds { format!("{stem}{instead}") } else { word }
}

fn step_5(mut word: String) -> String {
    if let Some(stem) = word.strip_suffix('e')
        && (measure(stem) > 1 || (measure(stem) == 1 && !ends_cvc(stem)))
    {
        word = stem.to_owned();
    }
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
    word
}

#[cfg(test)]
mod tests {
    use super::stem;

    /// Computed with NLTK 3.10's `PorterStemmer`, as `rouge-score` 0.1.2 calls it.
    const VECTORS: &str = include_str!("porter.tsv");

    #[test]
    fn stems_are_those_of_nltk() {
        let mut seen = 0;
        for line in VECTORS.lines() {
            let (word, expected) = line.split_once('\t').expect("word, tab, stem");
            assert_eq!(stem(word), expected, "{word}");
            seen += 1;
        }
        assert!(seen > 300);
    }
}
