//! What a conversation's log is made of. See `store::codec` for how it stands on disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Abstained, Alert, ArticleAction, ArticleId, ArticleOpened, ArticleSearch, Assignment,
    AuditEntry, Card, CardId, CardVoice, CategoryMatched, Citation, ConversationId, CrmContext,
    CrmWrite, Decision, EventId, Party, PlanPut, PresenceSet, Proof, ProposalCompared,
    ProvenSentence, QuestionAnswer, QuestionId, Redacted, Reply, Sentiment, StruckText,
    SuggestedQuestion, TenantId, Turn, TurnId, TurnIntent, Verdict, WorkMoved, WorkOffered,
    WorkOverflowed, WorkQueued, WrapUp, WrapUpVerdict,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Voice,
    Chat,
    Sms,
    Mail,
}

impl Channel {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Inbound,
    Outbound,
}

impl Direction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The media side said that the call is over.
    Hangup,
    /// The media connection broke.
    Disconnected,
    /// The media connection went silent.
    Timeout,
    /// The media side broke the protocol.
    ProtocolError,
    /// The service was stopped in an orderly way.
    Shutdown,
    /// The service died; written at the next start.
    Crash,
}

impl EndReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::Disconnected => "disconnected",
            Self::Timeout => "timeout",
            Self::ProtocolError => "protocol_error",
            Self::Shutdown => "shutdown",
            Self::Crash => "crash",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationStarted {
    pub channel: Channel,
    pub direction: Direction,
    /// The media side's own name for the call, such as Twilio's call SID.
    pub external_id: Option<String>,
    pub parties: Vec<Party>,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationEnded {
    pub reason: EndReason,
    pub duration_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioStarted {
    pub party: Party,
    /// As the wire names it: `mulaw`, `pcm_s16le`.
    pub codec: String,
    pub sample_rate_hz: u32,
}

/// A stretch of audio that never arrived or had to be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioGap {
    pub party: Party,
    pub start_ms: u64,
    pub lost_ms: u64,
    pub why: String,
}

/// The media side has paused a party's audio: nothing is heard until `AudioResumed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioPaused {
    pub party: Party,
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioResumed {
    pub party: Party,
    pub at_ms: u64,
    pub paused_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioStopped {
    pub party: Party,
    pub duration_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RedactionKind {
    Card,
    /// Digits that may yet become a card number.
    Digits,
}

impl RedactionKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Digits => "digits",
        }
    }
}

/// How a held-back run of digits turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedactionOutcome {
    /// It was (part of) a secret of this kind and stays masked.
    Kept(RedactionKind),
    /// It was nothing secret: these are the words behind the placeholder.
    Released(Redacted),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionResolved {
    pub turn_id: TurnId,
    /// Such as `[digits-1]`, as it stands in the turn's text.
    pub placeholder: String,
    pub outcome: RedactionOutcome,
}

/// What new placeholders of a turn stand for, which nobody here can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsSealed {
    pub turn_id: TurnId,
    /// As `insight::redaction::vault` writes it.
    pub sealed: String,
}

/// Something works less well than it should, or does again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemNotice {
    /// A stable word for programs: `knowledge_vectors`.
    pub what: String,
    /// A sentence for people.
    pub detail: String,
    pub since: Timestamp,
}

/// An article has a new revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleChanged {
    pub article_id: ArticleId,
    pub revision: u32,
    pub action: ArticleAction,
    pub title: Redacted,
    pub by: String,
    pub comment: Option<Redacted>,
    /// Of the revision, by which an audit knows it again; none in what is told from before.
    pub hash: Option<String>,
}

/// Many articles have a new revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArticlesImported {
    pub new: usize,
    pub changed: usize,
    pub revisions: Vec<ImportedRevision>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRevision {
    pub article_id: ArticleId,
    pub revision: u32,
    pub hash: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    ConversationStarted(ConversationStarted),
    ConversationEnded(ConversationEnded),
    AudioStarted(AudioStarted),
    AudioGap(AudioGap),
    AudioPaused(AudioPaused),
    AudioResumed(AudioResumed),
    AudioStopped(AudioStopped),
    TurnFinal(Turn),
    RedactionResolved(RedactionResolved),
    SecretsSealed(SecretsSealed),
    IntentSeen(Box<TurnIntent>),
    SentimentSeen(Box<Sentiment>),
    CategoryMatched(Box<CategoryMatched>),
    Alerted(Box<Alert>),
    SuggestionOffered(Card),
    SuggestionVoiced(Box<CardVoice>),
    SuggestionWithdrawn {
        card_id: CardId,
        why: String,
    },
    SuggestionVerdict(Verdict),
    SuggestionAbstained(Box<Abstained>),
    /// What may be asked now; takes the place of those before.
    QuestionsSuggested(Vec<SuggestedQuestion>),
    QuestionAsked {
        question_id: QuestionId,
        question: Redacted,
    },
    QuestionAnswered(QuestionAnswer),
    ArticleSearched(ArticleSearch),
    ArticleOpened(ArticleOpened),
    WrapUp(Box<WrapUp>),
    WrapUpVerdict(WrapUpVerdict),
    ProposalCompared(Box<ProposalCompared>),
    ArticleChanged(Box<ArticleChanged>),
    ArticlesImported(ArticlesImported),
    WritingStruck(Box<StruckText>),
    CrmContext(Box<CrmContext>),
    CrmWrite(Box<CrmWrite>),
    RouteRecommended(Box<Decision>),
    RouteAssigned(Box<Assignment>),
    RoutePlanned(Box<PlanPut>),
    RoutePresence(Box<PresenceSet>),
    RouteOffered(Box<WorkOffered>),
    RouteQueued(Box<WorkQueued>),
    RouteOverflowed(Box<WorkOverflowed>),
    RouteMoved(Box<WorkMoved>),
    SystemDegraded(SystemNotice),
    SystemRecovered(SystemNotice),
    Audited(Box<AuditEntry>),
}

impl EventBody {
    /// The passages that it quotes. What the knowledge base has taken back must not be in a new event.
    pub fn citations(&self) -> Vec<&Citation> {
        match self {
            Self::SuggestionOffered(card) => card.answer.citations.iter().collect(),
            Self::SuggestionVoiced(voice) => of_sentences(&voice.spoken.sentences),
            Self::QuestionAnswered(answer) => match &answer.reply {
                Reply::Answer(answer) => answer.citations.iter().collect(),
                Reply::Written(answer, spoken) => {
                    let mut all = of_sentences(&spoken.sentences);
                    all.extend(&answer.citations);
                    all
                }
                Reply::AskBack { .. } | Reply::None { .. } | Reply::Abandoned => Vec::new(),
            },
            Self::WrapUp(draft) => draft.citations(),
            _ => Vec::new(),
        }
    }
}

fn of_sentences(sentences: &[ProvenSentence]) -> Vec<&Citation> {
    sentences.iter().flat_map(|one| &one.proofs).filter_map(Proof::passage).collect()
}

/// An event on its way into the log. The log gives it its sequence and position.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub id: EventId,
    pub time: Timestamp,
    pub body: EventBody,
}

impl NewEvent {
    pub fn at(time: Timestamp, body: EventBody) -> Self {
        Self { id: EventId::fresh(), time, body }
    }
}

/// An event that is durable, in the form in which it is read and streamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where it stands in the whole log; grows in commit order.
    pub position: u64,
    pub id: EventId,
    pub tenant: TenantId,
    pub conversation: ConversationId,
    /// Counts from 1 in its conversation, without gaps.
    pub sequence: u64,
    pub time: Timestamp,
    /// Without the prefix `backchannel.`: `turn.final`.
    pub kind: Arc<str>,
    /// `backchannel/turn.final/1`
    pub schema: Arc<str>,
    /// The `data` member as JSON text.
    pub data: Arc<str>,
}
