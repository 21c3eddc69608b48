//! Checked sentences in the form of a draft.

use super::{Commission, form, with_struck};
use crate::domain::{
    Authorship, EmailDraft, EmailPart, EmailPartKind, Fault, Proof, ProvenSentence, Redacted, Role,
    StruckSentence, Summary, SummarySection, Wording, WrapUp, WrapUpBody,
};
use crate::flow::wrapup::Draft;
use crate::grounding::{Claim, Ground, Refusal, Verifier};

/// Sections whose sentences also make the paragraph, and how many of each.
const PARAGRAPH: [(&str, usize); 3] = [("issue", 2), ("outcome", 1), ("next_steps", 1)];

/// The draft that a model wrote, as far as it stands; `base` where nothing of it does.
pub(super) fn draft(
    commission: &Commission,
    base: &[WrapUp],
    text: &str,
    authorship: Authorship,
) -> Vec<WrapUp> {
    let Some(first) = base.first() else { return Vec::new() };
    let ground = Ground::of(&commission.material);
    let mut check = Check { ground: &ground, struck: Vec::new() };
    let body = match (&commission.draft, &first.body) {
        (Draft::Email(_), WrapUpBody::Email(plain)) => {
            check.email(text, plain).map(WrapUpBody::Email)
        }
        (_, WrapUpBody::Summary(plain)) => {
            check.summary(text, plain, commission).map(WrapUpBody::Summary)
        }
        _ => None,
    };
    let struck = check.struck;
    metrics::counter!("backchannel_written_sentences_struck_total").increment(struck.len() as u64);
    match body {
        Some(body) => vec![WrapUp { authorship, body, struck, ..first.clone() }],
        None => with_struck(base.to_vec(), struck),
    }
}

/// An e-mail tells the customer's own words back with one of these.
const TOLD_BACK: [&str; 12] = [
    "you told",
    "you said",
    "you mentioned",
    "you reported",
    "you asked",
    "you called",
    "you wrote",
    "you explained",
    "you let us know",
    "you contacted",
    "you described",
    "you wanted",
];

struct Check<'a> {
    ground: &'a Ground,
    struck: Vec<StruckSentence>,
}

impl Check<'_> {
    /// What stands of these sentences, which are read together.
    fn proven(&mut self, claims: &[Claim]) -> Vec<ProvenSentence> {
        match Verifier.verify_claims(claims, self.ground) {
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

    fn summary(&mut self, text: &str, plain: &Summary, commission: &Commission) -> Option<Summary> {
        let parts = readable(form::sections(text))?;
        let mut sections = Vec::new();
        for rule in &commission.settings.sections {
            let claims: Vec<Claim> = parts
                .iter()
                .filter(|(key, _)| *key == rule.key)
                .flat_map(|(_, claims)| claims.clone())
                .collect();
            let sentences = self.proven(&claims);
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

    /// What only the customer said may be told back as that, and as nothing else: whoever asks for
    /// five hundred pounds has not been promised them.
    fn binds_nobody_by(&mut self, sentence: &ProvenSentence) -> bool {
        let of_customer = |proof: &Proof| match proof {
            Proof::Turn(turn) => matches!(turn.role, Role::Customer | Role::Mixed),
            Proof::Passage(_) => false,
        };
        let text = sentence.text.as_str().to_lowercase();
        let is_told_back = TOLD_BACK.iter().any(|words| text.contains(words));
        if is_told_back || !sentence.proofs.iter().all(of_customer) {
            return true;
        }
        self.struck.push(StruckSentence {
            text: sentence.text.clone(),
            fault: Fault::Speaker,
            why: "only the customer said so".to_owned(),
        });
        false
    }

    /// The model's paragraphs between the greeting and the signature of the plain draft.
    fn email(&mut self, text: &str, plain: &EmailDraft) -> Option<EmailDraft> {
        let (subject, paragraphs) = readable(form::email(text))?;
        let claims = paragraphs.iter().filter_map(|claims| {
            let mut sentences = self.proven(claims);
            sentences.retain(|sentence| self.binds_nobody_by(sentence));
            (!sentences.is_empty()).then(|| paragraph(&sentences))
        });
        let claims: Vec<EmailPart> = claims.collect();
        if claims.is_empty() {
            return None;
        }
        let subject = subject.and_then(|claim| self.proven(&[claim]).pop());
        let of = |kind| plain.parts.iter().filter(move |part| part.kind == kind).cloned();
        let mut parts: Vec<EmailPart> = of(EmailPartKind::Greeting).collect();
        parts.extend(claims);
        parts.extend(of(EmailPartKind::Signature));
        let subject = subject.map_or_else(|| plain.subject.clone(), |proven| proven.text);
        Some(EmailDraft { subject, parts, ..plain.clone() })
    }
}

fn readable<T>(read: Result<T, serde_json::Error>) -> Option<T> {
    // Where it broke, and not what stood there: that may be somebody's words.
    read.inspect_err(|error| {
        tracing::warn!(line = error.line(), column = error.column(), "a text without its form");
    })
    .ok()
}

/// Sentences in a row as one part, as weak as the weakest of them.
fn paragraph(sentences: &[ProvenSentence]) -> EmailPart {
    let mut words = Vec::new();
    for (number, sentence) in sentences.iter().enumerate() {
        if number > 0 {
            words.push(Wording::Fixed(" "));
        }
        words.push(Wording::Of(&sentence.text));
    }
    let proofs: Vec<Proof> = sentences.iter().flat_map(|one| one.proofs.clone()).collect();
    EmailPart {
        kind: EmailPartKind::Claim,
        text: Redacted::assembled(&words),
        proofs,
        support: sentences.iter().map(|one| one.support).fold(1.0, f32::min),
    }
}
