//! Checked sentences in the form of a draft.

use super::promise::Letter;
use super::{Commission, WithStruck, form, with_struck};
use crate::domain::{
    Authorship, EmailDraft, EmailPart, EmailPartKind, Proof, ProvenSentence, StruckSentence,
    Summary, SummarySection, WrapUp, WrapUpBody, WrapUpId,
};
use crate::flow::wrapup::Draft;
use crate::grounding::{Claim, Ground, Refusal, Verifier};
use crate::models::Material;

/// Sections whose sentences also make the paragraph, and how many of each.
const PARAGRAPH: [(&str, usize); 3] = [("issue", 2), ("outcome", 1), ("next_steps", 1)];

/// The draft that a model wrote, as far as it stands; `base` where nothing of it does.
pub(super) fn draft(
    commission: &Commission,
    base: &[WrapUp],
    first: &WrapUp,
    text: &str,
    authorship: Authorship,
    sources: &Sources,
) -> WithStruck {
    let mut check = Check { struck: Vec::new() };
    let bodies = check.bodies(commission, &first.body, text, sources);
    let struck = check.struck;
    metrics::counter!("backchannel_written_sentences_struck_total").increment(struck.len() as u64);
    if bodies.is_empty() {
        return with_struck(base.to_vec(), struck);
    }
    // As those without a model are numbered.
    let wrap_up = |(number, body): (usize, WrapUpBody)| WrapUp {
        id: WrapUpId::from(format!("{}-{}", commission.stem, number + 1)),
        authorship: authorship.clone(),
        body,
        ..first.clone()
    };
    with_struck(bodies.into_iter().enumerate().map(wrap_up).collect(), struck)
}

/// What stands of the sentences that are there; `None` while nothing does. What was struck is counted
/// and told when the text is whole.
pub(super) fn so_far(
    commission: &Commission,
    first: &WrapUp,
    text: &str,
    sources: &Sources,
) -> Option<WrapUp> {
    // Lists are shown when they are whole.
    if !matches!(commission.draft, Draft::Summary | Draft::HandOver | Draft::Email(_)) {
        return None;
    }
    let mut check = Check { struck: Vec::new() };
    let body = check.bodies(commission, &first.body, text, sources).pop()?;
    Some(WrapUp { body, struck: Vec::new(), ..first.clone() })
}

/// What a draft is checked against, read once.
pub(super) enum Sources {
    Letter(Box<Letter>),
    Ground(Box<Ground>),
}

impl Sources {
    pub fn of(commission: &Commission) -> Self {
        match commission.draft {
            Draft::Email(_) => Self::Letter(Box::new(Letter::of(&commission.material))),
            // What the customer believes is no knowledge.
            Draft::Article => Self::Ground(Box::new(Letter::of(&commission.material).ours())),
            // A record of the call: what stood on a card was said by nobody yet.
            Draft::Summary | Draft::HandOver | Draft::FollowUps | Draft::Disposition => {
                let said =
                    Material { turns: commission.material.turns.clone(), ..Material::default() };
                Self::Ground(Box::new(Ground::of(&said)))
            }
        }
    }

    pub fn check(&self, claim: &Claim) -> Result<ProvenSentence, StruckSentence> {
        match self {
            Self::Letter(letter) => letter.check(claim),
            Self::Ground(ground) => Verifier.check(claim, ground),
        }
    }

    /// Each by itself, and then as they are read one after the other.
    pub fn judged(&self, claims: &[Claim]) -> Vec<Result<ProvenSentence, StruckSentence>> {
        Verifier.judged(claims, &|claim| self.check(claim))
    }
}

pub(super) struct Check {
    pub struck: Vec<StruckSentence>,
}

impl Check {
    fn bodies(
        &mut self,
        commission: &Commission,
        plain: &WrapUpBody,
        text: &str,
        sources: &Sources,
    ) -> Vec<WrapUpBody> {
        let one = match (&commission.draft, plain, sources) {
            (Draft::FollowUps, ..) => {
                let found = self.follow_ups(text, commission, sources).unwrap_or_default();
                return found.into_iter().map(WrapUpBody::FollowUp).collect();
            }
            (Draft::Disposition, ..) => {
                self.disposition(text, commission, sources).map(WrapUpBody::Disposition)
            }
            (_, WrapUpBody::Article(plain), _) => {
                self.article(text, plain, sources).map(WrapUpBody::Article)
            }
            (_, WrapUpBody::Email(plain), Sources::Letter(letter)) => {
                self.email(text, plain, commission, letter).map(WrapUpBody::Email)
            }
            (_, WrapUpBody::Summary(plain), Sources::Ground(ground)) => {
                self.summary(text, plain, commission, ground).map(WrapUpBody::Summary)
            }
            _ => None,
        };
        one.into_iter().collect()
    }

    /// What stands of these sentences, which are read together.
    fn proven(&mut self, claims: &[Claim], ground: &Ground) -> Vec<ProvenSentence> {
        match Verifier.verify_claims(claims, ground) {
            Ok(text) => {
                self.struck.extend(text.struck);
                text.sentences
            }
            Err(Refusal::NothingProven { struck }) => {
                self.struck.extend(struck);
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    fn summary(
        &mut self,
        text: &str,
        plain: &Summary,
        commission: &Commission,
        ground: &Ground,
    ) -> Option<Summary> {
        let parts = readable(form::sections(text))?;
        let mut sections = Vec::new();
        for rule in &commission.settings.sections {
            let claims: Vec<Claim> = parts
                .iter()
                .filter(|(key, _)| *key == rule.key)
                .flat_map(|(_, claims)| claims.clone())
                .collect();
            let sentences = self.proven(&claims, ground);
            if !sentences.is_empty() {
                sections.push(SummarySection { key: rule.key.clone(), sentences });
            }
        }
        if sections.is_empty() {
            return None;
        }
        let paragraph = PARAGRAPH.iter().flat_map(|(key, most)| {
            let section = sections.iter().find(|section| section.key == *key);
            section.into_iter().flat_map(|one| one.sentences.iter().take(*most))
        });
        let mut paragraph: Vec<ProvenSentence> = paragraph.cloned().collect();
        if paragraph.is_empty() {
            paragraph = sections[0].sentences.clone();
        }
        Some(Summary { sections, paragraph, ..plain.clone() })
    }

    /// The model's paragraphs between the greeting and the signature of the plain draft, with what that
    /// quotes and no model may say.
    fn email(
        &mut self,
        text: &str,
        plain: &EmailDraft,
        commission: &Commission,
        letter: &Letter,
    ) -> Option<EmailDraft> {
        let (subject, paragraphs) = readable(form::email(text))?;
        if !letter.is_enough() {
            return None;
        }
        let places: Vec<usize> = (0..paragraphs.len())
            .flat_map(|place| std::iter::repeat_n(place, paragraphs[place].len()))
            .collect();
        // All of them at once: the next paragraph may go on from the last one's end.
        let claims: Vec<Claim> = paragraphs.into_iter().flatten().collect();
        let mut kept = Vec::new();
        let verdicts = Verifier.judged(&claims, &|claim| letter.check(claim));
        for (place, verdict) in places.into_iter().zip(verdicts) {
            match verdict {
                Ok(sentence) => kept.push((place, sentence)),
                Err(struck) => self.struck.push(struck),
            }
        }
        if kept.is_empty() {
            return None;
        }
        let of = |kind| plain.parts.iter().filter(move |part| part.kind == kind).cloned();
        let mut parts: Vec<EmailPart> = of(EmailPartKind::Greeting).collect();
        let mut paragraph = parts.last().map_or(0, |part| part.paragraph);
        let mut before = None;
        for (place, sentence) in kept {
            paragraph += usize::from(before != Some(place));
            before = Some(place);
            parts.push(EmailPart {
                kind: EmailPartKind::Claim,
                paragraph,
                text: sentence.text,
                proofs: sentence.proofs,
                support: sentence.support,
            });
        }
        let must_stay = |proof: &Proof| match proof {
            Proof::Passage(cited) => {
                let kept = commission.circumstances.word_for_word.iter();
                kept.map(|one| &one.passage_id).any(|id| *id == cited.passage_id)
            }
            Proof::Turn(_) => false,
        };
        for quoted in of(EmailPartKind::Claim).filter(|part| part.proofs.iter().any(must_stay)) {
            paragraph += 1;
            parts.push(EmailPart { paragraph, ..quoted });
        }
        for signature in of(EmailPartKind::Signature) {
            paragraph += 1;
            parts.push(EmailPart { paragraph, ..signature });
        }
        let (subject, subject_proofs) = match subject.map(|claim| letter.check(&claim)) {
            Some(Ok(proven)) => (proven.text, proven.proofs),
            Some(Err(struck)) => {
                self.struck.push(struck);
                (plain.subject.clone(), plain.subject_proofs.clone())
            }
            None => (plain.subject.clone(), plain.subject_proofs.clone()),
        };
        Some(EmailDraft { subject, subject_proofs, parts, ..plain.clone() })
    }
}

pub(super) fn readable<T>(read: Result<T, serde_json::Error>) -> Option<T> {
    // Where it broke, and not what stood there: that may be somebody's words.
    read.inspect_err(|error| {
        tracing::warn!(line = error.line(), column = error.column(), "a text without its form");
    })
    .ok()
}
