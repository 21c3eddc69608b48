//! The wrap-up stage as the HTTP doors need it, and what the demo's agents choose from.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;

use crate::batch::stored;
use crate::config;
use crate::domain::{CaseSummary, ConversationId, ErrorKind, TenantId, WrapUp};
use crate::flow::author::{Author, Commission};
use crate::flow::wrapup::{CaseConversation, Circumstances, WrapUpSettings, case_summary};
use crate::models::Material;
use crate::serve::{Failure, WrapUpOrder, WrapUps};
use crate::store::Store;

pub(super) struct WrapUpDoor {
    pub store: Arc<dyn Store>,
    pub settings: Arc<WrapUpSettings>,
    pub author: Author,
    pub time_zone: TimeZone,
}

impl WrapUpDoor {
    /// A conversation's turns as they are read, and what stands around it.
    async fn read(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<(Material, Circumstances), Failure> {
        let read = stored::material(self.store.as_ref(), tenant, id, &self.time_zone).await;
        read.map_err(|error| Failure::of(&error))?.ok_or_else(|| Failure {
            kind: ErrorKind::NotFound,
            message: format!("there is no conversation {id}"),
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |error: tokio::task::JoinError| Failure {
        kind: ErrorKind::Internal,
        message: error.to_string(),
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

#[async_trait]
impl WrapUps for WrapUpDoor {
    async fn write(&self, order: WrapUpOrder) -> Result<Vec<WrapUp>, Failure> {
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
        let drafted = self.author.write(&commission).await;
        drafted.map(|drafted| drafted.drafts).map_err(|refusal| Failure::of(&refusal))
    }

    async fn case(
        &self,
        tenant: &TenantId,
        conversations: Vec<ConversationId>,
    ) -> Result<CaseSummary, Failure> {
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
