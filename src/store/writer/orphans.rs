//! What a crash left open.

use jiff::Timestamp;

use super::{Job, Order, Writer};
use crate::domain::{
    Channel, ConversationEnded, ConversationId, EndReason, EventBody, NewEvent, QuestionAnswer,
    QuestionId, Redacted, Reply, TenantId,
};
use crate::store::reader::Reader;
use crate::store::{KindFilter, MAX_READ, ReadQuery, StoreError, codec};

impl Writer {
    /// Ends the calls that a crash left live: their media connections are gone. Who writes can go on.
    pub async fn end_orphans(&mut self, reader: &Reader) -> Result<usize, StoreError> {
        let orphans = reader.live_heads().await?;
        let mut count = 0;
        for (tenant, head) in orphans {
            let lasted = head.last_event_at.duration_since(head.row.started_at);
            let body = EventBody::ConversationEnded(ConversationEnded {
                reason: EndReason::Crash,
                duration_ms: u64::try_from(lasted.as_millis()).unwrap_or(0),
            });
            let conversation = head.row.id.clone();
            let mut events = abandoned(reader, &tenant, &conversation).await?;
            if head.row.channel == Channel::Voice.as_str() {
                events.push(NewEvent::at(Timestamp::now(), body));
                count += 1;
            }
            if events.is_empty() {
                continue;
            }
            let order = Order::of(tenant, conversation, events);
            let (job, answered) = Job::new(order);
            self.commit(vec![job]).await;
            answered.get().await?;
        }
        if count > 0 {
            tracing::warn!(conversations = count, "ended conversations that a crash left live");
        }
        Ok(count)
    }
}

/// Nobody answers what was asked before the service died; whoever follows the call waits no longer.
async fn abandoned(
    reader: &Reader,
    tenant: &TenantId,
    conversation: &ConversationId,
) -> Result<Vec<NewEvent>, StoreError> {
    let mut query = ReadQuery::all(tenant.clone(), 0).of(conversation.clone());
    query.kinds = KindFilter::parse("question.*").expect("the kinds are a constant; this is a bug");
    let mut events = Vec::new();
    loop {
        let page = reader.read(&query).await?;
        query.after = page.last().map_or(query.after, |event| event.position);
        let is_last = page.len() < MAX_READ;
        events.extend(page);
        if is_last {
            break;
        }
    }
    let abandon = |(question_id, question): (QuestionId, Redacted)| NewEvent {
        id: codec::answer_event_id(&question_id),
        time: Timestamp::now(),
        body: EventBody::QuestionAnswered(QuestionAnswer {
            question_id,
            question,
            reply: Reply::Abandoned,
            struck: Vec::new(),
            nearest: Vec::new(),
            latency_ms: 0,
        }),
    };
    Ok(codec::unanswered(&events)?.into_iter().map(abandon).collect())
}
