//! Where clauses begin in English as it is spoken, with or without marks.

use crate::flow::wrapup::due::{Token, is_time_word, is_weekday, one_of};

/// A word with short forms written out: "I'll" is two. Of each the token that it comes from.
#[derive(Clone, Debug)]
pub struct Word<'a> {
    pub text: &'a str,
    pub token: usize,
}

/// "don't" as "do not", "gonna" as "going to".
pub fn expanded(tokens: &[Token]) -> Vec<Word<'_>> {
    let mut out = Vec::with_capacity(tokens.len() + tokens.len() / 4);
    for (token, one) in tokens.iter().enumerate() {
        let word = one.word.as_str();
        let parts: [&str; 2] = match word {
            "won't" | "wont" => ["will", "not"],
            "can't" | "cant" | "cannot" => ["can", "not"],
            "shan't" => ["shall", "not"],
            "dont" => ["do", "not"],
            "gonna" => ["going", "to"],
            "wanna" => ["want", "to"],
            "gotta" => ["got", "to"],
            "let's" => ["let", "us"],
            "o'clock" => ["o'clock", ""],
            _ => short_form(word),
        };
        let parts = parts.into_iter().filter(|text| !text.is_empty());
        out.extend(parts.map(|text| Word { text, token }));
    }
    out
}

fn short_form(word: &str) -> [&str; 2] {
    if let Some(verb) = word.strip_suffix("n't") {
        return [verb, "not"];
    }
    let Some((stem, tail)) = word.rsplit_once('\'') else { return [word, ""] };
    match tail {
        "ll" => [stem, "will"],
        "ve" => [stem, "have"],
        "re" => [stem, "are"],
        "m" => [stem, "am"],
        "d" => [stem, "would"],
        "s" if is_pronoun(stem) => [stem, "is"],
        // "The surveyor's coming" or "the surveyor's report": seen where it is read.
        "s" => [stem, "'s"],
        _ => [word, ""],
    }
}

fn is_pronoun(word: &str) -> bool {
    one_of!(word;
        "he" "she" "it" "that" "there" "this" "who" "what" "where" "here" "everything" "someone"
        "somebody" "nobody" "everyone"
    )
}

pub fn is_auxiliary(word: &str) -> bool {
    one_of!(word;
        "will" "shall" "can" "could" "would" "should" "might" "may" "must" "am" "are" "is" "was"
        "were" "have" "has" "had" "do" "does" "did"
    )
}

/// Begins a clause that says under which condition.
pub fn is_condition(word: &str) -> bool {
    matches!(word, "if" | "unless" | "providing" | "provided")
}

fn is_subordinator(word: &str) -> bool {
    is_condition(word)
        || one_of!(word;
            "once" "when" "while" "whenever" "because" "until" "before" "after" "that"
        )
}

/// Stands between clauses and belongs to neither.
pub fn is_link(word: &str) -> bool {
    one_of!(word;
        "and" "but" "so" "then" "or" "um" "uh" "er" "erm" "okay" "ok" "yeah" "yes" "right" "well"
        "also" "oh" "lovely" "great" "perfect"
    )
}

/// Where clauses begin, as places in `words[from..upto]`, which is one sentence.
pub struct Cutter<'a> {
    pub words: &'a [Word<'a>],
    pub tokens: &'a [Token],
    pub from: usize,
    pub upto: usize,
}

impl Cutter<'_> {
    fn word(&self, at: usize) -> &str {
        if at < self.upto { self.words[at].text } else { "" }
    }

    fn back(&self, at: usize, back: usize) -> &str {
        match at.checked_sub(back) {
            Some(at) if at >= self.from => self.words[at].text,
            _ => "",
        }
    }

    /// Something may begin here: the sentence, or what follows a mark or a link.
    fn is_open(&self, at: usize) -> bool {
        at == self.from
            || is_link(self.back(at, 1))
            || one_of!(self.back(at, 1); "please" "what" "when" "how" "where" "why" "which")
            || self.is_marked_before(at)
    }

    fn is_marked_before(&self, at: usize) -> bool {
        let before = at.checked_sub(1).filter(|at| *at >= self.from).map(|at| self.words[at].token);
        before.is_some_and(|token| token != self.words[at].token && self.tokens[token].is_marked)
    }

    /// "Shall I", "would you": the subject comes behind.
    fn is_inverted(&self, at: usize) -> bool {
        let subject = one_of!(self.word(at + 1);
            "i" "we" "you" "they" "he" "she" "it" "that" "there" "someone" "somebody" "anyone"
            "anybody"
        );
        is_auxiliary(self.word(at)) && subject && self.is_open(at)
    }

    /// Where a new clause begins; the start of the sentence only if one begins there.
    pub fn starts(&self) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for at in self.from..self.upto {
            if let Some(start) = self.start_at(at)
                && found.last().is_none_or(|last| start > *last)
            {
                found.push(start);
            }
        }
        found
    }

    fn start_at(&self, at: usize) -> Option<usize> {
        let (word, next) = (self.word(at), self.word(at + 1));
        let before = self.back(at, 1);
        let after_inversion = at > self.from && self.is_inverted(at - 1);
        let is_start = match word {
            "i" if matches!((next, self.word(at + 2)), ("mean", _)) => false,
            "i" | "we" | "they" | "he" | "she" => {
                !after_inversion
                    && !one_of!(before;
                        "what" "if" "because" "when" "once" "that" "which" "where" "how" "unless"
                        "while" "until" "before" "after" "as"
                    )
                    || (before == "that"
                        && !after_inversion
                        && matches!(
                            self.back(at, 2),
                            "promise" | "so" | "guarantee" | "confirm" | "you"
                        ))
            }
            "someone" | "somebody" | "nobody" | "everyone" | "everything" | "one" | "there"
            | "which" | "who" => {
                !after_inversion
                    && (is_auxiliary(next) || next == "'s")
                    && !self.tells_when(at + 2, next)
            }
            // "A note that you called on Monday".
            "that"
                if at > self.from
                    && one_of!(next; "you" "he" "she" "they" "we" "the" "your" "it") =>
            {
                let is_assured = before == "you"
                    && matches!(self.back(at, 2), "assure" | "promise" | "guarantee");
                !is_assured
                    && !matches!(
                        before,
                        "so" | "promise" | "after" | "by" | "guarantee" | "confirm"
                    )
            }
            "it" | "that" | "this" => {
                !after_inversion
                    && (is_auxiliary(next) || next == "'s")
                    && !one_of!(before;
                        "if" "because" "when" "once" "unless" "while" "until" "before" "after"
                        "as"
                    )
                    && !self.tells_when(at + 2, next)
            }
            "you" => {
                let is_object = after_inversion
                    || one_of!(before;
                        "to" "for" "with" "give" "call" "ring" "send" "email" "tell" "ask" "let"
                        "get" "if" "when" "what" "because" "once" "until" "before" "that" "put"
                        "book" "have" "see" "owe" "got"
                    );
                !is_object
                    && (is_auxiliary(next)
                        || (next.len() > 4 && next.ends_with("ed"))
                        || one_of!(next;
                            "get" "receive" "need" "said" "told" "want" "just" "rang" "spoke"
                            "sent" "paid" "came"
                        ))
            }
            // "Before the engineer comes", and not "before the fifth".
            "before" | "after" | "until" => {
                let is_noun = one_of!(next; "the" "your" "our" "his" "her" "their" "my" "a" "an")
                    && !is_time_word(self.word(at + 2))
                    && !matches!(
                        self.word(at + 2),
                        "weekend" | "week" | "end" | "day" | "month" | "latest"
                    );
                at > self.from && (is_noun || one_of!(next; "he" "she" "they" "we" "i" "it" "you"))
            }
            "if" => {
                !one_of!(before;
                    "see" "know" "check" "say" "tell" "sure" "out" "wondering" "wonder" "ask" "as"
                    "me" "you" "even"
                ) || matches!(before, "you" | "me")
                    && !matches!(self.back(at, 2), "tell" | "ask" | "let")
            }
            "unless" | "because" | "otherwise" | "providing" | "provided" => true,
            "in" => next == "case",
            "when" | "once" | "while" | "whenever" => !next.is_empty() && !is_auxiliary(next),
            "as" => next == "soon" && self.word(at + 2) == "as",
            "let" => matches!(next, "me" | "us"),
            "how" => next == "about",
            "what" => matches!(next, "i" | "we" | "about"),
            "see" => {
                next == "you"
                    && self.is_open(at)
                    && (matches!(self.word(at + 2), "on" | "at" | "then" | "tomorrow" | "next"))
            }
            "either" => next == "way",
            _ => self.is_inverted(at),
        };
        if is_start {
            return Some(at);
        }
        // "The engineer will", "your router is coming".
        let is_verb = word == "will"
            || (matches!(word, "is" | "are" | "'s")
                && (next.ends_with("ing")
                    || one_of!(next;
                        "booked" "scheduled" "on" "due" "all" "confirmed" "going" "rebooked"
                    )))
            || (matches!(word, "can") && self.back(at, 1) == "who");
        let subject = (is_verb && at > self.from && !is_auxiliary(before))
            .then(|| self.subject_of(at))
            .flatten();
        // "Once the booking is confirmed" began before.
        subject.filter(|&at| !is_subordinator(self.back(at, 1)))
    }

    /// "That's Friday between one and three" goes on with what was said before.
    fn tells_when(&self, at: usize, verb: &str) -> bool {
        let skipped = usize::from(matches!(self.word(at), "be"));
        matches!(verb, "is" | "will" | "'s")
            && is_time_word(self.word(at + skipped))
            && at > self.from + 2
    }

    /// The beginning of the noun before a verb.
    fn subject_of(&self, verb: usize) -> Option<usize> {
        const LONGEST: usize = 6;
        let mut at = verb;
        while at > self.from && verb - at < LONGEST {
            let word = self.back(at, 1);
            if one_of!(word;
                "the" "a" "an" "my" "our" "your" "one" "some" "this" "another" "his" "her" "their"
                "any" "no"
            ) {
                // "One of our fitters", "a rep of the team".
                let is_part = self.back(at, 2) == "of";
                at -= 1;
                if !is_part {
                    return Some(at);
                }
                at -= 1;
                continue;
            }
            let is_noun = !is_auxiliary(word)
                && !is_link(word)
                && !is_time_word(word)
                && !one_of!(word;
                    "i" "we" "you" "he" "she" "they" "it" "that" "there" "who" "to" "because" "if"
                    "what"
                );
            if !is_noun || (at < verb && self.is_marked_before(at)) {
                break;
            }
            at -= 1;
        }
        // A name, or a noun without its article.
        (at < verb).then_some(if verb - at > 2 { verb - 1 } else { at })
    }

    /// Where the clause before it ends: links, and a time that is said ahead, belong to what follows.
    pub fn end_before(&self, start: usize, after: usize) -> usize {
        let mut at = start;
        while at > after + 1 && is_link(self.back(at, 1)) {
            at -= 1;
        }
        let mut ahead = at;
        while ahead > after + 1 && is_time_word(self.back(ahead, 1)) {
            ahead -= 1;
        }
        // "Between two and four" stays together.
        let names_day = (ahead..at).any(|at| {
            is_weekday(self.word(at)) || matches!(self.word(at), "today" | "tomorrow" | "tonight")
        });
        if names_day
            && ahead > after + 1
            && matches!(self.back(ahead, 1), "and" | "so" | "but" | "then" | "or")
        {
            return ahead - 1;
        }
        at
    }
}
