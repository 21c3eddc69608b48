//! Knowledge bases with labelled questions, as they lie in their folders.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::domain::{
    Article, ArticleId, Classify, ErrorKind, Party, PartyId, Passage, PassageId, Role, Turn, TurnId,
};
use crate::flow::suggestion::{SuggestionSettings, question_query};
use crate::insight::redaction;
use crate::knowledge::queries::{self, LabelledQuery};
use crate::knowledge::{
    ArticleError, KnowledgeError, Library, LibrarySettings, SearchRequest, Source, passages_of,
};
use crate::models::embedder::EmbedderError;

#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    #[error(transparent)]
    Row(#[from] ArticleError),
    #[error(transparent)]
    Model(#[from] EmbedderError),
    #[error("{path} can't be read: {reason}")]
    Read { path: String, reason: String },
    #[error(
        "{0} holds neither queries.toml, nor articles.jsonl with known_item_queries.jsonl, nor \
         passages.jsonl with queries.jsonl"
    )]
    UnknownForm(String),
    #[error("{0} doesn't hold knowledge.json and a file …instances.jsonl")]
    NotSpoken(String),
}

impl Classify for EvaluationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Knowledge(error) => error.kind(),
            Self::Model(error) => error.kind(),
            Self::Row(_) | Self::Read { .. } | Self::UnknownForm(_) | Self::NotSpoken(_) => {
                ErrorKind::Invalid
            }
        }
    }
}

/// A knowledge base with labelled questions.
pub struct Dataset {
    pub library: Library,
    pub queries: Vec<LabelledQuery>,
    /// What was said before each question, oldest first; empty where questions stand alone.
    pub talks: Vec<Vec<Turn>>,
    /// SHA-256 over articles and questions.
    pub sha256: String,
}

impl Dataset {
    /// Reads a folder of articles with `queries.toml` (or the path of that file), a folder with
    /// `articles.jsonl` and `known_item_queries.jsonl`, or one with `passages.jsonl` and
    /// `queries.jsonl`, whose questions end a conversation.
    ///
    /// # Errors
    /// Names the file and the line that are wrong.
    pub fn open(
        path: &Path,
        settings: impl Fn(Source) -> LibrarySettings,
    ) -> Result<Self, EvaluationError> {
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        if folder.join("queries.toml").is_file() {
            let source = Source::Folder(folder.to_owned());
            let mut hash = Sha256::new();
            for (file, text) in source.files()? {
                hash.update(file);
                hash.update(text.unwrap_or_default());
            }
            let library = Library::open(&settings(source))?;
            let text = read(&folder.join("queries.toml"))?;
            hash.update(&text);
            let queries =
                queries::parse("queries.toml", &text, &|id| library.article(id).is_some())?;
            return Ok(Self { library, queries, talks: Vec::new(), sha256: hex(&hash.finalize()) });
        }
        let (passages, talks) = (folder.join("passages.jsonl"), folder.join("queries.jsonl"));
        if passages.is_file() && talks.is_file() {
            return Self::of_conversations(
                &passages,
                &talks,
                &settings(Source::Folder(folder.into())),
            );
        }
        let (articles, known) =
            (folder.join("articles.jsonl"), folder.join("known_item_queries.jsonl"));
        if !articles.is_file() || !known.is_file() {
            return Err(EvaluationError::UnknownForm(folder.display().to_string()));
        }
        let (articles_text, known_text) = (read(&articles)?, read(&known)?);
        let mut hash = Sha256::new();
        hash.update(&articles_text);
        hash.update(&known_text);
        let articles: Vec<ArticleRow> = rows(&articles, &articles_text)?;
        let known: Vec<KnownItemRow> = rows(&known, &known_text)?;
        let library = Library::of_with(
            articles.into_iter().map(|row| article(row.id, row.title, row.body)).collect(),
            &settings(Source::Folder(folder.to_owned())),
        )?;
        let queries = known.into_iter().map(|row| LabelledQuery {
            text: row.query,
            articles: BTreeSet::from([ArticleId::from(row.doc_id)]),
        });
        let sha256 = hex(&hash.finalize());
        Ok(Self { library, queries: queries.collect(), talks: Vec::new(), sha256 })
    }

    /// Each passage is an article of its own, without a title.
    fn of_conversations(
        passages: &Path,
        talks: &Path,
        settings: &LibrarySettings,
    ) -> Result<Self, EvaluationError> {
        let (passages_text, talks_text) = (read(passages)?, read(talks)?);
        let mut hash = Sha256::new();
        hash.update(&passages_text);
        hash.update(&talks_text);
        let passages: Vec<PassageRow> = rows(passages, &passages_text)?;
        let articles = passages.into_iter().map(|row| article(row.id, String::new(), row.text));
        let library = Library::of_with(articles.collect(), settings)?;
        let (mut queries, mut before) = (Vec::new(), Vec::new());
        for row in rows::<ConversationRow>(talks, &talks_text)? {
            let mut turns: Vec<Turn> = row.turns.iter().enumerate().map(TurnRow::turn).collect();
            let Some(last) = turns.pop() else { continue };
            queries.push(LabelledQuery {
                text: last.text.as_str().to_owned(),
                articles: row.passage_ids.into_iter().map(ArticleId::from).collect(),
            });
            before.push(turns);
        }
        Ok(Self { library, queries, talks: before, sha256: hex(&hash.finalize()) })
    }

    /// The search for a question as a live call would make it.
    pub fn request(&self, question: usize) -> SearchRequest {
        let text = &self.queries[question].text;
        match self.talks.get(question) {
            Some(talk) => question_query(text, talk, &SuggestionSettings::default()).request,
            None => SearchRequest::new(text.clone()),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<String, EvaluationError> {
    std::fs::read_to_string(path).map_err(|error| EvaluationError::Read {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

pub(super) fn rows<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &str,
) -> Result<Vec<T>, EvaluationError> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        rows.push(serde_json::from_str(line).map_err(|error| EvaluationError::Read {
            path: format!("{}:{}", path.display(), number + 1),
            reason: error.to_string(),
        })?);
    }
    Ok(rows)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(serde::Deserialize)]
struct ArticleRow {
    id: String,
    title: String,
    body: String,
}

#[derive(serde::Deserialize)]
struct KnownItemRow {
    query: String,
    doc_id: String,
}

#[derive(serde::Deserialize)]
struct PassageRow {
    id: String,
    text: String,
}

#[derive(serde::Deserialize)]
struct ConversationRow {
    turns: Vec<TurnRow>,
    passage_ids: Vec<String>,
}

#[derive(serde::Deserialize)]
struct TurnRow {
    speaker: String,
    text: String,
}

impl TurnRow {
    fn turn((index, row): (usize, &Self)) -> Turn {
        let role = if row.speaker == "user" { Role::Customer } else { Role::Agent };
        Turn {
            id: TurnId::from(format!("t-{index}")),
            party: Party { id: PartyId::from(row.speaker.as_str()), role, name: None },
            start_ms: 0,
            end_ms: 0,
            text: redaction::typed(row.text.trim()),
            words: Vec::new(),
            mean_logprob: None,
            display_text: None,
            language: "en".to_owned(),
        }
    }
}

/// A published article for agents.
pub(super) fn article(id: String, title: String, body: String) -> Article {
    let id = ArticleId::from(id);
    let mut passages = passages_of(&id, &title, &body);
    if passages.is_empty() {
        let id = PassageId::from(format!("{id}#1"));
        let (heading, text) = (title.clone(), String::new());
        passages.push(Passage { id, heading, text, start_chars: 0, end_chars: 0 });
    }
    Article::published(id, title, body, passages)
}
