//! ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) as F1, in the convention of Google's `rouge-score` with
//! its stemmer: lower case, runs of ASCII letters and digits, Porter's stem of words with more than
//! three letters, no stop words, ROUGE-L over the whole text.

use std::collections::HashMap;

use super::porter;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rouge {
    pub rouge1: f64,
    pub rouge2: f64,
    pub rouge_l: f64,
}

/// A text in the form in which it is compared.
pub fn tokens(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| if word.len() > 3 { porter::stem(word) } else { word.to_owned() })
        .collect()
}

/// How near a text comes to a reference; both as [`tokens`].
pub fn rouge(text: &[String], reference: &[String]) -> Rouge {
    Rouge {
        rouge1: shared(text, reference, 1),
        rouge2: shared(text, reference, 2),
        rouge_l: f1(common_subsequence(text, reference), text.len(), reference.len()),
    }
}

fn shared(text: &[String], reference: &[String], length: usize) -> f64 {
    let mut counts: HashMap<&[String], usize> = HashMap::new();
    for gram in reference.windows(length) {
        *counts.entry(gram).or_default() += 1;
    }
    let hits = text.windows(length).filter(|gram| match counts.get_mut(gram) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    });
    let grams = |tokens: &[String]| (tokens.len() + 1).saturating_sub(length);
    f1(hits.count(), grams(text), grams(reference))
}

fn f1(hits: usize, of_text: usize, of_reference: usize) -> f64 {
    // 2PR / (P + R) with P = hits / text and R = hits / reference.
    match of_text + of_reference {
        0 => 0.0,
        all => 2.0 * hits as f64 / all as f64,
    }
}

fn common_subsequence(text: &[String], reference: &[String]) -> usize {
    let mut row = vec![0_usize; reference.len() + 1];
    for word in text {
        let mut diagonal = 0;
        for (at, other) in reference.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if word == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[reference.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `rouge-score` 0.1.2, `use_stemmer=True`, F1 of ROUGE-1, -2 and -L.
    const VECTORS: [(&str, &str, [f64; 3]); 8] = [
        (
            "The customer's broadband was cut off twice; the agent promised a refund within 5 days.",
            "Customer complains that broadband is being cut off. Agent promises to refund in five days.",
            [0.516_129, 0.137_931, 0.516_129],
        ),
        (
            "I've been charged £42.50 twice this month!",
            "The customer was charged twice, 42.50 each time.",
            [0.444_444, 0.125, 0.333_333],
        ),
        ("hello", "goodbye", [0.0; 3]),
        ("", "anything at all", [0.0; 3]),
        ("a b c d", "a b c d", [1.0; 3]),
        ("the cat the cat the cat", "the the the cat sat", [0.727_273, 0.222_222, 0.727_273]),
        (
            "Engineers are arriving between one and six, unfortunately nobody came",
            "Nobody came although an engineer was due to arrive between one and six",
            [0.695_652, 0.476_190, 0.521_739],
        ),
        (
            "Ihre Rechnung ist falsch, über 20 Euro zu viel",
            "über 20 Euro zu viel auf der Rechnung",
            [0.705_882, 0.533_333, 0.588_235],
        ),
    ];

    #[test]
    fn figures_are_those_of_rouge_score() {
        for (text, reference, expected) in VECTORS {
            let found = rouge(&tokens(text), &tokens(reference));
            for (found, expected) in
                [found.rouge1, found.rouge2, found.rouge_l].iter().zip(expected)
            {
                assert!((found - expected).abs() < 1e-5, "{text}: {found} is not {expected}");
            }
        }
    }
}
