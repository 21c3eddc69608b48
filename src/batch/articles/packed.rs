//! Archives of articles.

use std::io::Read as _;
use std::path::Path;

use super::{Found, Kind, Origin, read_bytes, too_long};

/// An archive with more entries isn't a knowledge base.
const ENTRIES_MAX: usize = 20_000;
/// All entries together, unpacked.
const UNPACKED_MAX_BYTES: u64 = 512 << 20;
/// Where the end of an archive's list is looked for: its record and the longest comment.
const TAIL_BYTES: u64 = 22 + 65_535;

/// Reads each file in an archive as if it lay in a folder of the archive's name.
pub(super) fn read(path: &Path, origin: &Origin<'_>, on_found: &mut dyn FnMut(Found)) {
    let wrong = |why: String| Found::wrong(&origin.place, why);
    match entries(path) {
        Ok(count) if count > ENTRIES_MAX as u64 => {
            return on_found(wrong(format!("holds {count} files, {ENTRIES_MAX} are the most")));
        }
        Ok(_) => {}
        Err(error) => return on_found(wrong(error.to_string())),
    }
    let file = match std::fs::File::open(path) {
        Ok(file) => std::io::BufReader::new(file),
        Err(error) => return on_found(wrong(error.to_string())),
    };
    let mut archive = match zip::ZipArchive::new(file) {
        Ok(archive) => archive,
        Err(error) => return on_found(wrong(format!("is no readable archive: {error}"))),
    };
    if archive.len() > ENTRIES_MAX {
        let count = archive.len();
        return on_found(wrong(format!("holds {count} files, {ENTRIES_MAX} are the most")));
    }
    let mut unpacked = 0;
    for at in 0..archive.len() {
        let mut entry = match archive.by_index(at) {
            Ok(entry) if entry.is_file() => entry,
            Ok(_) => continue,
            Err(error) => {
                on_found(wrong(format!("entry {}: {error}", at + 1)));
                continue;
            }
        };
        // Names that lead out of the archive are none.
        let Some(name) = entry.enclosed_name().map(|name| super::joined(&name)) else { continue };
        let place = format!("{}!{name}", origin.place);
        let is_hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        let Some(kind) = Kind::of(&name).filter(|_| !is_hidden) else { continue };
        let most = kind.max_bytes();
        let mut bytes = Vec::new();
        // What the archive says of the length may be wrong.
        let read = entry.by_ref().take(most + 1).read_to_end(&mut bytes);
        unpacked += bytes.len() as u64;
        if unpacked > UNPACKED_MAX_BYTES {
            let most = UNPACKED_MAX_BYTES >> 20;
            return on_found(wrong(format!("unpacks to more than {most} MiB; the rest was left")));
        }
        let name = format!("{}{name}", origin.prefix);
        let inside = Origin { place: place.clone(), name, prefix: origin.prefix };
        match read {
            Err(error) => on_found(Found::wrong(place, error.to_string())),
            Ok(length) if length as u64 > most => {
                on_found(Found::wrong(place, too_long(entry.size().max(length as u64), most)));
            }
            Ok(_) => read_bytes(kind, &bytes, &inside, on_found),
        }
    }
}

/// How many entries the archive says it has. Opening it would read the list of all of them into
/// memory first.
fn entries(path: &Path) -> std::io::Result<u64> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let find = |mark: &[u8]| tail.windows(mark.len()).rposition(|window| window == mark);
    let bytes = |at: usize, count: usize| {
        let found = tail.get(at..at + count).unwrap_or_default();
        found.iter().rev().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    let Some(end) = find(b"PK\x05\x06") else { return Ok(0) };
    let count = bytes(end + 10, 2);
    // The number doesn't fit: a longer record before it has it.
    match find(b"PK\x06\x06").filter(|_| count == 0xffff) {
        Some(longer) => Ok(bytes(longer + 32, 8)),
        None => Ok(count),
    }
}
