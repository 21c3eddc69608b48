//! An e-mail to the customer: the program's words around quotations from the conversation.

mod templates;

use super::summary::{Finder, SectionRule};
use super::{Language, Reading, Refusal, is_customer};
use crate::domain::{
    Citation, EmailDraft, EmailLength, EmailPart, EmailPartKind, EmailPurpose, EmailTone, Proof,
    ProvenSentence, Redacted, Role, Wording,
};
use crate::insight::orders::{self, Whose};
use crate::insight::redaction;
use crate::knowledge::terms;
use templates::{Template, template};

/// What kind of e-mail is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailOrder {
    pub purpose: EmailPurpose,
    pub length: EmailLength,
    pub tone: EmailTone,
    /// The customer's, if none is named.
    pub language: Option<Language>,
}

/// Quotations of each sort.
const fn room(length: EmailLength) -> (usize, usize) {
    match length {
        EmailLength::Short => (0, 1),
        EmailLength::Medium => (1, 2),
        EmailLength::Long => (2, 4),
    }
}

impl Reading<'_> {
    /// A draft. Each sentence about the conversation quotes it.
    ///
    /// # Errors
    /// The conversation holds nothing that such an e-mail is about.
    pub fn email(&self, order: &EmailOrder) -> Result<EmailDraft, Refusal> {
        let words = template(self.language_of(order));
        let (issues, claims_max) = room(order.length);
        let claims = self.claims(&order.purpose, words, claims_max)?;

        let mut parts = Vec::new();
        let opening = words.opening(&order.purpose);
        parts.push(plain(EmailPartKind::Template, Redacted::assembled(&[Wording::Fixed(opening)])));
        let issue = self.issue().into_iter().map(|at| (at, self.sentences[at].text()));
        // Nobody is sent to a stranger's address in the company's name.
        let issue = issue.filter(|(_, text)| orders::links(text).is_empty());
        for (at, _) in issue.take(issues) {
            parts.push(quoted(words.told_us, &self.sentences[at].proven()));
        }
        parts.extend(claims);
        if order.length != EmailLength::Short {
            let closing = Redacted::assembled(&[Wording::Fixed(words.closing(order.tone))]);
            parts.push(plain(EmailPartKind::Template, closing));
        }
        Ok(self.framed(order, parts))
    }

    /// Greeting and signature, for a model to write between.
    pub fn blank_email(&self, order: &EmailOrder) -> EmailDraft {
        self.framed(order, Vec::new())
    }

    /// What the program's own words in the e-mail are in.
    pub fn language_of(&self, order: &EmailOrder) -> Language {
        order.language.unwrap_or(self.language)
    }

    fn framed(&self, order: &EmailOrder, between: Vec<EmailPart>) -> EmailDraft {
        let words = template(self.language_of(order));
        let mut parts = vec![plain(EmailPartKind::Greeting, self.greeting(words, order.tone))];
        parts.extend(between);
        parts.push(plain(EmailPartKind::Signature, self.signature(words, order.tone)));
        let subject = match &order.purpose {
            EmailPurpose::Custom(wish) => wish.clone(),
            named => Redacted::assembled(&[Wording::Fixed(words.subject(named))]),
        };
        for (number, part) in (1..).zip(&mut parts) {
            part.paragraph = number;
        }
        let EmailOrder { purpose, length, tone, .. } = order.clone();
        EmailDraft { purpose, length, tone, subject, subject_proofs: Vec::new(), parts }
    }

    /// What such an e-mail says, in the order in which it says it.
    fn claims(
        &self,
        purpose: &EmailPurpose,
        words: &Template,
        max: usize,
    ) -> Result<Vec<EmailPart>, Refusal> {
        let of = |finder: Finder, lead: &'static str| -> Vec<EmailPart> {
            let found = self.sentences_of(finder, max);
            found.iter().map(|sentence| quoted(lead, sentence)).collect()
        };
        let outcomes = || of(Finder::Outcome, words.we_did);
        let promises = || of(Finder::Promises, words.next);
        let nothing = || Err(Refusal::NothingFor { purpose: purpose.as_str() });
        let mut claims = match purpose {
            EmailPurpose::FollowUp => {
                let mut claims = outcomes();
                claims.extend(promises());
                claims.extend(of(Finder::NextSteps, words.next));
                claims
            }
            EmailPurpose::Resolution => {
                let claims = outcomes();
                if claims.is_empty() {
                    return nothing();
                }
                claims
            }
            EmailPurpose::Information => {
                let is_for_people =
                    |passage: &&Citation| !orders::has_orders(&passage.quote, Whose::Others);
                let passages = self.passages().filter(is_for_people).take(max);
                let claims: Vec<EmailPart> = passages
                    .map(|passage| ProvenSentence {
                        text: redaction::published(&passage.quote),
                        proofs: vec![Proof::Passage(passage.clone())],
                        support: 1.0,
                    })
                    .map(|sentence| quoted(words.known, &sentence))
                    .collect();
                if claims.is_empty() {
                    return nothing();
                }
                claims
            }
            EmailPurpose::Apology => {
                let mut claims = outcomes();
                claims.extend(promises());
                claims
            }
            EmailPurpose::Appointment => {
                let dated = self.follow_ups().into_iter().filter(|one| one.due.is_some());
                let claims: Vec<EmailPart> =
                    dated.rev().take(max).map(|one| quoted(words.agreed, &one.sentence)).collect();
                if claims.is_empty() {
                    return nothing();
                }
                claims
            }
            EmailPurpose::Custom(wish) => {
                let claims = self.about(wish, max, words);
                if claims.is_empty() {
                    return nothing();
                }
                claims
            }
        };
        let mut said = std::collections::HashSet::new();
        claims.retain(|claim| said.insert(claim.text.as_str().to_owned()));
        claims.truncate(max.max(1));
        Ok(claims)
    }

    fn sentences_of(&self, finder: Finder, sentences_max: usize) -> Vec<ProvenSentence> {
        let rule = SectionRule { key: String::new(), finder, sentences_max };
        let sections = self.summary(&[rule]).sections;
        sections.into_iter().flat_map(|section| section.sentences).collect()
    }

    /// The agent's sentences that share most words with what is wished for.
    fn about(&self, wish: &Redacted, max: usize, words: &Template) -> Vec<EmailPart> {
        let wanted: std::collections::HashSet<String> =
            terms::terms(wish.as_str()).into_iter().collect();
        let mut found: Vec<(usize, usize)> = self
            .saying()
            .filter(|(_, one)| !one.is_customers() && !one.is_question)
            .map(|(at, one)| {
                let shared =
                    terms::terms(one.text()).iter().filter(|t| wanted.contains(*t)).count();
                (shared, at)
            })
            .filter(|(shared, _)| *shared > 0)
            .collect();
        found.sort_by_key(|&(shared, at)| (std::cmp::Reverse(shared), at));
        found.truncate(max);
        found.sort_by_key(|&(_, at)| at);
        found.into_iter().map(|(_, at)| quoted(words.said, &self.sentences[at].proven())).collect()
    }

    fn name_of(&self, fits: impl Fn(Role) -> bool) -> Option<Redacted> {
        let parties = self.circumstances.parties.iter();
        plain_name(parties.filter(|party| fits(party.role)).find_map(|party| party.name.as_deref()))
    }

    /// Of whoever has the call now: the last agent who spoke.
    fn name_of_agent(&self) -> Option<Redacted> {
        let turns = self.material.turns.iter().rev();
        let last = turns.map(|turn| &turn.party).find(|party| party.role == Role::Agent);
        let parties = &self.circumstances.parties;
        match last.and_then(|last| parties.iter().find(|party| party.id == last.id)) {
            Some(agent) => plain_name(agent.name.as_deref()),
            None => self.name_of(|role| role == Role::Agent),
        }
    }

    fn greeting(&self, words: &Template, tone: EmailTone) -> Redacted {
        let (named, unnamed) = words.greeting(tone);
        match self.name_of(is_customer) {
            Some(name) => Redacted::assembled(&[
                Wording::Fixed(named),
                Wording::Of(&name),
                Wording::Fixed(","),
            ]),
            None => Redacted::assembled(&[Wording::Fixed(unnamed)]),
        }
    }

    fn signature(&self, words: &Template, tone: EmailTone) -> Redacted {
        let goodbye = Wording::Fixed(words.goodbye(tone));
        match self.name_of_agent() {
            Some(name) => Redacted::assembled(&[goodbye, Wording::Fixed("\n"), Wording::Of(&name)]),
            None => Redacted::assembled(&[goodbye]),
        }
    }
}

/// A telephone number is no name, and neither is a sentence or an address that somebody has put into the
/// field of another system.
fn plain_name(name: Option<&str>) -> Option<Redacted> {
    const CHARS_MAX: usize = 60;
    const WORDS_MAX: usize = 6;
    let is_name = |name: &&str| {
        name.chars().any(char::is_alphabetic)
            && name.chars().count() <= CHARS_MAX
            && name.split_whitespace().count() <= WORDS_MAX
            && !name.contains(['@', ':', '!', '?', '/', '<', '>', '"', '“', '\n'])
            && orders::links(name).is_empty()
            && !orders::has_orders(name, Whose::Others)
    };
    name.filter(is_name).map(redaction::typed)
}

fn plain(kind: EmailPartKind, text: Redacted) -> EmailPart {
    EmailPart { kind, paragraph: 0, text, proofs: Vec::new(), support: 1.0 }
}

/// The program's words, and in quotation marks what they are about.
fn quoted(lead: &'static str, sentence: &ProvenSentence) -> EmailPart {
    let text = Redacted::assembled(&[
        Wording::Fixed(lead),
        Wording::Fixed(" “"),
        Wording::Of(&sentence.text),
        Wording::Fixed("”"),
    ]);
    EmailPart {
        kind: EmailPartKind::Claim,
        paragraph: 0,
        text,
        proofs: sentence.proofs.clone(),
        support: sentence.support,
    }
}
