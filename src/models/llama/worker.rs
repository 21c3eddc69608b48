//! The one thread that writes, one text after the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::form::Form;
use super::sampler::Sampler;
use super::{Parts, Text};
use crate::models::{Finish, TokenCount};

/// A text to write.
pub(super) struct Job {
    pub prompt: Vec<u32>,
    pub form: Option<Form>,
    pub most_tokens: usize,
    pub temperature: f32,
    pub seed: u64,
    pub until: Instant,
    /// At most one message a token, and one at the end. Closed when nobody waits any more.
    pub to: UnboundedSender<News>,
}

pub(super) enum News {
    Text(String),
    Done {
        finish: Finish,
        tokens: TokenCount,
    },
    Late,
    /// No token that the form allows was left.
    Stuck,
}

/// Jobs that wait or are being written; each holds its place until it is dropped.
#[derive(Clone)]
pub(super) struct Places {
    taken: Arc<AtomicUsize>,
    most: usize,
}

pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    pub fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    pub fn take(&self) -> Option<Place> {
        let one_more = |taken: usize| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Place(Arc::clone(&self.taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Works until the last handle is gone.
pub(super) fn run(parts: &Parts, threads: &rayon::ThreadPool, jobs: &mpsc::Receiver<(Job, Place)>) {
    // Kept from job to job: prompts of a task begin alike, and that part needs no second reading.
    let mut text = Text::default();
    while let Ok((job, place)) = jobs.recv() {
        if !job.to.is_closed() {
            let work = || threads.install(|| write(parts, &mut text, &job));
            // One text that breaks the model must not take the others with it.
            let last = std::panic::catch_unwind(AssertUnwindSafe(work));
            // Whoever hears the end may ask again at once.
            drop(place);
            match last {
                Ok(last) => drop(job.to.send(last)),
                Err(_) => text = Text::default(),
            }
        }
    }
}

/// Sends the text, and returns what is to be said at the end.
fn write(parts: &Parts, text: &mut Text, job: &Job) -> News {
    let goes_on = || !job.to.is_closed() && Instant::now() < job.until;
    // Whoever left needs no answer.
    let tell = |piece| drop(job.to.send(News::Text(piece)));
    let known = text.tokens().iter().zip(&job.prompt).take_while(|(a, b)| a == b).count();
    // The last one is always read: its scores are needed.
    text.cut(known.min(job.prompt.len() - 1));
    let prompt = job.prompt[text.tokens().len()..].to_vec();
    if !parts.take_in(&prompt, text, &goes_on) {
        return News::Late;
    }
    let mut sampler = Sampler::new(job.temperature, job.seed);
    let mut form = job.form.as_ref().map(|form| (form, form.begin()));
    let mut pending = Vec::new();
    let mut tokens = TokenCount { prompt: job.prompt.len() as u64, written: 0 };
    let finish = loop {
        if tokens.written as usize >= job.most_tokens {
            break Finish::Length;
        }
        let may_come = |token: u32| match &form {
            None => parts.tokens.bytes(token).is_some() || parts.tokens.is_end(token),
            Some((form, written)) if parts.tokens.is_end(token) => form.is_whole(written),
            Some((form, written)) => {
                let bytes = parts.tokens.bytes(token);
                bytes.is_some_and(|bytes| form.after(written, bytes).is_some())
            }
        };
        let Some(token) = sampler.pick(&text.scores, &may_come) else {
            return News::Stuck;
        };
        tokens.written += 1;
        if parts.tokens.is_end(token) {
            break Finish::Stop;
        }
        let bytes = parts.tokens.bytes(token).unwrap_or_default();
        if let Some((form, written)) = &mut form
            && let Some(next) = form.after(written, bytes)
        {
            *written = next;
        }
        pending.extend_from_slice(bytes);
        let whole = whole_letters(&mut pending);
        if !whole.is_empty() {
            tell(whole);
        }
        if form.as_ref().is_some_and(|(_, written)| Form::is_closed(written)) {
            break Finish::Stop;
        }
        if !parts.network.step(&[token], text, true, &goes_on) {
            return News::Late;
        }
    };
    if !pending.is_empty() {
        tell(String::from_utf8_lossy(&pending).into_owned());
    }
    News::Done { finish, tokens }
}

/// Takes what is whole off the front: a letter may need the next token's bytes.
fn whole_letters(bytes: &mut Vec<u8>) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => bytes.len(),
    };
    let rest = bytes.split_off(whole);
    String::from_utf8_lossy(&std::mem::replace(bytes, rest)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_whole() {
        let mut bytes = "a€".as_bytes()[..3].to_vec();
        assert_eq!(whole_letters(&mut bytes), "a");
        bytes.push(0xac);
        assert_eq!(whole_letters(&mut bytes), "€");
        assert!(bytes.is_empty());
        bytes.extend([0xff, b'b']);
        assert_eq!(whole_letters(&mut bytes), "\u{fffd}b");
    }

    #[test]
    fn a_place_is_free_again_when_its_job_is_gone() {
        let places = Places::new(1);
        let place = places.take();
        assert!(place.is_some() && places.take().is_none());
        drop(place);
        assert!(places.take().is_some());
    }
}
