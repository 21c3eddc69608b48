//! What is written at the end of a conversation, and each draft by itself.

use super::{
    DispositionRule, EmailOrder, Reading, Refusal, SectionRule, authorship, default_sections,
};
use crate::domain::{EmailLength, EmailPurpose, EmailTone, Occasion, WrapUp, WrapUpBody, WrapUpId};

/// A tenant's choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapUpSettings {
    pub sections: Vec<SectionRule>,
    /// Empty: none is proposed.
    pub dispositions: Vec<DispositionRule>,
}

impl Default for WrapUpSettings {
    fn default() -> Self {
        Self { sections: default_sections(), dispositions: Vec::new() }
    }
}

/// One text that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Draft {
    Summary,
    HandOver,
    Email(EmailOrder),
    Article,
    FollowUps,
    Disposition,
}

impl Draft {
    /// What everybody gets at the end without asking; another e-mail is a click away.
    pub fn at_end() -> [Self; 5] {
        let order = EmailOrder {
            purpose: EmailPurpose::FollowUp,
            length: EmailLength::Medium,
            tone: EmailTone::Professional,
            language: None,
        };
        [Self::Summary, Self::FollowUps, Self::Disposition, Self::Email(order), Self::Article]
    }

    /// What the identifier of the draft at the end begins with: the same turns give the same ones.
    pub const fn stem_at_end(&self) -> &'static str {
        match self {
            Self::Summary | Self::HandOver => "w-end-summary",
            Self::Email(_) => "w-end-email",
            Self::Article => "w-end-article",
            Self::FollowUps => "w-end-followup",
            Self::Disposition => "w-end-disposition",
        }
    }
}

impl Reading<'_> {
    /// One draft; several for follow-ups, whose identifiers are `stem` and a number.
    ///
    /// # Errors
    /// The conversation holds nothing for it.
    pub fn draft(
        &self,
        draft: &Draft,
        occasion: Occasion,
        stem: &WrapUpId,
        settings: &WrapUpSettings,
    ) -> Result<Vec<WrapUp>, Refusal> {
        let bodies = match draft {
            Draft::Summary => vec![WrapUpBody::Summary(self.summary(&settings.sections))],
            Draft::HandOver => vec![WrapUpBody::Summary(self.hand_over(&settings.sections))],
            Draft::Email(order) => vec![WrapUpBody::Email(self.email(order)?)],
            Draft::Article => vec![WrapUpBody::Article(self.article()?)],
            Draft::FollowUps => self.follow_ups().into_iter().map(WrapUpBody::FollowUp).collect(),
            Draft::Disposition => {
                vec![WrapUpBody::Disposition(self.disposition(&settings.dispositions)?)]
            }
        };
        let language = match draft {
            Draft::Email(order) => order.language.unwrap_or(self.language),
            _ => self.language,
        };
        let wrap_up = |(number, body): (usize, WrapUpBody)| WrapUp {
            id: WrapUpId::from(format!("{stem}-{}", number + 1)),
            occasion,
            authorship: authorship(),
            language: language.code().to_owned(),
            body,
            struck: Vec::new(),
        };
        Ok(bodies.into_iter().enumerate().map(wrap_up).collect())
    }

    /// One draft as it is written when the conversation is over; none where there is nothing for it.
    pub fn draft_at_end(&self, draft: &Draft, settings: &WrapUpSettings) -> Vec<WrapUp> {
        let stem = WrapUpId::from(draft.stem_at_end());
        self.draft(draft, Occasion::End, &stem, settings).unwrap_or_default()
    }

    /// Everything that is written when the conversation is over. The same turns give the same
    /// drafts with the same identifiers.
    pub fn all_drafts(&self, settings: &WrapUpSettings) -> Vec<WrapUp> {
        Draft::at_end().iter().flat_map(|draft| self.draft_at_end(draft, settings)).collect()
    }
}
