//! Files from the public hub, over HTTPS.
//!
//! A download grows in a `.part` file beside its target. When the connection breaks it goes on
//! where it stopped, in this run or the next.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};

use super::{ModelError, Part, Watcher, hash};

/// The public hub's address; `BACKCHANNEL_HUB` names a mirror.
pub(super) const DEFAULT_BASE: &str = "https://huggingface.co";

const CONNECT: Duration = Duration::from_secs(15);
/// Longest silence in a running download.
const SILENCE: Duration = Duration::from_secs(30);
/// Attempts in a row that brought nothing new before this source is given up.
const FRUITLESS_ATTEMPTS: u32 = 4;

/// Where a file of the hub is.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    pub(super) base: &'a str,
    pub(super) repository: &'a str,
    pub(super) revision: &'a str,
    pub(super) file: &'a str,
}

impl Address<'_> {
    fn url(&self) -> String {
        let base = self.base.trim_end_matches('/');
        format!("{base}/{}/resolve/{}/{}", self.repository, self.revision, self.file)
    }
}

/// Downloads to `target`, which appears only if the hash is right.
///
/// # Errors
/// [`ModelError::Source`] when the hub can't be reached or refuses; what has come stays for the
/// next run. [`ModelError::WrongHash`] leaves nothing.
pub(super) fn fetch(
    address: Address,
    part: &Part,
    target: &Path,
    pause: Duration,
    watcher: &dyn Watcher,
) -> Result<(), ModelError> {
    // The caller may or may not be inside an async runtime; a thread of our own never is.
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| ModelError::Failed(format!("can't start a runtime: {error}")))?;
            runtime.block_on(download(address, part, target, pause, watcher))
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

async fn download(
    address: Address<'_>,
    part: &Part,
    target: &Path,
    pause: Duration,
    watcher: &dyn Watcher,
) -> Result<(), ModelError> {
    let url = address.url();
    let client = Client::builder()
        .user_agent(concat!("backchannel/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        // The hub redirects to its storage; never from https to http.
        .https_only(url.starts_with("https:"))
        .build()
        .map_err(|error| ModelError::Source(format!("{url}: {}", chain(&error))))?;
    let mut growing = Growing::open(target, part)?;
    watcher.begin(&format!("{}/{}", address.repository, address.file), part.bytes);
    watcher.at(growing.bytes);
    let mut fruitless = 0;
    while growing.bytes < part.bytes {
        let before = growing.bytes;
        let Err(failure) = growing.attempt(&client, &url, part, watcher).await else { continue };
        fruitless = if growing.bytes > before { 0 } else { fruitless + 1 };
        if failure.is_final || fruitless >= FRUITLESS_ATTEMPTS {
            watcher.end();
            growing.keep_if_begun();
            return Err(failure.error);
        }
        watcher.say(&match growing.bytes {
            0 => format!("{}; trying again", failure.error),
            bytes => format!("{}; going on at byte {bytes}", failure.error),
        });
        tokio::time::sleep(pause * 2u32.pow(fruitless)).await;
    }
    watcher.end();
    growing.finish(part, target, &url)
}

/// The file so far.
struct Growing {
    path: PathBuf,
    file: fs::File,
    bytes: u64,
}

struct Failure {
    error: ModelError,
    /// Another attempt would end the same way.
    is_final: bool,
}

impl Growing {
    fn open(target: &Path, part: &Part) -> Result<Self, ModelError> {
        // The hash in the name keeps the beginnings of two different files apart.
        let name = format!("{}.{}.part", part.file_name(), &part.sha256[..8]);
        let path = target.with_file_name(name);
        let file = fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(ModelError::io(&path))?;
        let mut growing = Self { path, file, bytes: 0 };
        growing.bytes = growing.file.metadata().map_err(ModelError::io(&growing.path))?.len();
        if growing.bytes > part.bytes {
            growing.restart()?;
        }
        Ok(growing)
    }

    fn restart(&mut self) -> Result<(), ModelError> {
        self.file.set_len(0).map_err(ModelError::io(&self.path))?;
        self.bytes = 0;
        Ok(())
    }

    fn keep_if_begun(self) {
        if self.bytes == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// One request; on success the file is whole.
    async fn attempt(
        &mut self,
        client: &Client,
        url: &str,
        part: &Part,
        watcher: &dyn Watcher,
    ) -> Result<(), Failure> {
        let source = |problem: String| ModelError::Source(format!("{url}: {problem}"));
        let again = |problem: String| Failure { error: source(problem), is_final: false };
        let over = |error: ModelError| Failure { error, is_final: true };

        let mut request = client.get(url);
        if self.bytes > 0 {
            request = request.header(RANGE, format!("bytes={}-", self.bytes));
        }
        let mut response = request.send().await.map_err(|error| again(chain(&error)))?;
        let status = response.status();
        if self.bytes > 0 && status == StatusCode::RANGE_NOT_SATISFIABLE {
            self.restart().map_err(over)?;
            return Err(again("what is here does not fit what is there".to_owned()));
        }
        if !status.is_success() {
            let is_final = status.is_client_error()
                && status != StatusCode::REQUEST_TIMEOUT
                && status != StatusCode::TOO_MANY_REQUESTS;
            return Err(Failure { error: source(format!("answered {status}")), is_final });
        }
        if self.bytes > 0 && !continues_at(&response, self.bytes) {
            // The server sends the whole file again, which is its right.
            self.restart().map_err(over)?;
        }
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if self.bytes < part.bytes => {
                    let problem = format!("ended after {} of {} bytes", self.bytes, part.bytes);
                    return Err(again(problem));
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(again(chain(&error))),
            };
            if self.bytes + chunk.len() as u64 > part.bytes {
                let _ = fs::remove_file(&self.path);
                return Err(over(source(format!("sends more than {} bytes", part.bytes))));
            }
            self.file.write_all(&chunk).map_err(|error| over(ModelError::io(&self.path)(error)))?;
            self.bytes += chunk.len() as u64;
            watcher.at(self.bytes);
        }
    }

    fn finish(self, part: &Part, target: &Path, url: &str) -> Result<(), ModelError> {
        self.file.sync_all().map_err(ModelError::io(&self.path))?;
        let found = hash::of_file(&self.path, |_| {}).map_err(ModelError::io(&self.path))?;
        if found != part.sha256 {
            fs::remove_file(&self.path).map_err(ModelError::io(&self.path))?;
            return Err(ModelError::WrongHash {
                what: url.to_owned(),
                expected: part.sha256.clone(),
                found,
            });
        }
        fs::rename(&self.path, target).map_err(ModelError::io(target))
    }
}

fn continues_at(response: &Response, start: u64) -> bool {
    response.status() == StatusCode::PARTIAL_CONTENT
        && response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with(&format!("bytes {start}-")))
}

/// reqwest's own text hides the cause ("error sending request"); the last link is the reason.
fn chain(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
