//! Several conversations about one thing.

use super::summary::is_promise;
use super::{Circumstances, Reading, Refusal};
use crate::domain::{CaseEntry, CaseSummary, ConversationId};
use crate::models::Material;

/// A conversation of a case.
pub struct CaseConversation<'a> {
    pub id: ConversationId,
    pub material: &'a Material,
    pub circumstances: &'a Circumstances,
}

/// What each conversation says, oldest first, and what was promised in all of them. Those in which
/// too little was said are left out.
///
/// # Errors
/// Too little was said in every one of them.
pub fn case_summary(conversations: &[CaseConversation]) -> Result<CaseSummary, Refusal> {
    let mut order: Vec<&CaseConversation> = conversations.iter().collect();
    order.sort_by_key(|one| one.circumstances.began.timestamp());
    let mut summary = CaseSummary::default();
    let mut refusal = Refusal::Empty;
    for one in order {
        let reading = match Reading::of(one.material, one.circumstances) {
            Ok(reading) => reading,
            Err(why) => {
                refusal = why;
                continue;
            }
        };
        let promises = reading.saying().filter(|(_, sentence)| is_promise(sentence));
        summary.promises.extend(promises.map(|(_, said)| (one.id.clone(), said.proven())));
        summary.entries.push(CaseEntry {
            conversation: one.id.clone(),
            date: one.circumstances.began.date(),
            sentences: reading.summary(&[]).paragraph,
        });
    }
    if summary.entries.is_empty() { Err(refusal) } else { Ok(summary) }
}
