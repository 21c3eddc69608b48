//! What calls explain, compared with the articles in force and with what is drafted already: drafts, changes,
//! or nothing because one of these says it.
//!
//! The id of a draft follows from its conversation, and from the words where somebody gave them; a change
//! names the conversation in its provenance. So the same again, after a restart or by hand, writes nothing
//! twice, and nothing of one conversation goes over another's.

mod door;
mod drafts;
mod follow;

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use self::drafts::Drafts;
use super::blocking::blocking;
use crate::domain::{
    ArticleAction, ArticleId, ArticleRevision, ArticleState, Classify, ConversationId, ErrorKind,
    EventBody, NewEvent, NewRevision, PROGRAM, ProposalCompared, ProposalOutcome, SentenceOrigin,
    TenantId,
};
use crate::flow::wrapup::compare::{Compared, Comparer, Scope, Standing};
use crate::flow::wrapup::{GapDraft, Proposal};
use crate::insight::redaction;
use crate::knowledge::{FileArticle, Library, check};
use crate::serve::{ArticleDesk, Failure};
use crate::store::articles::codec::content_hash;
use crate::store::{
    ArticleLog, ArticleRow, KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec,
};

pub use self::door::ProposalDoor;
pub use self::follow::{FollowSettings, start};

/// The author of what this program drafts from calls.
pub const AUTHOR: &str = PROGRAM;
/// Bytes of the conversation's hash in a draft's id.
const ID_BYTES: usize = 8;

/// Writes what calls explain and no article says. Cheap to clone.
#[derive(Clone)]
pub struct Proposer {
    store: Arc<dyn Store>,
    log: Arc<dyn ArticleLog>,
    desk: Arc<dyn ArticleDesk>,
    library: Library,
    tenant: TenantId,
    /// One at a time: callers need the model, too, and two calls about the same are one draft.
    drafts: Arc<Mutex<Drafts>>,
}

/// What is known of a conversation's proposal.
enum Known {
    /// Something was written for it already, and people decide about that.
    Written,
    /// Its draft, which nobody has touched.
    Untouched(Box<ArticleRow>),
    Nothing,
}

impl Proposer {
    /// `tenant` is whose articles are in the library.
    pub fn new(
        store: Arc<dyn Store>,
        log: Arc<dyn ArticleLog>,
        desk: Arc<dyn ArticleDesk>,
        library: Library,
        tenant: TenantId,
    ) -> Self {
        Self { store, log, desk, library, tenant, drafts: Arc::default() }
    }

    /// Compares, writes what is new, and says what became of it. `None` where what was written for this
    /// conversation before stands as it is.
    ///
    /// # Errors
    /// The base can't be compared with now, there is nothing to write, or a log can't be read or written.
    pub async fn propose(
        &self,
        proposal: Proposal,
        is_dry_run: bool,
    ) -> Result<Option<ProposalCompared>, Failure> {
        let mut drafts = self.drafts.lock().await;
        let last = self.last_told(&proposal.conversation).await?;
        // Else it was written, and the process ended before it was told.
        let was_told = proposal.given_by.is_some() || last.is_some();
        let known = self.known(&proposal, last.as_ref()).await?;
        if matches!(known, Known::Written) {
            return Ok(None);
        }
        let compared = self.compare(&proposal).await?;
        let conflicts = compared.contradictions().len();
        let told = |outcome, article: ArticleId, revision| ProposalCompared {
            wrapup_id: proposal.wrapup.clone(),
            outcome,
            article,
            revision,
            coverage: compared.coverage(),
            conflicts,
        };
        let standing = compared.standing();
        if let (Standing::Covered(article), Known::Nothing) = (&standing, &known) {
            let revision = self.library.article(article).map_or(0, |article| article.revision);
            return Ok(Some(told(ProposalOutcome::Covered, article.clone(), revision)));
        }
        if let (Standing::Partly { article, new }, Known::Nothing) = (&standing, &known) {
            match self.change(&proposal, &compared, article, new).await? {
                Change::Of(based_on, _) if is_dry_run => {
                    return Ok(Some(told(ProposalOutcome::Changed, article.clone(), based_on + 1)));
                }
                Change::Of(based_on, draft) => {
                    let written = self.write(article.clone(), based_on, *draft, &proposal).await?;
                    let outcome = ProposalOutcome::Changed;
                    return match written {
                        Wrote::Revision(one) => {
                            Ok(Some(told(outcome, article.clone(), one.number)))
                        }
                        Wrote::NothingIsLeft => Ok(None),
                        Wrote::TooLate => Err(Failure {
                            kind: ErrorKind::Unavailable,
                            message: format!("{article} was changed meanwhile: try again"),
                        }),
                    };
                }
                Change::IsThere(number) => {
                    let there = told(ProposalOutcome::Changed, article.clone(), number);
                    return Ok((!was_told).then_some(there));
                }
                Change::DoesNotFit => {}
            }
        }
        if matches!(known, Known::Nothing) {
            let found = self.drafted(&proposal, &mut drafts).await?;
            if let Some((article, coverage)) = found {
                let there =
                    told(ProposalOutcome::Covered, article.clone(), drafts.revision(&article));
                return Ok(Some(ProposalCompared { coverage, ..there }));
            }
        }
        let id = id_of(&proposal);
        let draft = proposal.draft(conflicts > 0).map_err(|refusal| Failure::of(&refusal))?;
        is_sound(&id, &draft)?;
        let based_on = match &known {
            Known::Untouched(row) if row.content_hash == content_hash(&draft.content) => {
                let there = told(ProposalOutcome::Drafted, id, row.number);
                return Ok((!was_told).then_some(there));
            }
            Known::Untouched(row) => row.number,
            _ => 0,
        };
        if is_dry_run {
            return Ok(Some(told(ProposalOutcome::Drafted, id, based_on + 1)));
        }
        let written = self.write(id.clone(), based_on, draft, &proposal).await?;
        Ok(match written {
            Wrote::Revision(one) => Some(told(ProposalOutcome::Drafted, id, one.number)),
            Wrote::TooLate | Wrote::NothingIsLeft => None,
        })
    }

    /// Writes down in the conversation what became of its proposal, unless that is what was said last.
    ///
    /// # Errors
    /// The log can't be read or written.
    pub async fn tell(
        &self,
        conversation: &ConversationId,
        compared: ProposalCompared,
    ) -> Result<(), Failure> {
        let last = self.last_told(conversation).await?;
        let (outcome, article) = (compared.outcome, compared.article.clone());
        tracing::info!(
            conversation.id = %conversation, outcome = outcome.as_str(), %article,
            coverage = compared.coverage, conflicts = compared.conflicts,
            "compared what a call explained with the articles"
        );
        if last.is_some_and(|last| {
            (last.outcome, &last.article, last.revision) == (outcome, &article, compared.revision)
        }) {
            return Ok(());
        }
        let body = EventBody::ProposalCompared(Box::new(compared));
        let event = NewEvent::at(Timestamp::now(), body);
        let stored = self.store.append(&self.tenant, conversation, vec![event]).await;
        stored.map(drop).map_err(failed)
    }

    async fn last_told(
        &self,
        conversation: &ConversationId,
    ) -> Result<Option<ProposalCompared>, Failure> {
        let mut query = ReadQuery::all(self.tenant.clone(), 0).of(conversation.clone());
        query.kinds = KindFilter::exactly(codec::ARTICLE_COMPARED);
        let mut last = None;
        loop {
            let page = self.store.read(&query).await.map_err(failed)?;
            for event in &page {
                query.after = event.position;
                last = codec::decode_compared(event).map_err(failed)?.or(last);
            }
            if page.len() < MAX_READ {
                return Ok(last);
            }
        }
    }

    async fn known(
        &self,
        proposal: &Proposal,
        last: Option<&ProposalCompared>,
    ) -> Result<Known, Failure> {
        let is_given = proposal.given_by.is_some();
        if !is_given && last.is_some_and(|last| last.outcome == ProposalOutcome::Changed) {
            return Ok(Known::Written);
        }
        let id = id_of(proposal);
        let Some(row) = self.log.article(&self.tenant, &id).await.map_err(failed)? else {
            return Ok(Known::Nothing);
        };
        // A better text may follow the first one, as long as nobody has taken it in hand.
        let is_ours = row.author == AUTHOR && row.by == AUTHOR;
        if !is_given && is_ours && row.state() == ArticleState::Draft {
            return Ok(Known::Untouched(Box::new(row)));
        }
        Ok(Known::Written)
    }

    async fn compare(&self, proposal: &Proposal) -> Result<Compared, Failure> {
        let (library, text) = (self.library.clone(), proposal.text());
        let scope = Scope { on: Some(jiff::Zoned::now().date()), ..scope_of(proposal) };
        blocking(move || {
            let comparer = Comparer::new(&library).ok_or_else(no_vectors)?.within(scope);
            comparer.compare(&text).map_err(|error| Failure::of(&error))
        })
        .await
    }

    /// The draft that says it already, of whatever hand, and how likely that is.
    async fn drafted(
        &self,
        proposal: &Proposal,
        drafts: &mut Drafts,
    ) -> Result<Option<(ArticleId, f32)>, Failure> {
        let embedder = self.library.embedder().ok_or_else(no_vectors)?;
        let wanted = (proposal.text(), scope_of(proposal));
        let compared = drafts.compare(self.log.as_ref(), &self.tenant, embedder, wanted).await?;
        Ok(match compared.standing() {
            Standing::Covered(draft) => Some((draft, compared.coverage())),
            Standing::Partly { .. } | Standing::New => None,
        })
    }

    /// What would be changed of an article that says a part of it.
    async fn change(
        &self,
        proposal: &Proposal,
        compared: &Compared,
        article: &ArticleId,
        new: &[usize],
    ) -> Result<Change, Failure> {
        let Some(row) = self.log.article(&self.tenant, article).await.map_err(failed)? else {
            return Ok(Change::DoesNotFit);
        };
        let newest = self.log.revision(&self.tenant, article, row.number).await.map_err(failed)?;
        let Some(newest) = newest else { return Ok(Change::DoesNotFit) };
        let is_from = |origin: &SentenceOrigin| origin.conversation == proposal.conversation;
        if newest.provenance.iter().any(is_from) {
            return Ok(Change::IsThere(row.number));
        }
        // Somebody is writing at it, or its words may not be changed.
        if row.published != Some(row.number) || newest.content.verbatim {
            return Ok(Change::DoesNotFit);
        }
        let near = compared.sentences.iter().flat_map(|beside| &beside.near);
        let near = near.filter(|near| near.article.id == *article);
        let nearest = near.max_by(|a, b| a.cosine.total_cmp(&b.cosine));
        let Some(nearest) = nearest.filter(|one| one.article.revision == row.number) else {
            return Ok(Change::DoesNotFit);
        };
        let number = nearest.passage_number;
        Ok(match proposal.change(article, &newest.content, number, new) {
            Some(mut draft) => {
                let before = newest.provenance.iter().cloned();
                draft.provenance = before.chain(draft.provenance).collect();
                is_sound(article, &draft)?;
                Change::Of(row.number, Box::new(draft))
            }
            None => Change::DoesNotFit,
        })
    }

    async fn write(
        &self,
        article: ArticleId,
        based_on: u32,
        draft: GapDraft,
        proposal: &Proposal,
    ) -> Result<Wrote, Failure> {
        let author = proposal.given_by.as_deref().unwrap_or(AUTHOR);
        let revision = NewRevision {
            article,
            based_on,
            action: ArticleAction::Draft,
            author: author.to_owned(),
            by: author.to_owned(),
            approver: None,
            time: Timestamp::now(),
            comment: Some(draft.comment),
            content: Arc::new(draft.content),
            provenance: draft.provenance.into(),
        };
        match self.desk.revise(&self.tenant, revision).await {
            Ok(written) => Ok(Wrote::Revision(written)),
            Err(StoreError::Erased(id)) if id == proposal.conversation => Ok(Wrote::NothingIsLeft),
            // An article's own origins may have been erased between reading and writing it.
            Err(StoreError::StaleRevision { .. } | StoreError::Erased(_)) => Ok(Wrote::TooLate),
            Err(error) => Err(failed(error)),
        }
    }
}

fn scope_of(proposal: &Proposal) -> Scope {
    Scope { language: Some(proposal.language.clone()), ..Scope::default() }
}

enum Change {
    /// Of this revision.
    Of(u32, Box<GapDraft>),
    /// This conversation has changed it already: its newest revision.
    IsThere(u32),
    DoesNotFit,
}

enum Wrote {
    Revision(Arc<ArticleRevision>),
    /// Somebody was faster.
    TooLate,
    /// The conversation is erased, and what it said is proposed to nobody.
    NothingIsLeft,
}

/// The id of what is drafted from a conversation, which says nothing of whose it was.
pub fn draft_id(conversation: &ConversationId) -> ArticleId {
    id_of_hash(Sha256::new_with_prefix(conversation.as_str()))
}

/// The same for words that somebody gave. They count their conversations as they like: "1" of one
/// archive is not "1" of another.
fn id_of(proposal: &Proposal) -> ArticleId {
    if proposal.given_by.is_none() {
        return draft_id(&proposal.conversation);
    }
    let mut hash = Sha256::new_with_prefix(proposal.conversation.as_str());
    for sentence in [&proposal.said.question].into_iter().chain(&proposal.said.answer) {
        hash.update([0]);
        hash.update(sentence.text.as_str());
    }
    id_of_hash(hash)
}

fn id_of_hash(hash: Sha256) -> ArticleId {
    let hash = hash.finalize();
    let name: String = hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
    ArticleId::from(format!("calls/{name}"))
}

/// Each sentence is masked, and a number may begin in one and end in the next.
fn is_sound(id: &ArticleId, draft: &GapDraft) -> Result<(), Failure> {
    let body = draft.content.body.as_str();
    if redaction::published(body).as_str() != body {
        let message = "a number of a card stands across its sentences".to_owned();
        return Err(Failure { kind: ErrorKind::Invalid, message });
    }
    check(&FileArticle::of_content(id.clone(), &draft.content))
        .map_err(|mistake| Failure { kind: ErrorKind::Invalid, message: mistake.to_string() })
}

fn no_vectors() -> Failure {
    Failure {
        kind: ErrorKind::Unavailable,
        message: "articles can't be compared until they are indexed by meaning".to_owned(),
    }
}

fn failed(error: impl Classify) -> Failure {
    Failure::of(&error)
}
