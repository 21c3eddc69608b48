//! Mails that come in are conversations: the mailbox is looked into again and again, from where the last look ended.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::connect::channels::Inbox;
use crate::connect::channels::mailbox::{Thread, poll};
use crate::connect::mail::{self, Cursor};
use crate::domain::TenantId;
use crate::flow::driver::texts::Texts;
use crate::store::private;

const FILE: &str = "mails.cursor";
const EVERY: Duration = Duration::from_secs(20);
/// The destination of replies to mails: the mailbox's own carries drafts.
pub(in crate::app) const REPLIES: &str = "mail_replies";

pub(in crate::app) struct MailFolder {
    pub folder: mail::Inbox,
    /// The mailbox's own address.
    pub ours: String,
    pub tenant: TenantId,
    /// Where the position is kept.
    pub data: PathBuf,
}

/// Looks until it is told to stop. What was there before the first look is nobody's conversation.
pub(in crate::app) fn follow(
    mails: MailFolder,
    texts: Texts,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let MailFolder { folder, ours, tenant, data } = mails;
        let file = data.join(FILE);
        let whose = Thread { connector: REPLIES.to_owned(), ours, tenant };
        let inbox = Inbox::new(texts);
        let mut cursor = read(&file).await;
        loop {
            let look = poll(&folder, &inbox, &whose, cursor);
            tokio::select! {
                () = stop.cancelled() => return,
                looked = look => match looked {
                    Ok(next) => {
                        // What was taken comes again after a failure here, and is known by its name.
                        if let Err(error) = write(&file, &next).await {
                            tracing::error!(%error, "up to where mails were read is not kept");
                        }
                        cursor = Some(next);
                    }
                    Err(error) => tracing::warn!(%error, "mails are read later"),
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    })
}

async fn read(file: &std::path::Path) -> Option<Cursor> {
    tokio::fs::read_to_string(file).await.ok()?.trim().parse().ok()
}

/// Whole or not at all.
async fn write(file: &std::path::Path, cursor: &Cursor) -> std::io::Result<()> {
    let (file, text) = (file.to_owned(), cursor.to_string());
    tokio::task::spawn_blocking(move || private::write(&file, text.as_bytes())).await?
}
