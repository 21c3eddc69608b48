//! Identifiers. Each is its own type, so that a turn's can't be passed where a card's is meant.

use std::fmt;
use std::sync::Arc;

use ulid::Ulid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// A fresh identifier that sorts by the time of its making.
            pub fn fresh() -> Self {
                Self(format!("{}{}", $prefix, Ulid::generate().to_string()).into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The same text, not copied.
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// A call, chat, SMS or mail thread.
    ConversationId, "c-");
id!(/// Unique in the service, so that a verdict needs no conversation in its address.
    CardId, "k-");
id!(/// Unique in its conversation.
    TurnId, "t-");
id!(/// Unique in its conversation.
    PartyId, "p-");
id!(/// Something that was written about a conversation; unique in it.
    WrapUpId, "w-");
id!(EventId, "");
id!(QuestionId, "q-");
id!(/// A search of the articles for a conversation.
    SearchId, "s-");
id!(TenantId, "");
id!(/// The path below the knowledge folder without `.md`, such as `billing/refunds`.
    ArticleId, "");
id!(/// The article's id, `#`, and the number of the section from 1.
    PassageId, "");
id!(/// What is routed: a conversation's call for somebody, or a record.
    WorkItemId, "i-");
id!(/// Why a work item went where it went.
    DecisionId, "d-");
