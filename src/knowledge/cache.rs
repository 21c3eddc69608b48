//! Vectors that were computed once, on disk, for every data directory of this user.
//!
//! `<cache>/embeddings/<model fingerprint>/<hash>.pack`: immutable packs, written beside and
//! renamed, named after their content. A pack that doesn't hash to its name is deleted and its
//! texts are embedded again. Two processes may write at once: they write different packs.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

/// Begins every pack: format version 1.
const MAGIC: &[u8; 8] = b"bcvec\0\0\x01";
/// Magic, dimensions, number of vectors.
const HEAD_BYTES: usize = 16;
/// More packs than this are merged into one when they are opened: each change writes a small one.
const MANY_PACKS: usize = 64;
/// A pack with so many vectors is left as it is.
const LARGE_PACK: usize = 16_384;

pub type TextHash = [u8; 32];

pub fn text_hash(text: &str) -> TextHash {
    Sha256::digest(text.as_bytes()).into()
}

/// Where caches go: `$BACKCHANNEL_CACHE`, else `$XDG_CACHE_HOME/backchannel`, else
/// `~/.cache/backchannel`. The environment is passed in, so that tests never touch it.
pub fn cache_folder(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("BACKCHANNEL_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("backchannel")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/backchannel")))
}

/// The vectors of one model. They stay on the disk; what is in memory is where each of them stands.
pub struct VectorCache {
    folder: PathBuf,
    dimensions: usize,
    packs: Mutex<Packs>,
}

#[derive(Default)]
struct Packs {
    files: Vec<(PathBuf, File)>,
    /// The file, and the vector's number in it.
    places: HashMap<TextHash, (usize, usize)>,
}

impl VectorCache {
    /// Reads all that is there once. A damaged pack is deleted and counts as absent.
    ///
    /// # Errors
    /// When the folder can't be made or listed.
    pub fn open(cache: &Path, fingerprint: &str, dimensions: usize) -> io::Result<Self> {
        let folder = cache.join("embeddings").join(fingerprint);
        std::fs::create_dir_all(&folder)?;
        let cache = Self { folder, dimensions, packs: Mutex::default() };
        let mut small = Vec::new();
        for entry in std::fs::read_dir(&cache.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "pack") {
                continue;
            }
            match read_pack(&path, dimensions) {
                Ok((file, texts)) => {
                    if texts.len() < LARGE_PACK {
                        small.push(path.clone());
                    }
                    cache.packs().take_in(path, file, &texts);
                }
                Err(reason) => {
                    tracing::warn!(pack = %path.display(), %reason, "damaged embedding cache, rebuilding");
                    // Another process may have deleted it first.
                    let _ = std::fs::remove_file(&path);
                }
            }
        }
        if small.len() > MANY_PACKS {
            cache.merge(&small)?;
        }
        Ok(cache)
    }

    /// A vector that is there. One that can't be read any more isn't.
    pub fn get(&self, hash: &TextHash) -> Option<Vec<f32>> {
        let mut packs = self.packs();
        let &(file, number) = packs.places.get(hash)?;
        let record = 32 + self.dimensions * 4;
        let at = HEAD_BYTES + number * record;
        let mut bytes = vec![0; record];
        let (_, file) = &mut packs.files[file];
        let read = file.seek(SeekFrom::Start(at as u64)).and_then(|_| file.read_exact(&mut bytes));
        match read {
            Ok(()) if bytes[..32] == hash[..] => Some(floats(&bytes[32..])),
            _ => {
                packs.places.remove(hash);
                None
            }
        }
    }

    /// Writes new vectors as one pack.
    ///
    /// # Errors
    /// When the disk refuses: then they are made again the next time.
    pub fn add(&self, vectors: &[(TextHash, Vec<f32>)]) -> io::Result<()> {
        if vectors.is_empty() {
            return Ok(());
        }
        let mut vectors = vectors.iter().map(|(hash, vector)| Ok((*hash, vector.clone())));
        let count = vectors.len();
        self.write_pack(count, &mut vectors).map(drop)
    }

    /// Makes one pack of several.
    fn merge(&self, small: &[PathBuf]) -> io::Result<()> {
        let mut texts: Vec<TextHash> = {
            let packs = self.packs();
            let is_small =
                |(_, (file, _)): &(_, &(usize, usize))| small.contains(&packs.files[*file].0);
            packs.places.iter().filter(is_small).map(|(text, _)| *text).collect()
        };
        // In order, so that two processes that merge the same write the same file.
        texts.sort_unstable();
        let gone = || io::Error::other("a pack has changed while it was open");
        let mut vectors = texts.iter().map(|text| Ok((*text, self.get(text).ok_or_else(gone)?)));
        let merged = self.write_pack(texts.len(), &mut vectors)?;
        for pack in small.iter().filter(|pack| **pack != merged) {
            let _ = std::fs::remove_file(pack);
        }
        Ok(())
    }

    fn write_pack(
        &self,
        count: usize,
        vectors: &mut dyn Iterator<Item = io::Result<(TextHash, Vec<f32>)>>,
    ) -> io::Result<PathBuf> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let to = BufWriter::new(file.as_file_mut());
        let mut pack = Hashing { to, hash: Sha256::new() };
        pack.write_all(MAGIC)?;
        for number in [self.dimensions, count] {
            pack.write_all(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes())?;
        }
        let mut texts = Vec::with_capacity(count);
        for vector in vectors {
            let (hash, vector) = vector?;
            pack.write_all(&hash)?;
            for value in vector {
                pack.write_all(&value.to_le_bytes())?;
            }
            texts.push(hash);
        }
        pack.flush()?;
        let hash = pack.hash.clone().finalize();
        drop(pack);
        let path = self.folder.join(format!("{}.pack", hex(&hash)));
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        let file = File::open(&path)?;
        self.packs().take_in(path.clone(), file, &texts);
        Ok(path)
    }

    fn packs(&self) -> MutexGuard<'_, Packs> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Packs {
    fn take_in(&mut self, path: PathBuf, file: File, texts: &[TextHash]) {
        let number = self.files.len();
        self.files.push((path, file));
        let places = texts.iter().enumerate().map(|(at, text)| (*text, (number, at)));
        self.places.extend(places);
    }
}

/// Writes, and hashes what it writes.
struct Hashing<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a pack from one end to the other, and says what texts it has the vectors of.
fn read_pack(path: &Path, dimensions: usize) -> Result<(File, Vec<TextHash>), String> {
    let unreadable = |error: io::Error| error.to_string();
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let mut hash = Sha256::new();
    let mut head = [0; HEAD_BYTES];
    file.read_exact(&mut head).map_err(unreadable)?;
    hash.update(head);
    let word = |at: usize| {
        head[at..at + 4].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    if !head.starts_with(MAGIC) || word(8) != dimensions {
        return Err("it has another format".into());
    }
    let mut texts = Vec::new();
    let mut record = vec![0; 32 + dimensions * 4];
    for _ in 0..word(12) {
        file.read_exact(&mut record).map_err(unreadable)?;
        hash.update(&record);
        texts.push(record[..32].try_into().expect("32 bytes; this is a bug"));
    }
    if file.read(&mut record).map_err(unreadable)? > 0 {
        return Err("its length is wrong".into());
    }
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("");
    if hex(&hash.finalize()) != name {
        return Err("its content doesn't hash to its name".into());
    }
    Ok((file.into_inner(), texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_survive_and_a_damaged_pack_is_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let open = || VectorCache::open(folder.path(), "model", 2).unwrap();
        let (a, b) = (text_hash("a"), text_hash("b"));
        let cache = open();
        cache.add(&[(a, vec![1.0, 0.0])]).unwrap();
        cache.add(&[(b, vec![0.0, 1.0])]).unwrap();
        assert_eq!(cache.get(&b), Some(vec![0.0, 1.0]));
        assert_eq!(open().get(&a), Some(vec![1.0, 0.0]));
        let packs = || std::fs::read_dir(folder.path().join("embeddings/model")).unwrap();
        let first = packs().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&first).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&first, bytes).unwrap();
        let reopened = open();
        assert_eq!([a, b].iter().filter(|hash| reopened.get(hash).is_some()).count(), 1);
        assert_eq!(packs().count(), 1);
        assert!(VectorCache::open(folder.path(), "other", 2).unwrap().get(&a).is_none());
    }

    #[test]
    fn many_packs_become_one() {
        let folder = tempfile::tempdir().unwrap();
        let open = || VectorCache::open(folder.path(), "m", 1).unwrap();
        let cache = open();
        for n in 0..=MANY_PACKS {
            cache.add(&[(text_hash(&n.to_string()), vec![n as f32])]).unwrap();
        }
        for merged in [open(), open()] {
            assert_eq!(std::fs::read_dir(&merged.folder).unwrap().count(), 1);
            assert_eq!(merged.get(&text_hash("7")), Some(vec![7.0]));
        }
        // Whoever has the old ones open still reads them.
        assert_eq!(cache.get(&text_hash("7")), Some(vec![7.0]));
    }

    #[test]
    fn the_cache_folder_follows_the_environment() {
        let check = |set: &[(&str, &str)], expected: Option<&str>| {
            let variable = |name: &str| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(cache_folder(&variable), expected.map(PathBuf::from));
        };
        check(&[("HOME", "/h"), ("BACKCHANNEL_CACHE", "/c")], Some("/c"));
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], Some("/x/backchannel"));
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "")], Some("/h/.cache/backchannel"));
        check(&[], None);
    }
}
