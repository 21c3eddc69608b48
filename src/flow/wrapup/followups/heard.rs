//! A turn read by itself.

use jiff::Zoned;

use super::replies::{Reply, reply};
use super::{Clause, Needs, english, language_of, others};
use crate::domain::{Proof, ProvenSentence, Role, Turn, TurnCitation};
use crate::flow::wrapup::Language;
use crate::flow::wrapup::due::{Sure, Token, When, one_of, tokens, when};

/// A longer sentence is quoted in part.
const QUOTED_TOKENS_MAX: usize = 34;
/// "Friday at two would be better" takes what was offered.
const CHOICE_TOKENS_MAX: usize = 12;
/// Words before a sentence that say nothing in it.
fn is_leading(word: &str) -> bool {
    one_of!(word;
        "hi" "hello" "hey" "um" "uh" "er" "erm" "hmm" "well" "okay" "ok" "so" "right" "alright"
        "oh" "ah" "yeah" "yep" "and" "great" "sure" "now" "ja" "also" "bonjour" "alors" "hola"
        "bueno" "und" "et" "y" "but" "then" "lovely"
    )
}

pub struct Heard<'a> {
    pub turn: &'a Turn,
    pub said: Zoned,
    pub tokens: Vec<Token>,
    pub clauses: Vec<Clause>,
    /// Of each clause what it says about when.
    pub whens: Vec<Option<When>>,
    pub reply: Reply,
    /// "Eleven's better": it wants another time than the one that was named.
    pub wants_other: bool,
}

impl<'a> Heard<'a> {
    pub fn of(turn: &'a Turn, said: Zoned) -> Self {
        let language = language_of(turn);
        let tokens = tokens(turn.text.as_str());
        let is_customer = is_customers(turn.party.role);
        let clauses = match language {
            Language::English => english::read(&tokens, is_customer),
            _ => others::read(&tokens, is_customer, language),
        };
        let whens: Vec<Option<When>> = clauses
            .iter()
            .map(|clause| {
                let within = tokens.get(clause.from..clause.upto)?;
                Some(when(within, &said, language)?.shifted(clause.from))
            })
            .collect();
        let names_day = clauses.iter().zip(&whens).any(|(clause, when)| {
            let is_short =
                clause.sentence == 0 && !clause.is_asked && clause.upto <= CHOICE_TOKENS_MAX;
            // "That's five days from now!" takes nothing.
            let is_remark = tokens.first().is_some_and(|first| {
                matches!(
                    first.word.as_str(),
                    "that's" | "that" | "it's" | "but" | "only" | "why" | "in"
                )
            });
            is_short
                && !is_remark
                && !clause.is_away
                && when.is_some_and(|when| when.date().is_some())
        });
        let reply = reply(&tokens, names_day);
        let wants_other = tokens.iter().any(|token| {
            one_of!(token.word.as_str();
                "better" "rather" "prefer" "instead" "earlier" "later" "sooner" "lieber" "plutôt"
                "mejor"
            )
        });
        Self { turn, said, tokens, clauses, whens, reply, wants_other }
    }

    pub fn role(&self) -> Role {
        self.turn.party.role
    }

    pub fn is_customers(&self) -> bool {
        is_customers(self.role())
    }

    /// The acts of it, with the clauses in which they stand.
    pub fn acts(&self) -> impl Iterator<Item = (usize, super::Act)> {
        self.clauses.iter().enumerate().filter_map(|(at, clause)| Some((at, clause.act?)))
    }

    /// The days and hours that are told of what is to come, with their clauses.
    pub fn told(&self) -> impl DoubleEndedIterator<Item = (usize, &When)> {
        self.whens.iter().enumerate().filter_map(|(at, when)| {
            let when = when.as_ref()?;
            (when.is_told() && when.is_dated() && !self.clauses[at].is_past).then_some((at, when))
        })
    }

    /// Whether the words about when are enough to make it a promise.
    pub fn satisfies(&self, needs: Needs, when: Option<&When>) -> bool {
        let told = when.filter(|when| when.is_told());
        match needs {
            Needs::Nothing => {
                when.is_none_or(|when| when.day.is_none_or(|day| day.sure != Sure::Past))
            }
            Needs::When => told.is_some_and(|when| when.is_dated()),
            Needs::Day => told.is_some_and(|when| when.is_dated()),
        }
    }

    /// The clause as it stands in the turn; the whole sentence where nothing else is promised in it.
    pub fn quote(&self, clause: usize, others: &[usize]) -> ProvenSentence {
        let sentence = self.clauses[clause].sentence;
        let of_sentence = |at: &usize| self.clauses[*at].sentence == sentence;
        let all: Vec<usize> = (0..self.clauses.len()).filter(of_sentence).collect();
        let first = all.first().map_or(0, |at| self.clauses[*at].from);
        let last = all.last().map_or(0, |at| self.clauses[*at].upto);
        let others: Vec<usize> =
            others.iter().copied().filter(of_sentence).filter(|at| *at != clause).collect();
        let (mut from, mut upto) = (first, last);
        if !others.is_empty() || last - first > QUOTED_TOKENS_MAX {
            // What goes on behind it belongs to it, until the next thing that is promised.
            let next = others.iter().copied().filter(|at| *at > clause).min();
            let mine = self.clauses[clause].from;
            from = match others.iter().any(|at| *at < clause)
                || mine - first > QUOTED_TOKENS_MAX / 2
            {
                true => mine,
                false => first,
            };
            upto = next.map_or(last, |at| self.clauses[at].from).min(from + QUOTED_TOKENS_MAX);
            upto = upto.max(self.clauses[clause].upto);
        }
        self.cited(from, upto)
    }

    /// The words of a clause.
    pub fn plain(&self, clause: usize) -> Vec<&str> {
        let clause = &self.clauses[clause];
        self.tokens[clause.from..clause.upto].iter().map(|token| token.word.as_str()).collect()
    }

    fn cited(&self, mut from: usize, mut upto: usize) -> ProvenSentence {
        while from + 1 < upto && is_leading(&self.tokens[from].word) {
            from += 1;
        }
        while upto > from + 1
            && one_of!(self.tokens[upto - 1].word.as_str();
                "and" "und" "et" "y" "so" "but" "then" "um"
            )
        {
            upto -= 1;
        }
        let text = self.turn.text.as_str();
        let start = self.tokens[from].start;
        let mut end = self.tokens[upto - 1].end;
        // With the mark that closes the sentence.
        let tail = &text[end..];
        let marks = tail.len() - tail.trim_start_matches(['.', '!', '?', '…']).len();
        end += marks;
        let start_chars = text[..start].chars().count();
        let citation = TurnCitation {
            turn_id: self.turn.id.clone(),
            role: self.role(),
            start_chars,
            end_chars: start_chars + text[start..end].chars().count(),
            quote: self.turn.text.slice(start..end),
        };
        ProvenSentence {
            text: citation.quote.clone(),
            proofs: vec![Proof::Turn(citation)],
            support: 1.0,
        }
    }
}

const fn is_customers(role: Role) -> bool {
    matches!(role, Role::Customer | Role::Mixed)
}
