//! Conversations of an archive one after the other, for work that writes no file of them.

use std::path::{Path, PathBuf};

use super::error::BatchError;
use super::input::parquet::Cursors;
use super::input::{Means, Place, Understood, find, read, scan, understand};
use super::join::Paths;

/// A name that no output has: no file is passed over because it is this work's own.
const NO_OUTPUT: &str = ".backchannel-history";

/// Reads what was named, and the folders below, in order. `on_item` hears how many there are, where each
/// stands, and what was read there; false ends it.
///
/// # Errors
/// Something that was named isn't there, or can't be read.
pub fn each_conversation(
    named: &[PathBuf],
    means: &Means,
    on_item: &mut dyn FnMut(u64, &Place, Understood) -> bool,
) -> Result<(), BatchError> {
    let found = find::find(named, &Paths::of(Path::new(NO_OUTPUT)))?.found;
    let (sources, spans) = scan::cut(found)?;
    let total = spans.iter().map(|span| u64::from(span.items)).sum();
    let cursors = Cursors::default();
    for span in &spans {
        for raw in read(&sources, span, &cursors)? {
            let place = raw.place.clone();
            if !on_item(total, &place, understand(raw, means)) {
                return Ok(());
            }
        }
    }
    Ok(())
}
