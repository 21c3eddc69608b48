//! The nouns of a contact centre, with nothing underneath them.
//!
//! Every other room imports from here and this room imports from none. The types carry no serde
//! derives: what is written to disk or sent over a wire is separate and versioned (`store::codec`,
//! `serve`, `connect`), so that a rename here can never change a stored byte.

mod access;
mod article;
mod audit;
mod card;
mod crm;
mod delivery;
mod effect;
mod error;
mod event;
mod gap;
mod ids;
mod insight;
mod numerals;
mod party;
mod proof;
mod redacted;
mod routing;
mod turn;
mod wrapup;

pub use access::AccessRole;
pub use article::{
    Article, ArticleAction, ArticleContent, ArticleRevision, ArticleState, Audience, NewRevision,
    PROGRAM, Passage, SentenceOrigin, TurnQuote,
};
pub use audit::{AuditActor, AuditEntry, AuditOutcome};
pub use card::{
    Abstained, Answer, Card, CardKind, CardVoice, Citation, Generator, NearestPassage,
    QuestionAnswer, Reply, Spoken, SuggestedQuestion, TurnQuestion, Unanswered, Verdict,
    VerdictKind,
};
pub use crm::{
    AccountFacts, Activity, ActivityKind, Case, Contact, ContactKey, CrmContext, Identity,
    KnownContact,
};
pub use delivery::{CrmWrite, Delivery, DeliveryMove, DeliveryState, NewDelivery, Progress};
pub use effect::{
    CallRecord, CaseRef, CaseUpdate, ChannelReply, DedupeKey, DueAt, Effect, MailDraft, Mailbox,
    Meeting, NewCase, NewNote, NewTask, PushedArticle, TeamMessage,
};
pub use error::{Classify, ErrorKind};
pub use event::{
    ArticleChanged, ArticlesImported, AudioGap, AudioPaused, AudioResumed, AudioStarted,
    AudioStopped, Channel, ConversationEnded, ConversationStarted, Direction, EndReason, EventBody,
    ImportedRevision, NewEvent, Recorded, RedactionKind, RedactionOutcome, RedactionResolved,
    SecretsSealed, SystemNotice,
};
pub use gap::{ArticleOpened, ArticleSearch, GapReason};
pub use ids::{
    ArticleId, CardId, ConversationId, DecisionId, EventId, PartyId, PassageId, QuestionId,
    SearchId, TenantId, TurnId, WorkItemId, WrapUpId,
};
pub use insight::{
    Alert, CategoryMatched, Evidence, Sentiment, SentimentLevel, SentimentTerm, SentimentTrend,
    Severity, TurnIntent,
};
pub use numerals::{number_of, number_words};
pub use party::{Party, Role};
pub use proof::{
    Authorship, Fault, PromptRef, Proof, ProvenSentence, ProvenText, StruckSentence, StruckText,
    TurnCitation,
};
pub use redacted::{Redacted, Wording};
pub use routing::{
    Assignment, Candidate, Decision, Feature, FeatureValue, Intent, IntentSeen, PlanForm, PlanPut,
    PresenceSet, Recommendation, RoutingMode, Term, WorkMoved, WorkOffered, WorkOverflowed,
    WorkQueued, WorkStep,
};
pub use turn::{Partial, Turn, Word};
pub use wrapup::{
    ArticleProposal, CaseEntry, CaseSummary, ConflictKind, DispositionChoice, DispositionProposal,
    Due, EmailDraft, EmailLength, EmailPart, EmailPartKind, EmailPurpose, EmailTone, FollowUp,
    FollowUpKind, Occasion, ProposalCompared, ProposalOutcome, ReviewVerdict, Summary,
    SummarySection, WrapUp, WrapUpBody, WrapUpVerdict,
};
