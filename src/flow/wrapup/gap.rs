//! An article for a question that no article answers, out of what agents answered in several conversations.

use std::collections::{BTreeMap, HashSet};

use super::Refusal;
use crate::domain::{
    ArticleContent, ConversationId, Proof, ProvenSentence, Redacted, SentenceOrigin, TurnId,
    TurnQuote, Wording,
};
use crate::knowledge::terms;

/// Sentences of all agents together: whoever reviews them has a minute.
const SENTENCES: usize = 10;
/// A sentence that shares so much with what is there says it again.
const SAME_SHARE: f32 = 0.6;
const PHRASINGS: usize = 5;
const TITLE_CHARS: usize = 160;

/// How the question was asked in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct GapAsked {
    pub conversation: ConversationId,
    /// Absent where an agent asked or searched.
    pub turn: Option<TurnId>,
    pub text: Redacted,
}

/// What an agent answered there; see `Reading::answer_to`.
#[derive(Clone, Debug, PartialEq)]
pub struct GapAnswer {
    pub conversation: ConversationId,
    pub sentences: Vec<ProvenSentence>,
}

/// What the article says, and where it has that from.
#[derive(Clone, Debug, PartialEq)]
pub struct GapDraft {
    pub content: ArticleContent,
    pub provenance: Vec<SentenceOrigin>,
    /// For whoever reviews it.
    pub comment: Redacted,
}

/// Writes the question as title and heading, and below it what agents said, the fullest answer first; of the others
/// only what that doesn't say. Where nobody answered, the text is left to be written.
///
/// # Errors
/// The question holds nothing but what is masked.
pub fn gap_draft(
    question: &Redacted,
    asked: &[GapAsked],
    mut answers: Vec<GapAnswer>,
) -> Result<GapDraft, Refusal> {
    let title = title_of(question);
    if terms::words(&unmasked(title.as_str())).is_empty() {
        return Err(Refusal::NothingAsked);
    }
    answers.sort_by_key(|answer| std::cmp::Reverse(terms_of(&answer.sentences).len()));
    let origin = |(asked, turn): (&GapAsked, &TurnId)| SentenceOrigin {
        sentence: title.clone(),
        conversation: asked.conversation.clone(),
        quotes: vec![TurnQuote { turn: turn.clone(), quote: asked.text.clone() }],
    };
    let in_turns = asked.iter().filter_map(|one| Some((one, one.turn.as_ref()?)));
    let mut provenance: Vec<SentenceOrigin> = in_turns.map(origin).collect();
    let mut body = vec![Wording::Fixed("## "), Wording::Of(&title)];
    let mut said: Vec<HashSet<String>> = Vec::new();
    for answer in &answers {
        let mut before = Wording::Fixed("\n\n");
        for sentence in &answer.sentences {
            let own: HashSet<String> = terms::terms(sentence.text.as_str()).into_iter().collect();
            let shared = |one: &HashSet<String>| one.intersection(&own).count() as f32;
            let again = said.iter().any(|one| shared(one) >= SAME_SHARE * own.len() as f32);
            if again || said.len() >= SENTENCES {
                continue;
            }
            body.extend([before, Wording::Of(&sentence.text)]);
            if !sentence.text.as_str().ends_with(['.', '!', '?', '…']) {
                body.push(Wording::Fixed("."));
            }
            before = Wording::Fixed(" ");
            said.push(own);
            provenance.push(origin_of(&answer.conversation, sentence));
        }
    }
    let comment = match said.is_empty() {
        true => "Nobody has answered it yet: what was asked is in the calls.",
        false => "What agents answered, word for word.",
    };
    if said.is_empty() {
        body.push(Wording::Fixed("\n\nThis is still to be written."));
    }
    body.push(Wording::Fixed("\n"));
    let body = Redacted::assembled(&body);
    let asked_as = phrasings(&title, asked);
    let content = ArticleContent { asked_as, ..ArticleContent::plain(title, body) };
    Ok(GapDraft { content, provenance, comment: Redacted::assembled(&[Wording::Fixed(comment)]) })
}

/// One line, with a capital first, that doesn't end in the middle of a word.
fn title_of(question: &Redacted) -> Redacted {
    let text = question.as_str();
    let line = text.lines().next().unwrap_or_default().trim_end_matches([' ', '#']);
    let start = line.len() - line.trim_start_matches(['#', ' ']).len();
    let cut = line.char_indices().nth(TITLE_CHARS).map_or(line.len(), |(at, _)| {
        line[..at].rfind(' ').filter(|space| *space > start).unwrap_or(at)
    });
    question.slice(start..cut).capitalised()
}

/// How it was asked in other words, so that the article is found by them.
fn phrasings(title: &Redacted, asked: &[GapAsked]) -> BTreeMap<String, Vec<Redacted>> {
    let mut phrasings: Vec<Redacted> = Vec::new();
    for text in asked.iter().map(|one| &one.text) {
        let is_title = text.as_str().eq_ignore_ascii_case(title.as_str());
        let is_empty = terms::terms(&unmasked(text.as_str())).is_empty();
        if !is_title && !is_empty && !phrasings.contains(text) {
            phrasings.push(text.clone());
        }
    }
    phrasings.truncate(PHRASINGS);
    let below = (!phrasings.is_empty()).then(|| (title.as_str().to_owned(), phrasings));
    below.into_iter().collect()
}

/// The text without `[card-1]` and the like.
fn unmasked(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, masked)) = rest.split_once('[') {
        kept.push_str(before);
        rest = masked.split_once(']').map_or("", |(_, after)| after);
    }
    kept + rest
}

fn terms_of(sentences: &[ProvenSentence]) -> HashSet<String> {
    sentences.iter().flat_map(|one| terms::terms(one.text.as_str())).collect()
}

pub(super) fn origin_of(
    conversation: &ConversationId,
    sentence: &ProvenSentence,
) -> SentenceOrigin {
    let quotes = sentence.proofs.iter().filter_map(|proof| match proof {
        Proof::Turn(cited) => {
            Some(TurnQuote { turn: cited.turn_id.clone(), quote: cited.quote.clone() })
        }
        Proof::Passage(_) => None,
    });
    SentenceOrigin {
        sentence: sentence.text.clone(),
        conversation: conversation.clone(),
        quotes: quotes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Role, TurnCitation};

    fn asked(conversation: &str, text: &str) -> GapAsked {
        let text = Redacted::vouched(text);
        GapAsked { conversation: conversation.into(), turn: Some("t-1".into()), text }
    }

    fn answer(conversation: &str, sentences: &[&str]) -> GapAnswer {
        let sentence = |text: &&str| ProvenSentence {
            text: Redacted::vouched(*text),
            proofs: vec![Proof::Turn(TurnCitation {
                turn_id: "t-2".into(),
                role: Role::Agent,
                start_chars: 0,
                end_chars: text.chars().count(),
                quote: Redacted::vouched(*text),
            })],
            support: 1.0,
        };
        GapAnswer {
            conversation: conversation.into(),
            sentences: sentences.iter().map(sentence).collect(),
        }
    }

    #[test]
    fn the_fullest_answer_comes_first_and_nothing_twice() {
        let question = Redacted::vouched("do students get a discount?");
        let draft = gap_draft(
            &question,
            &[asked("c-1", "do students get a discount?"), asked("c-2", "Any student discount?")],
            vec![
                answer("c-1", &["Students get ten percent off the line rental"]),
                answer(
                    "c-2",
                    &[
                        "Students get ten percent off the line rental every month.",
                        "They send us a photo of a valid student card.",
                    ],
                ),
            ],
        )
        .expect("something was asked");
        assert_eq!(
            draft.content.body.as_str(),
            "## Do students get a discount?\n\nStudents get ten percent off the line rental every \
             month. They send us a photo of a valid student card.\n"
        );
        let of: Vec<&str> =
            draft.provenance.iter().map(|origin| origin.conversation.as_str()).collect();
        assert_eq!(of, ["c-1", "c-2", "c-2", "c-2"], "two that asked, and two sentences of one");
        let phrasings = &draft.content.asked_as["Do students get a discount?"];
        assert_eq!(phrasings[..], [Redacted::vouched("Any student discount?")]);
    }

    #[test]
    fn without_an_answer_the_text_is_left_to_be_written() {
        let draft = gap_draft(
            &Redacted::vouched("# Who repairs a dish?"),
            &[asked("c-1", "Who repairs a dish?")],
            Vec::new(),
        )
        .expect("something was asked");
        let expected = "## Who repairs a dish?\n\nThis is still to be written.\n";
        assert_eq!(draft.content.body.as_str(), expected);
        assert_eq!(draft.provenance[0].quotes[0].turn.as_str(), "t-1");
    }

    #[test]
    fn a_question_that_is_all_masked_is_refused() {
        let masked = Redacted::vouched("[card-1]?");
        let refused = gap_draft(&masked, &[asked("c-1", "[card-1]?")], Vec::new());
        assert_eq!(refused, Err(Refusal::NothingAsked));
    }

    #[test]
    fn a_long_question_is_cut_between_words() {
        let long = Redacted::vouched("word ".repeat(60));
        let title = title_of(&long);
        assert!(title.as_str().len() <= TITLE_CHARS && title.as_str().ends_with("word"));
    }
}
