//! A written text cut into sentences, each with the ids that its writer put behind it.

use std::ops::Range;

use crate::domain::Redacted;
use crate::knowledge::sentences;

/// One sentence that claims something, and what it cites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Without the marks of citations.
    pub text: Redacted,
    /// Ids of turns and passages as they were written. Empty: the verifier looks for sources itself.
    pub cites: Vec<String>,
}

impl Claim {
    pub fn new<S: Into<String>>(text: Redacted, cites: impl IntoIterator<Item = S>) -> Self {
        Self { text, cites: cites.into_iter().map(Into::into).collect() }
    }
}

/// A longer bracket is a remark and no citation.
const MARK_MAX_BYTES: usize = 160;

struct Mark {
    bytes: Range<usize>,
    ids: Vec<String>,
    /// It stands at the beginning of a line, so it belongs to what follows.
    opens: bool,
}

/// The sentences of a text with their citations: `[t-3]`, `[t-3, t-5]`, `(t-3)`, `[billing/refunds#2]`.
///
/// `is_known` tells ids that don't look like one.
pub fn claims(text: &Redacted, is_known: &dyn Fn(&str) -> bool) -> Vec<Claim> {
    let marks = marks(text.as_str(), is_known);
    let ranges: Vec<Range<usize>> = marks.iter().map(|mark| mark.bytes.clone()).collect();
    let clean = text.without(&ranges);
    let spans = byte_spans(clean.as_str());
    let mut claims: Vec<Claim> = spans
        .iter()
        .map(|span| Claim { text: tidy(&clean, span.clone()), cites: Vec::new() })
        .collect();
    let mut removed = 0;
    for mark in marks {
        // A mark leaves one space behind.
        let at = mark.bytes.start - removed;
        removed += mark.bytes.len() - 1;
        let after = spans.iter().position(|span| span.start >= at);
        let before = spans.iter().rposition(|span| span.start < at);
        let owner = if mark.opens { after.or(before) } else { before.or(after) };
        if let Some(claim) = owner.and_then(|index| claims.get_mut(index)) {
            for id in mark.ids {
                if !claim.cites.contains(&id) {
                    claim.cites.push(id);
                }
            }
        }
    }
    claims
}

/// What was given as one sentence may be several: each gets all that was cited.
pub fn cut(text: &Redacted, cites: &[String]) -> Vec<Claim> {
    let mut parts = claims(text, &|_| false);
    for part in &mut parts {
        let own = std::mem::take(&mut part.cites);
        part.cites = cites.to_vec();
        part.cites.extend(own.into_iter().filter(|id| !cites.contains(id)));
    }
    parts
}

/// Sentences as ranges of bytes.
pub(super) fn byte_spans(text: &str) -> Vec<Range<usize>> {
    let spans = sentences(text);
    let mut chars = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let mut passed = 0;
    let mut at = chars.next().unwrap_or(0);
    let mut byte = |wanted: usize| {
        while passed < wanted {
            passed += 1;
            at = chars.next().unwrap_or(text.len());
        }
        at
    };
    spans.iter().map(|span| byte(span.start_chars)..byte(span.end_chars)).collect()
}

/// The sentence without the spaces that marks left behind.
fn tidy(text: &Redacted, span: Range<usize>) -> Redacted {
    let mut sentence = text.slice(span);
    let mut at = sentence.as_str().len();
    // From the end, so that what is removed moves nothing that is still to be looked at.
    while let Some(last) = sentence.as_str()[..at].rfind(' ') {
        let head = sentence.as_str()[..=last].trim_end_matches(' ').len();
        let next = sentence.as_str()[last + 1..].chars().next();
        let closes = next.is_some_and(|c| matches!(c, '.' | ',' | ';' | ':' | '!' | '?'));
        if closes {
            sentence = sentence.closing_up(head..last + 1);
        } else if last > head {
            let blank = head..last + 1;
            sentence = sentence.without(std::slice::from_ref(&blank));
        }
        at = head;
    }
    sentence
}

fn marks(text: &str, is_known: &dyn Fn(&str) -> bool) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['[', '(', '【']) {
        let open = at + offset;
        let bracket = text[open..].chars().next().unwrap_or('[');
        let inside = open + bracket.len_utf8();
        at = inside;
        let close = match bracket {
            '[' => ']',
            '(' => ')',
            _ => '】',
        };
        let mut near = text[inside..].char_indices().take_while(|(at, _)| *at <= MARK_MAX_BYTES);
        let Some(length) = near.find_map(|(at, c)| (c == close).then_some(at)) else {
            continue;
        };
        let Some(ids) = ids(&text[inside..inside + length], bracket == '(', is_known) else {
            continue;
        };
        let line = text[..open].rsplit('\n').next().unwrap_or_default();
        let opens = line.trim_matches([' ', '\t', '-', '*', '•']).is_empty();
        at = inside + length + close.len_utf8();
        marks.push(Mark { bytes: open..at, ids, opens });
    }
    marks
}

/// The ids in a bracket, if there is nothing else in it.
fn ids(inside: &str, round: bool, is_known: &dyn Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    for word in inside.split([',', ';', ' ', '&', '|', '[', ']']) {
        let id = word.trim_matches(['^', '"', '\'', '`', '.', ':', '*']);
        let lower = id.to_ascii_lowercase();
        let filler =
            ["", "source", "sources", "see", "cite", "cites", "ref", "and", "turn", "turns"];
        if filler.contains(&lower.as_str()) {
            continue;
        }
        if !(looks_like_id(&lower) || (!round && is_known(id))) {
            return None;
        }
        ids.push(id.to_owned());
    }
    (!ids.is_empty()).then_some(ids)
}

/// `t-3`, `billing/refunds#2`.
fn looks_like_id(lower: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let turn = lower.strip_prefix("t-").is_some_and(|rest| !rest.is_empty() && plain(rest));
    let passage = lower.rsplit_once('#').is_some_and(|(article, section)| {
        !article.is_empty() && !section.is_empty() && section.bytes().all(|b| b.is_ascii_digit())
    });
    turn || passage
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<String>)> {
        claims(&Redacted::vouched(text), &|id| id == "7")
            .into_iter()
            .map(|claim| (claim.text.as_str().to_owned(), claim.cites))
            .collect()
    }

    /// A text, and its sentences with what they cite.
    type Example = (&'static str, &'static [(&'static str, &'static [&'static str])]);

    #[test]
    fn marks_wherever_writers_put_them() {
        let cases: &[Example] = &[
            ("It works [t-3].", &[("It works.", &["t-3"])]),
            (
                "It works. [t-3] It's fast. [t-4, t-5]",
                &[("It works.", &["t-3"]), ("It's fast.", &["t-4", "t-5"])],
            ),
            (
                "It works [t-3][t-4] and lasts [billing/refunds#2].",
                &[("It works and lasts.", &["t-3", "t-4", "billing/refunds#2"])],
            ),
            ("- [t-1] One.\n- [t-2] Two.", &[("One.", &["t-1"]), ("Two.", &["t-2"])]),
            ("A (t-3) B (not one) [7].", &[("A B (not one).", &["t-3", "7"])]),
            ("Paid with [digits-1] today.", &[("Paid with [digits-1] today.", &[])]),
            ("Sources [see: t-1 and t-1].", &[("Sources.", &["t-1"])]),
            ("It works 【t-3】.", &[("It works.", &["t-3"])]),
            ("", &[]),
        ];
        for (text, wanted) in cases {
            let wanted: Vec<_> = wanted
                .iter()
                .map(|(text, ids)| {
                    ((*text).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>())
                })
                .collect();
            assert_eq!(read(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cut(text in "([a-z0-9£é.!?\\-\\[\\]() #/\n]|\\[t-[0-9]\\]|\\PC){0,200}") {
            for (sentence, _) in read(&text) {
                prop_assert!(!sentence.is_empty());
            }
        }
    }
}
