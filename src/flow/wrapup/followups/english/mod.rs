//! What English clauses promise, offer and ask for.

mod acts;
mod bookings;
mod clauses;
mod verbs;

use super::{Act, ActKind, Clause};
use crate::flow::wrapup::due::{Token, one_of};
use clauses::{Cutter, expanded, is_condition, is_link};

/// Reads the clauses of a turn.
pub fn read(tokens: &[Token], is_customer: bool) -> Vec<Clause> {
    let words = expanded(tokens);
    let mut clauses = Vec::new();
    let mut from = 0;
    let mut sentence = 0;
    while from < words.len() {
        let is_end = |at: &usize| {
            let is_last_part = words.get(at + 1).is_none_or(|next| next.token != words[*at].token);
            is_last_part && tokens[words[*at].token].is_last
        };
        let upto = (from..words.len()).find(is_end).map_or(words.len(), |at| at + 1);
        Reader { cutter: Cutter { words: &words, tokens, from, upto }, is_customer, sentence }
            .read(&mut clauses);
        from = upto;
        sentence += 1;
    }
    clauses
}

struct Reader<'a> {
    cutter: Cutter<'a>,
    is_customer: bool,
    sentence: usize,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        if at < self.cutter.upto { self.cutter.words[at].text } else { "" }
    }

    fn back(&self, at: usize, back: usize) -> &str {
        match at.checked_sub(back) {
            Some(at) if at >= self.cutter.from => self.cutter.words[at].text,
            _ => "",
        }
    }

    fn read(&self, out: &mut Vec<Clause>) {
        let (from, upto) = (self.cutter.from, self.cutter.upto);
        let first = out.len();
        let starts = self.cutter.starts();
        let is_asked = self.cutter.tokens[self.cutter.words[upto - 1].token].is_asked;
        let mut edges: Vec<(usize, usize)> = Vec::with_capacity(starts.len() + 1);
        let head = starts.first().map_or(upto, |start| {
            if *start == from { from } else { self.cutter.end_before(*start, from) }
        });
        if head > from {
            edges.push((from, head));
        }
        for (at, start) in starts.iter().enumerate() {
            let end = match starts.get(at + 1) {
                Some(next) => self.cutter.end_before(*next, *start),
                None => upto,
            };
            edges.push((*start, end.max(*start + 1)));
        }
        for (at, &(start, end)) in edges.iter().enumerate() {
            // A time said ahead stands before the clause.
            let begins = if at == 0 { from } else { edges[at - 1].1.min(start) };
            let act = self.act(start, end).map(|act| Act { is_asked, ..act });
            out.push(Clause {
                from: self.cutter.words[begins].token,
                upto: self.cutter.words[end - 1].token + 1,
                sentence: self.sentence,
                act,
                is_past: self.is_past(start, end),
                is_condition: self.condition(start),
                is_linked: at > 0 && edges[at - 1].1 < start,
                is_asked,
                is_about_it: false,
                is_away: self.is_away(start, end),
            });
        }
        self.judge(&edges, &mut out[first..]);
    }

    fn condition(&self, start: usize) -> bool {
        is_condition(self.word(start))
            || (self.word(start) == "in" && self.word(start + 1) == "case")
    }

    /// Takes away acts that depend on something, are told by others, or are doubted.
    fn judge(&self, edges: &[(usize, usize)], clauses: &mut [Clause]) {
        let mut depends = false;
        let mut reported = false;
        let mut offering = false;
        for at in 0..clauses.len() {
            let (start, end) = edges[at];
            let says = |at: usize| self.word(at);
            if clauses[at].is_condition && !self.is_polite(start, end) {
                let next = clauses.get(at + 1);
                // "I'll call you if it breaks" against "I'll call, and if it breaks I'll come".
                let is_behind = at > 0
                    && !clauses[at].is_linked
                    && next.is_none_or(|next| next.is_linked && next.act.is_some());
                if is_behind && let Some(before) = clauses[..at].last_mut() {
                    before.act = None;
                }
                depends |= !is_behind;
                continue;
            }
            let links: Vec<&str> = (edges.get(at.wrapping_sub(1)).map_or(start, |edge| edge.1)
                ..start)
                .map(says)
                .collect();
            let resets = links.iter().any(|link| matches!(*link, "so" | "but" | "anyway"))
                || matches!((says(start), says(start + 1)), ("either", "way") | ("regardless", _));
            depends &= !resets;
            reported &= !resets;
            offering |= matches!((says(start), says(start + 1)), ("how", "about"));
            // "Send us the form and we'll look into it" depends on the form.
            depends |= links.contains(&"and") && at > 0 && self.demands(edges[at - 1]);
            let doubted = at > 0 && !resets && links.is_empty() && self.leaves_open(edges[at - 1]);
            if depends || reported || doubted {
                clauses[at].act = None;
            }
            if offering && let Some(act) = &mut clauses[at].act {
                act.kind = ActKind::Offer;
            }
            clauses[at].is_about_it = matches!(says(start), "it" | "that" | "they" | "you");
            reported |= self.reports(start, end);
        }
    }

    fn demands(&self, (from, upto): (usize, usize)) -> bool {
        let from = (from..upto).find(|&at| !is_link(self.word(at))).unwrap_or(from);
        let is_us = (from..upto.min(from + 4))
            .any(|at| matches!(self.word(at), "us" | "me" | "your" | "details"));
        matches!(self.word(from), "please" | "kindly" | "just")
            || (is_us
                && one_of!(self.word(from);
                    "send" "dm" "email" "give" "drop" "let" "call" "fill" "text" "message" "pop"
                    "bring" "return" "pay" "provide" "share"
                ))
    }

    /// "If you like", "if that's okay": no condition.
    fn is_polite(&self, start: usize, end: usize) -> bool {
        let words: Vec<&str> = (start + 1..end.min(start + 5)).map(|at| self.word(at)).collect();
        match words.as_slice() {
            ["you", "like" | "want" | "prefer" | "need" | "wish" | "would" | "do", ..] => {
                end - start <= 6
            }
            ["that" | "it" | "this", "is", what, ..] => one_of!(*what;
                "okay" "ok" "alright" "all" "easier" "better" "good" "fine" "convenient"
                "possible" "cool"
            ),
            ["that" | "it" | "this", "helps" | "works" | "suits", ..] => true,
            ["i" | "we", "can" | "may" | "could"] | ["possible" | "needed" | "not", ..] => true,
            _ => false,
        }
    }

    /// "I can't promise", "I don't know when", "I hope": what follows is no promise.
    fn leaves_open(&self, (from, upto): (usize, usize)) -> bool {
        fn is_open_verb(word: &str) -> bool {
            one_of!(word;
                "promise" "guarantee" "sure" "know" "certain" "say" "expect" "believe" "confident"
                "tell" "confirm"
            )
        }
        fn is_weak_verb(word: &str) -> bool {
            one_of!(word;
                "hope" "hoping" "hopefully" "guess" "assume" "imagine" "wish" "doubt" "suppose"
                "reckon" "fingers" "expect" "think" "thought" "wonder" "wondering" "pretend"
                "maybe" "perhaps" "probably"
            )
        }
        let mut last = upto;
        while last > from
            && one_of!(self.word(last - 1);
                "that" "when" "if" "whether" "how" "what" "you" "where" "why"
            )
        {
            last -= 1;
        }
        if last == from {
            return false;
        }
        let verb = self.word(last - 1);
        let is_denied = (from..last).any(|at| matches!(self.word(at), "not" | "never" | "no"));
        (is_denied && is_open_verb(verb))
            || is_weak_verb(verb)
            || (last < upto
                && matches!(self.word(last), "when" | "if" | "whether" | "how")
                && is_open_verb(verb))
    }

    /// Tells what somebody else has said.
    fn reports(&self, from: usize, upto: usize) -> bool {
        (from..upto).any(|at| {
            let is_said = one_of!(self.word(at);
                "said" "told" "promised" "says" "assured" "claimed" "mentioned" "texted"
                "reckoned" "supposed" "wrote" "saying" "advised" "swore"
            );
            // "As I said", "as advised" tell nothing of others.
            let is_own = matches!(self.back(at, 1), "i" | "we" | "as" | "like" | "already")
                || (self.back(at, 1) == "have" && matches!(self.back(at, 2), "i" | "we"))
                || (self.back(at, 1) == "you" && matches!(self.back(at, 2), "as" | "like"));
            let is_meant =
                self.word(at) == "supposed" && !matches!(self.back(at, 1), "was" | "were");
            is_said && !(is_own && self.back(at, 1) != "was") && !is_meant
        })
    }

    /// Says when somebody can't.
    fn is_away(&self, from: usize, upto: usize) -> bool {
        (from..upto).any(|at| {
            one_of!(self.word(at);
                "not" "away" "busy" "work" "working" "off" "holiday" "out" "until" "till" "except"
                "abroad" "booked" "only"
            )
        })
    }

    fn is_past(&self, from: usize, upto: usize) -> bool {
        (from..upto).any(|at| {
            let word = self.word(at);
            let is_done = one_of!(word;
                "was" "were" "went" "came" "got" "had" "did" "rang" "said" "told" "happened"
                "left" "broke" "sent" "paid" "bought" "made" "took" "spoke" "stopped" "been"
            );
            is_done && !matches!(self.back(at, 1), "will" | "be" | "get" | "have" | "is")
                || (word.len() > 4
                    && word.ends_with("ed")
                    && !one_of!(self.back(at, 1);
                        "be" "is" "are" "get" "you" "all" "have" "'s" "for"
                    ))
        })
    }
}
