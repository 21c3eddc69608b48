//! The wrap-up stage as the HTTP doors need it, and what the demo's agents choose from.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::blocking::blocking;
use crate::batch::stored;
use crate::config;
use crate::domain::{
    CaseSummary, ConversationId, ErrorKind, EventBody, NewEvent, TenantId, WrapUp,
};
use crate::flow::author::{Author, Commission, OnGrowth};
use crate::flow::wrapup::{CaseConversation, Circumstances, WrapUpSettings, case_summary};
use crate::knowledge::Library;
use crate::models::Material;
use crate::serve::{Failure, WrapUpOrder, WrapUps};
use crate::store::Store;

/// Drafts on demand at once: each holds a conversation in memory, and may wait for a provider.
const DRAFTS_AT_ONCE: usize = 16;

pub(super) struct WrapUpDoor {
    store: Arc<dyn Store>,
    settings: Arc<WrapUpSettings>,
    author: Author,
    time_zone: TimeZone,
    library: Library,
    places: Semaphore,
}

impl WrapUpDoor {
    pub fn new(
        store: Arc<dyn Store>,
        settings: Arc<WrapUpSettings>,
        author: Author,
        time_zone: TimeZone,
        library: Library,
    ) -> Self {
        Self { store, settings, author, time_zone, library, places: Semaphore::new(DRAFTS_AT_ONCE) }
    }

    /// # Errors
    /// So many are being written that the next one has to come later.
    fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.places.try_acquire().map_err(|_| Failure {
            kind: ErrorKind::Busy,
            message: format!("{DRAFTS_AT_ONCE} drafts are being written; try again in a moment"),
        })
    }

    /// A conversation's turns as they are read, and what stands around it.
    async fn read(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<(Material, Circumstances), Failure> {
        let read = stored::material(self.store.as_ref(), tenant, id, &self.time_zone).await;
        let read = read.map_err(|error| Failure::of(&error))?.ok_or_else(|| Failure {
            kind: ErrorKind::NotFound,
            message: format!("there is no conversation {id}"),
        });
        let (mut material, mut circumstances) = read?;
        // Cards of that time may have quoted what was taken back since.
        material.passages.retain(|passage| self.library.stands(passage));
        circumstances.word_for_word.retain(|passage| self.library.stands(passage));
        Ok((material, circumstances))
    }
}

#[async_trait]
impl WrapUps for WrapUpDoor {
    async fn write(&self, order: WrapUpOrder, on_growth: OnGrowth) -> Result<Vec<WrapUp>, Failure> {
        let _place = self.place()?;
        let (material, circumstances) = self.read(&order.tenant, &order.conversation).await?;
        let commission = Commission {
            tenant: order.tenant,
            job: None,
            meter: None,
            material: Arc::new(material),
            circumstances: Arc::new(circumstances),
            draft: order.draft,
            occasion: order.occasion,
            stem: order.stem,
            settings: Arc::clone(&self.settings),
            seed: None,
        };
        let drafted = self.author.write_aloud(&commission, &on_growth).await;
        let drafted = drafted.map_err(|refusal| Failure::of(&refusal))?;
        if let Some(text) = drafted.struck {
            let body = EventBody::WritingStruck(Box::new(text));
            let event = NewEvent::at(Timestamp::now(), body);
            let tenant = &commission.tenant;
            let stored = self.store.append(tenant, &order.conversation, vec![event]).await;
            stored.map_err(|error| Failure::of(&error))?;
        }
        match drafted.refusal {
            Some(refusal) => Err(Failure::of(&refusal)),
            None => Ok(drafted.drafts),
        }
    }

    async fn case(
        &self,
        tenant: &TenantId,
        conversations: Vec<ConversationId>,
    ) -> Result<CaseSummary, Failure> {
        let _place = self.place()?;
        let mut read = Vec::new();
        for id in conversations {
            let (material, circumstances) = self.read(tenant, &id).await?;
            read.push((id, material, circumstances));
        }
        blocking(move || {
            let conversations: Vec<CaseConversation> = read
                .iter()
                .map(|(id, material, circumstances)| CaseConversation {
                    id: id.clone(),
                    material,
                    circumstances,
                })
                .collect();
            case_summary(&conversations).map_err(|refusal| Failure::of(&refusal))
        })
        .await
    }
}

/// What the demo's agents choose from, unless the settings have a list.
pub(super) fn demo_dispositions() -> Vec<config::Disposition> {
    const LIST: &[(&str, &str, &str)] = &[
        (
            "billing",
            "Bill or payment",
            "bill|charged|charged twice|direct debit|payment|refund|overcharged",
        ),
        (
            "fault",
            "Fault or outage",
            "down|not working|outage|no internet|slow|error|engineer|router|connection",
        ),
        ("moving", "Moving home", "moving|move house|moving house|new address|new house|new flat"),
        (
            "leaving",
            "Leaving or cancelling",
            "cancel|leave|leaving|switch to|cheaper|end my contract|cancellation",
        ),
        (
            "mobile",
            "Mobile and SIM",
            "sim|mobile|roaming|abroad|signal|number ported|keep my number",
        ),
        ("complaint", "Complaint", "complaint|complain|ombudsman|manager|unacceptable"),
    ];
    let entry = |(code, label, phrases): &(&str, &str, &str)| config::Disposition {
        code: (*code).to_owned(),
        label: (*label).to_owned(),
        phrases: phrases.split('|').map(str::to_owned).collect(),
    };
    LIST.iter().map(entry).collect()
}
