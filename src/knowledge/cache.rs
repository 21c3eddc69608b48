//! Vectors that were computed once, on disk, for every data directory of this user.
//!
//! `<cache>/embeddings/<model fingerprint>/<hash>.pack`: immutable packs, written beside and
//! renamed, named after their content. A pack that doesn't hash to its name is deleted and its
//! texts are embedded again. Two processes may write at once: they write different packs.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Begins every pack: format version 1.
const MAGIC: &[u8; 8] = b"bcvec\0\0\x01";
/// More packs than this are merged into one when they are opened.
const MANY_PACKS: usize = 64;

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

/// The vectors of one model.
pub struct VectorCache {
    folder: PathBuf,
    dimensions: usize,
    known: HashMap<TextHash, Vec<f32>>,
}

impl VectorCache {
    /// Reads what is there. A damaged pack is deleted and counts as absent.
    ///
    /// # Errors
    /// When the folder can't be made or listed.
    pub fn open(cache: &Path, fingerprint: &str, dimensions: usize) -> io::Result<Self> {
        let folder = cache.join("embeddings").join(fingerprint);
        std::fs::create_dir_all(&folder)?;
        let mut known = HashMap::new();
        let mut packs = Vec::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "pack") {
                continue;
            }
            match read_pack(&path, dimensions) {
                Ok(vectors) => {
                    known.extend(vectors);
                    packs.push(path);
                }
                Err(reason) => {
                    tracing::warn!(pack = %path.display(), %reason, "damaged embedding cache, rebuilding");
                    // Another process may have deleted it first.
                    let _ = std::fs::remove_file(&path);
                }
            }
        }
        let cache = Self { folder, dimensions, known };
        if packs.len() > MANY_PACKS {
            cache.merge(&packs)?;
        }
        Ok(cache)
    }

    pub fn get(&self, hash: &TextHash) -> Option<&[f32]> {
        self.known.get(hash).map(Vec::as_slice)
    }

    /// Writes new vectors as one pack and remembers them.
    ///
    /// # Errors
    /// When the disk refuses; the vectors are remembered in memory all the same.
    pub fn add(&mut self, vectors: Vec<(TextHash, Vec<f32>)>) -> io::Result<()> {
        let written = if vectors.is_empty() { Ok(()) } else { self.write_pack(&vectors).map(drop) };
        self.known.extend(vectors);
        written
    }

    fn merge(&self, packs: &[PathBuf]) -> io::Result<()> {
        let mut all: Vec<_> = self.known.iter().map(|(hash, v)| (*hash, v.clone())).collect();
        all.sort_unstable_by_key(|(hash, _)| *hash);
        let merged = self.write_pack(&all)?;
        for pack in packs.iter().filter(|pack| **pack != merged) {
            let _ = std::fs::remove_file(pack);
        }
        Ok(())
    }

    fn write_pack(&self, vectors: &[(TextHash, Vec<f32>)]) -> io::Result<PathBuf> {
        let record = 32 + self.dimensions * 4;
        let mut bytes = Vec::with_capacity(16 + vectors.len() * record);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&u32::try_from(self.dimensions).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(vectors.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (hash, vector) in vectors {
            bytes.extend_from_slice(hash);
            for value in vector {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
        }
        let path = self.folder.join(format!("{}.pack", hex(&Sha256::digest(&bytes))));
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(path)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_pack(path: &Path, dimensions: usize) -> Result<Vec<(TextHash, Vec<f32>)>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("");
    if hex(&Sha256::digest(&bytes)) != name {
        return Err("its content doesn't hash to its name".into());
    }
    let word = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map(u32::from_le_bytes).and_then(|value| usize::try_from(value).ok())
    };
    if !bytes.starts_with(MAGIC) || word(8) != Some(dimensions) {
        return Err("it has another format".into());
    }
    let record = 32 + dimensions * 4;
    let records = bytes.get(16..).unwrap_or(&[]);
    if word(12).and_then(|count| count.checked_mul(record)) != Some(records.len()) {
        return Err("its length is wrong".into());
    }
    let vectors = records.chunks_exact(record).map(|record| {
        let (hash, values) = record.split_at(32);
        let hash = hash.try_into().expect("32 bytes; this is a bug");
        let values = values.chunks_exact(4);
        let vector =
            values.map(|four| f32::from_le_bytes(four.try_into().expect("4 bytes; this is a bug")));
        (hash, vector.collect())
    });
    Ok(vectors.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_survive_and_a_damaged_pack_is_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let open = || VectorCache::open(folder.path(), "model", 2).unwrap();
        let (a, b) = (text_hash("a"), text_hash("b"));
        let mut cache = open();
        cache.add(vec![(a, vec![1.0, 0.0])]).unwrap();
        cache.add(vec![(b, vec![0.0, 1.0])]).unwrap();
        assert_eq!(open().get(&a), Some(&[1.0, 0.0][..]));
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
        let mut cache = VectorCache::open(folder.path(), "m", 1).unwrap();
        for n in 0..=MANY_PACKS {
            cache.add(vec![(text_hash(&n.to_string()), vec![1.0])]).unwrap();
        }
        let merged = VectorCache::open(folder.path(), "m", 1).unwrap();
        assert_eq!(std::fs::read_dir(&merged.folder).unwrap().count(), 1);
        assert!(merged.get(&text_hash("7")).is_some());
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
