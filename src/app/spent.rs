//! What tenants have used of their days, kept over a restart in a file beside the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::TenantId;
use crate::models::writing::{Ledger, Spent};
use crate::store::private;

const FILE: &str = "spent-today";
/// A kill loses what was used in so much time.
const EVERY: Duration = Duration::from_secs(1);

/// Writes the file down while the service runs.
pub(super) struct SpentFile {
    stop: DropGuard,
    keeping: JoinHandle<()>,
}

impl SpentFile {
    /// Reads what was used before, and keeps it from now on. Blocks.
    pub fn open(folder: &Path, ledger: &Arc<Ledger>) -> Self {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => ledger.restore(days(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => warn(&path, &error),
        }
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep(path, Arc::clone(ledger), stop.clone()));
        Self { stop: stop.drop_guard(), keeping }
    }

    /// Writes it for the last time.
    pub async fn close(self) {
        drop(self.stop);
        let _ = self.keeping.await;
    }
}

async fn keep(path: PathBuf, ledger: Arc<Ledger>, stop: CancellationToken) {
    let mut written = lines(&ledger);
    loop {
        let is_last = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none();
        let text = lines(&ledger);
        if text != written {
            let (path, new) = (path.clone(), text.clone());
            let done = tokio::task::spawn_blocking(move || {
                let written = private::write(&path, new.as_bytes());
                written.map_err(|error| warn(&path, &error)).is_ok()
            });
            if done.await.unwrap_or(false) {
                written = text;
            }
        }
        if is_last {
            return;
        }
    }
}

/// `2026-03-02 TOKENS MICROS TENANT`, a line each.
fn lines(ledger: &Ledger) -> String {
    let line = |(tenant, date, spent): &(TenantId, Date, Spent)| {
        format!("{date} {} {} {tenant}\n", spent.tokens, spent.micros)
    };
    ledger.days().iter().map(line).collect()
}

/// Lines that are none are left out: half a file is no reason not to start.
fn days(text: &str) -> Vec<(TenantId, Date, Spent)> {
    let day = |line: &str| {
        let mut parts = line.splitn(4, ' ');
        let date = parts.next()?.parse().ok()?;
        let spent =
            Spent { tokens: parts.next()?.parse().ok()?, micros: parts.next()?.parse().ok()? };
        Some((TenantId::from(parts.next()?), date, spent))
    };
    text.lines().filter_map(day).collect()
}

fn warn(path: &Path, error: &std::io::Error) {
    tracing::warn!(path = %path.display(), %error, "what tenants used today may count from now on only");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::writing::Limits;

    #[test]
    fn what_was_used_is_read_as_it_was_written() {
        let ledger = || Ledger::new(Limits::default(), Default::default());
        let text = "2026-03-01 7 0 acme\n2026-03-02 12 3400 a tenant\n2026-03-02 5 1 acme\n";
        let first = ledger();
        first.restore(days(text));
        assert_eq!(lines(&first), text);
        let broken = ledger();
        broken.restore(days(&format!("\n2026-03-99 1 1 acme\n2026-03-02 x 1 acme\n{text}2026-0")));
        assert_eq!(broken.days(), first.days());
    }
}
