//! An article's proposal as a draft of its own, or as a change to the article that says a part of it.

use super::compare::DraftText;
use super::gap::{GapAnswer, GapAsked, GapDraft, gap_draft, origin_of};
use super::{EXTRACTIVE, Refusal};
use crate::domain::{
    ArticleContent, ArticleId, ArticleProposal, ConversationId, Proof, ProvenSentence, Redacted,
    SentenceOrigin, TurnId, Wording, WrapUpId,
};
use crate::knowledge::passages_of;

/// What a conversation has that an article could say.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub conversation: ConversationId,
    pub wrapup: WrapUpId,
    /// ISO 639-1
    pub language: String,
    /// Who wrote it.
    pub provider: String,
    /// Who gave it, where it isn't out of the log.
    pub given_by: Option<String>,
    pub said: ArticleProposal,
}

impl Proposal {
    /// As it is compared.
    pub fn text(&self) -> DraftText {
        let plain = |one: &ProvenSentence| one.text.as_str().to_owned();
        DraftText {
            question: plain(&self.said.question),
            answer: self.said.answer.iter().map(plain).collect(),
        }
    }

    /// As a new article. `contradicts`: something that is published.
    ///
    /// # Errors
    /// The question holds nothing but what is masked.
    pub fn draft(&self, contradicts: bool) -> Result<GapDraft, Refusal> {
        let question = &self.said.question;
        let asked = GapAsked {
            conversation: self.conversation.clone(),
            turn: question.proofs.iter().find_map(turn_of).cloned(),
            text: question.text.clone(),
        };
        let answer = GapAnswer {
            conversation: self.conversation.clone(),
            sentences: self.said.answer.clone(),
        };
        let mut draft = gap_draft(&question.text, &[asked], vec![answer])?;
        draft.content.language.clone_from(&self.language);
        let comment = match (contradicts, self.provider == EXTRACTIVE) {
            (true, _) => "Explained in a call, and not as it is published.",
            (false, true) => "Explained in a call, word for word. No article says it.",
            (false, false) => "Explained in a call. No article says it.",
        };
        draft.comment = Redacted::assembled(&[Wording::Fixed(comment)]);
        Ok(draft)
    }

    /// As a change to an article: the sentences that it doesn't say, behind those of the passage with
    /// this number. `None` where it has no such passage, or they are none.
    pub fn change(
        &self,
        id: &ArticleId,
        content: &ArticleContent,
        passage: usize,
        new: &[usize],
    ) -> Option<GapDraft> {
        let body = &content.body;
        let passages = passages_of(id, content.title.as_str(), body.as_str());
        let end_chars = passages.get(passage)?.end_chars;
        let end = body.as_str().char_indices().nth(end_chars);
        let end = end.map_or(body.as_str().len(), |(at, _)| at);
        let end = body.as_str()[..end].trim_end().len();
        let sentences: Vec<&ProvenSentence> =
            new.iter().filter_map(|at| self.said.answer.get(*at)).collect();
        let (before, after) = (body.slice(0..end), body.slice(end..body.as_str().len()));
        let mut parts = vec![Wording::Of(&before)];
        let mut between = Wording::Fixed("\n\n");
        for sentence in &sentences {
            parts.extend([between, Wording::Of(&sentence.text)]);
            if !sentence.text.as_str().ends_with(['.', '!', '?', '…']) {
                parts.push(Wording::Fixed("."));
            }
            between = Wording::Fixed(" ");
        }
        parts.push(Wording::Of(&after));
        let content = ArticleContent { body: Redacted::assembled(&parts), ..content.clone() };
        let provenance: Vec<SentenceOrigin> =
            sentences.iter().map(|one| origin_of(&self.conversation, one)).collect();
        let comment = Redacted::assembled(&[Wording::Fixed("A call adds to what it says.")]);
        (!provenance.is_empty()).then_some(GapDraft { content, provenance, comment })
    }
}

const fn turn_of(proof: &Proof) -> Option<&TurnId> {
    match proof {
        Proof::Turn(cited) => Some(&cited.turn_id),
        Proof::Passage(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Role, TurnCitation};

    fn proven(text: &str) -> ProvenSentence {
        ProvenSentence {
            text: Redacted::vouched(text),
            proofs: vec![Proof::Turn(TurnCitation {
                turn_id: "t-2".into(),
                role: Role::Agent,
                start_chars: 0,
                end_chars: text.chars().count(),
                quote: Redacted::vouched(text),
            })],
            support: 1.0,
        }
    }

    fn proposal() -> Proposal {
        Proposal {
            conversation: "c-1".into(),
            wrapup: "w-end-article-1".into(),
            language: "en".into(),
            provider: EXTRACTIVE.into(),
            given_by: None,
            said: ArticleProposal {
                question: proven("where does the refund go?"),
                answer: vec![proven("It goes to the account that paid"), proven("We text you.")],
            },
        }
    }

    fn refunds() -> ArticleContent {
        let body = "## Where\nTo the payer’s account.\n\n## When\nIn 5 days.\n";
        ArticleContent::plain(Redacted::vouched("Refunds"), Redacted::vouched(body))
    }

    #[test]
    fn what_is_new_stands_behind_the_passage_that_it_adds_to() {
        let changed = proposal().change(&"b/r".into(), &refunds(), 0, &[1]).expect("there is");
        let body = "## Where\nTo the payer’s account.\n\nWe text you.\n\n## When\nIn 5 days.\n";
        assert_eq!(changed.content.body.as_str(), body);
        let origins: Vec<&str> =
            changed.provenance.iter().map(|one| one.sentence.as_str()).collect();
        assert_eq!(origins, ["We text you."]);
        let last = proposal().change(&"b/r".into(), &refunds(), 1, &[0, 1]).expect("there is");
        let end = "In 5 days.\n\nIt goes to the account that paid. We text you.\n";
        assert!(last.content.body.as_str().ends_with(end));
        assert_eq!(proposal().change(&"b/r".into(), &refunds(), 9, &[1]), None);
        assert_eq!(proposal().change(&"b/r".into(), &refunds(), 0, &[]), None);
    }

    #[test]
    fn a_new_article_says_who_asked_and_who_answered() {
        let draft = proposal().draft(false).expect("something was asked");
        assert_eq!(draft.content.title.as_str(), "Where does the refund go?");
        assert!(draft.content.body.as_str().contains("to the account that paid. We text you."));
        assert_eq!(draft.provenance.len(), 3, "the question, and two sentences");
        assert!(draft.provenance.iter().all(|one| one.quotes[0].turn.as_str() == "t-2"));
    }
}
