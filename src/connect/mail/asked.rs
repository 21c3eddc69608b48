//! Commands whose refusal is heard. The library's own searches, fetches and stores take a tagged NO, and the end of the
//! connection, for an empty answer; here that would mean "it isn't there, make it".

use std::collections::BTreeSet;

use async_imap::error::{Error, Result};
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, Status};
use jiff::Timestamp;

use super::imap::Connected;

/// A mailbox of a million messages answers with fewer lines to anything that is asked here.
const LINES_MAX: usize = 100_000;

/// What was asked about one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub uid: u32,
    pub bytes: Option<usize>,
    pub arrived: Option<Timestamp>,
    pub body: Option<Vec<u8>>,
}

/// Sends a command of our own words and hands over what comes before its end.
pub(super) async fn ask(
    session: &mut Connected,
    command: &str,
    mut take: impl FnMut(&Response<'_>) + Send,
) -> Result<()> {
    let own = session.run_command(command).await?;
    for _ in 0..LINES_MAX {
        let answer = session.read_response().await?.ok_or(Error::ConnectionLost)?;
        let Response::Done { tag, status, outcome } = answer.parsed() else {
            take(answer.parsed());
            continue;
        };
        if *tag != own {
            continue;
        }
        let code = code(outcome.information.as_deref().unwrap_or_default());
        return match status {
            Status::Ok => Ok(()),
            Status::No => Err(Error::No(code)),
            _ => Err(Error::Bad(code)),
        };
    }
    Err(Error::ConnectionLost)
}

/// `OVERQUOTA` of `[OVERQUOTA] no room`, which the library hasn't heard of: the words may quote a message.
fn code(information: &str) -> String {
    let word = information.trim().strip_prefix('[').and_then(|rest| rest.split([']', ' ']).next());
    word.filter(|word| word.len() <= 40).unwrap_or_default().to_owned()
}

/// Numbers (UIDs) of what is found.
pub(super) async fn search(session: &mut Connected, question: &str) -> Result<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    let take = |answer: &Response<'_>| {
        if let Response::MailboxData(MailboxDatum::Search(uids)) = answer {
            found.extend(uids);
        }
    };
    ask(session, &format!("UID SEARCH {question}"), take).await?;
    Ok(found)
}

/// Messages by their numbers, as far as they are there.
pub(super) async fn fetch(session: &mut Connected, uids: &str, what: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let take = |answer: &Response<'_>| {
        if let Response::Fetch(_, attributes) = answer {
            rows.extend(row(attributes));
        }
    };
    ask(session, &format!("UID FETCH {uids} {what}"), take).await?;
    Ok(rows)
}

fn row(attributes: &[AttributeValue<'_>]) -> Option<Row> {
    let mut row = Row::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => row.uid = *uid,
            AttributeValue::Rfc822Size(bytes) => row.bytes = usize::try_from(*bytes).ok(),
            AttributeValue::InternalDate(text) => row.arrived = moment(text),
            AttributeValue::BodySection { data: Some(data), .. } => row.body = Some(data.to_vec()),
            _ => {}
        }
    }
    // Other programs' changes come between, without a number.
    (row.uid != 0).then_some(row)
}

/// `27-Nov-2026 10:00:00 +0100`
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()
}
