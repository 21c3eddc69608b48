//! The knowledge base as the rest of the house holds it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use include_dir::{Dir, DirEntry};

use super::article::{self, Written};
use super::cache::{TextHash, VectorCache, text_hash};
use super::error::{ArticleError, KnowledgeError};
use super::near::{self, NearSentence};
use super::search::{self, SearchRequest, SearchResponse};
use super::snapshot::Snapshot;
use super::vectors::Vectors;
use crate::domain::{Article, ArticleId};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Background texts go to the model in jobs of about this many characters: a live query waits for
/// one job at most, some 50 ms.
const JOB_CHARS: usize = 500;
/// Vectors are written to the cache after this many, so that a killed start keeps most of its work.
const FLUSH_AFTER: usize = 256;
/// Nothing in the background waits longer for one job; then the model hangs.
const JOB_PATIENCE: Duration = Duration::from_secs(60);

/// Where the articles lie.
#[derive(Clone, Debug)]
pub enum Source {
    Folder(PathBuf),
    /// A folder that was compiled in.
    Embedded(&'static Dir<'static>),
}

#[derive(Clone, Debug)]
pub struct LibrarySettings {
    pub source: Source,
    /// The user's cache folder (see [`super::cache_folder`]); without one, vectors live in memory.
    pub cache: Option<PathBuf>,
    /// A live query's vector that takes longer is given up, and keywords answer alone.
    pub query_patience: Duration,
}

impl LibrarySettings {
    pub fn new(source: Source) -> Self {
        Self { source, cache: None, query_patience: Duration::from_millis(250) }
    }
}

/// The knowledge base. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Shelves>);

struct Shelves {
    current: RwLock<Arc<Snapshot>>,
    embedder: RwLock<Option<EmbedderHandle>>,
    complaints: Vec<ArticleError>,
    cache: Option<PathBuf>,
    query_patience: Duration,
}

impl Library {
    /// Reads and indexes all articles; keyword search works when it returns. An article that can't
    /// be read is left out and named in [`Self::complaints`].
    ///
    /// # Errors
    /// When the folder can't be listed.
    pub fn open(settings: &LibrarySettings) -> Result<Self, KnowledgeError> {
        let mut articles: Vec<Written> = Vec::new();
        let mut complaints = Vec::new();
        for (file, text) in settings.source.files()? {
            match text.map_err(|reason| unreadable(&file, reason)) {
                Ok(text) => match article::parse(&file, &text) {
                    Ok(article) => articles.push(article),
                    Err(complaint) => complaints.push(complaint),
                },
                Err(complaint) => complaints.push(complaint),
            }
        }
        Self::of(articles, complaints, settings)
    }

    /// A library of ready articles; the settings' source is not looked at.
    ///
    /// # Errors
    /// When the index can't be built.
    pub fn of_with(
        articles: Vec<Article>,
        settings: &LibrarySettings,
    ) -> Result<Self, KnowledgeError> {
        let plain = |article: Article| {
            let asked_as = vec![Vec::new(); article.passages.len()];
            Written { article, asked_as }
        };
        Self::of(articles.into_iter().map(plain).collect(), Vec::new(), settings)
    }

    fn of(
        articles: Vec<Written>,
        complaints: Vec<ArticleError>,
        settings: &LibrarySettings,
    ) -> Result<Self, KnowledgeError> {
        Ok(Self(Arc::new(Shelves {
            current: RwLock::new(Arc::new(Snapshot::build(articles)?)),
            embedder: RwLock::new(None),
            complaints,
            cache: settings.cache.clone(),
            query_patience: settings.query_patience,
        })))
    }

    /// What was wrong with articles that are not here.
    pub fn complaints(&self) -> &[ArticleError] {
        &self.0.complaints
    }

    /// Embeds what the cache lacks, then makes searches hybrid. Blocks for as long as that takes
    /// (the sample base: about 2 s of one core the first time, milliseconds with a warm cache), so
    /// it belongs on a thread of its own. `progress` gets texts done and texts in all.
    ///
    /// # Errors
    /// When the model fails; searches stay on keywords. A cache that can't be read or written
    /// costs only time, and is logged.
    pub fn attach_vectors(
        &self,
        embedder: EmbedderHandle,
        progress: impl Fn(usize, usize),
    ) -> Result<(), EmbedderError> {
        let snapshot = self.snapshot();
        let mut texts: Vec<String> = Vec::new();
        for entry in snapshot.passages.iter() {
            texts.push(entry.text_to_embed());
            texts.extend(entry.sentences.iter().map(|&span| entry.sentence_to_embed(span)));
            texts.extend(entry.asked_as.iter().cloned());
        }
        let vectors = self.embed_all(&embedder, &texts, progress)?;
        let mut matrix = Vectors::new(embedder.dimensions());
        let mut rest = vectors.iter().map(Vec::as_slice);
        for entry in snapshot.passages.iter() {
            let passage = rest.next().expect("one vector per text; this is a bug");
            let sentences: Vec<_> = rest.by_ref().take(entry.sentences.len()).collect();
            matrix.push(passage, &sentences, rest.by_ref().take(entry.asked_as.len()));
        }
        matrix.settle(|passage| snapshot.shelf.article_of[passage]);
        *self.0.embedder.write().unwrap_or_else(PoisonError::into_inner) = Some(embedder);
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(snapshot.with_vectors(matrix));
        Ok(())
    }

    fn embed_all(
        &self,
        embedder: &EmbedderHandle,
        texts: &[String],
        progress: impl Fn(usize, usize),
    ) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let mut cache = self.0.cache.as_deref().and_then(|folder| {
            VectorCache::open(folder, embedder.fingerprint(), embedder.dimensions())
                .inspect_err(|error| tracing::warn!(%error, "no embedding cache"))
                .ok()
        });
        let hashes: Vec<TextHash> = texts.iter().map(|text| text_hash(text)).collect();
        let cached = |hash| cache.as_ref().and_then(|cache| cache.get(hash)).map(<[f32]>::to_vec);
        let mut vectors: Vec<Option<Vec<f32>>> = hashes.iter().map(cached).collect();
        let missing: Vec<usize> = (0..texts.len()).filter(|&at| vectors[at].is_none()).collect();
        let mut done = texts.len() - missing.len();
        progress(done, texts.len());
        let mut fresh: Vec<(TextHash, Vec<f32>)> = Vec::new();
        let mut flush = |fresh: &mut Vec<_>| {
            if let Some(cache) = &mut cache
                && let Err(error) = cache.add(std::mem::take(fresh))
            {
                tracing::warn!(%error, "embeddings can't be cached");
            }
        };
        for job in jobs(&missing, texts) {
            let batch = job.iter().map(|&at| texts[at].clone()).collect();
            let made = embedder.embed_blocking(batch, Urgency::Background, JOB_PATIENCE)?;
            done += job.len();
            for (at, vector) in job.into_iter().zip(made) {
                fresh.push((hashes[at], vector.clone()));
                vectors[at] = Some(vector);
            }
            progress(done, texts.len());
            if fresh.len() >= FLUSH_AFTER {
                flush(&mut fresh);
            }
        }
        flush(&mut fresh);
        vectors.into_iter().map(|vector| vector.ok_or(EmbedderError::Stopped)).collect()
    }

    pub fn vectors_complete(&self) -> bool {
        self.snapshot().vectors.is_some()
    }

    /// Blocks for a few milliseconds and for the query's embedding: call it off the async runtime.
    ///
    /// # Errors
    /// When the index fails. A model that is late or gone only makes the response `degraded`.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResponse, KnowledgeError> {
        let embedder = self.0.embedder.read().unwrap_or_else(PoisonError::into_inner).clone();
        let embed = |texts| {
            let embedder = embedder.as_ref().ok_or(EmbedderError::Stopped)?;
            embedder.embed_blocking(texts, Urgency::Live, self.0.query_patience)
        };
        search::search(&self.snapshot(), request, &embed)
    }

    /// The model of the vectors, once they are complete.
    pub fn embedder(&self) -> Option<EmbedderHandle> {
        self.0.embedder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The published sentences that are nearest to a text's vector, nearest first; none before the
    /// vectors are complete. `question` is the vector of what the text answers, if it answers one:
    /// a passage that people ask for in such words is looked at first.
    pub fn near_sentences(
        &self,
        text: &[f32],
        question: Option<&[f32]>,
        limit: usize,
    ) -> Vec<NearSentence> {
        near::sentences(&self.snapshot(), text, question, limit)
    }

    /// All sentences of an article, in order, with how near they are to a text's vector.
    pub fn sentences_of(&self, id: &ArticleId, text: &[f32]) -> Vec<NearSentence> {
        near::of_article(&self.snapshot(), id, text)
    }

    pub fn article(&self, id: &ArticleId) -> Option<Arc<Article>> {
        self.snapshot().articles.get(id).cloned()
    }

    /// All articles in the order of their ids.
    pub fn articles(&self) -> Vec<Arc<Article>> {
        self.snapshot().articles.values().cloned().collect()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Cuts the work into jobs of about [`JOB_CHARS`].
fn jobs(missing: &[usize], texts: &[String]) -> Vec<Vec<usize>> {
    let mut jobs: Vec<Vec<usize>> = Vec::new();
    let mut chars = usize::MAX;
    for &at in missing {
        if chars.saturating_add(texts[at].len()) > JOB_CHARS {
            jobs.push(Vec::new());
            chars = 0;
        }
        chars += texts[at].len();
        jobs.last_mut().expect("just pushed; this is a bug").push(at);
    }
    jobs
}

fn unreadable(file: &str, reason: String) -> ArticleError {
    ArticleError { file: file.into(), line: 1, field: "file".into(), reason }
}

type FileText = (String, Result<String, String>);

impl Source {
    /// The Markdown files with their paths below the root, in order. `README.md` is for people.
    pub fn files(&self) -> Result<Vec<FileText>, KnowledgeError> {
        let mut files = Vec::new();
        match self {
            Self::Folder(root) => walk(root, root, &mut files)?,
            Self::Embedded(dir) => walk_embedded(dir, &mut files),
        }
        files.retain(|(file, _)| file.ends_with(".md") && file != "README.md");
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    /// The text of a file beside the articles, such as `queries.toml`.
    pub fn companion(&self, name: &str) -> Option<String> {
        match self {
            Self::Folder(root) => std::fs::read_to_string(root.join(name)).ok(),
            Self::Embedded(dir) => dir.get_file(name)?.contents_utf8().map(str::to_owned),
        }
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<FileText>) -> Result<(), KnowledgeError> {
    let fail = |error: std::io::Error| KnowledgeError::Folder {
        folder: folder.to_owned(),
        reason: error.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let below = path.strip_prefix(root).unwrap_or(&path).components();
            let parts: Vec<_> = below.map(|part| part.as_os_str().to_string_lossy()).collect();
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            files.push((parts.join("/"), text));
        }
    }
    Ok(())
}

fn walk_embedded(dir: &Dir<'static>, files: &mut Vec<FileText>) {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => walk_embedded(dir, files),
            DirEntry::File(file) => {
                let text = file.contents_utf8().map(str::to_owned).ok_or("is not UTF-8".to_owned());
                files.push((file.path().to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::embedder::Embedder;

    const ARTICLE: &str = "+++\nid = \"ID\"\ntitle = \"Parcels\"\naudience = [\"agent\"]\n+++\n\n\
        ## Lost\nWe trace a lost parcel. Tracing takes 3 days.\n\n## Code\nE-104 means no signal.\n";

    /// Counts what it embeds; every text has the same vector.
    struct Counting(Arc<std::sync::atomic::AtomicUsize>);

    impl Embedder for Counting {
        fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
            self.0.fetch_add(texts.len(), std::sync::atomic::Ordering::Relaxed);
            Ok(texts.iter().map(|_| vec![1.0, 0.0]).collect())
        }
        fn dimensions(&self) -> usize {
            2
        }
        fn fingerprint(&self) -> &str {
            "counting"
        }
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("good.md"), ARTICLE.replace("ID", "good")).unwrap();
        let broken = ARTICLE.replace("ID", "bad").replace("title", "titel");
        std::fs::write(folder.path().join("bad.md"), broken).unwrap();
        folder
    }

    #[test]
    fn a_broken_article_is_named_and_the_others_load() {
        let folder = folder();
        let settings = LibrarySettings::new(Source::Folder(folder.path().to_owned()));
        let library = Library::open(&settings).unwrap();
        assert_eq!(library.articles().len(), 1);
        assert_eq!(library.complaints().len(), 1);
        let complaint = library.complaints()[0].to_string();
        assert!(complaint.starts_with("bad.md:3: titel: unknown field `titel`"), "{complaint}");
        let found = library.search(&SearchRequest::new("it says E one oh four")).unwrap();
        assert!(found.degraded);
        assert_eq!(found.hits[0].passage().heading, "Code");
        assert_eq!(found.hits[0].quote(), "E-104 means no signal.");
    }

    #[test]
    fn vectors_are_computed_once_for_all_data_directories() {
        let (folder, cache) = (folder(), tempfile::tempdir().unwrap());
        let mut settings = LibrarySettings::new(Source::Folder(folder.path().to_owned()));
        settings.cache = Some(cache.path().to_owned());
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for _ in 0..2 {
            let library = Library::open(&settings).unwrap();
            assert!(!library.vectors_complete());
            let handle = EmbedderHandle::spawn(Box::new(Counting(count.clone())), 4);
            library.attach_vectors(handle, |_, _| {}).unwrap();
            assert!(library.vectors_complete());
        }
        // Two passages and three sentences.
        let embedded = count.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(embedded, 5);
    }
}
