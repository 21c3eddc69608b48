//! What may be asked for, by the same words everywhere.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{EmailLength, EmailPurpose, EmailTone};
use crate::flow::wrapup::{Draft, EmailOrder};

/// In which form the output is written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Jsonl,
    /// A container a line
    Vcon,
    Parquet,
}

impl Format {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Vcon => "vcon",
            Self::Parquet => "parquet",
        }
    }
}

/// What is written about each conversation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Summary,
    #[value(alias = "follow-ups")]
    Followups,
    Disposition,
    Email,
    Article,
}

impl What {
    /// Unless somebody says otherwise.
    pub const USUAL: [Self; 3] = [Self::Summary, Self::Followups, Self::Disposition];

    fn draft(self) -> Draft {
        match self {
            Self::Summary => Draft::Summary,
            Self::Followups => Draft::FollowUps,
            Self::Disposition => Draft::Disposition,
            Self::Email => Draft::Email(EmailOrder {
                purpose: EmailPurpose::FollowUp,
                length: EmailLength::Medium,
                tone: EmailTone::Professional,
                language: None,
            }),
            Self::Article => Draft::Article,
        }
    }

    /// Each once and in the order of the words, however they were named; the usual ones for none.
    pub fn drafts(wanted: &[Self]) -> Vec<Draft> {
        let mut wanted = if wanted.is_empty() { Self::USUAL.to_vec() } else { wanted.to_vec() };
        wanted.sort();
        wanted.dedup();
        wanted.into_iter().map(Self::draft).collect()
    }
}
