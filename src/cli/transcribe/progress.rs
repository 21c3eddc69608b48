use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two lines in a log file.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far all recordings are: a bar when a person looks, a line now and then when a file does.
pub struct Progress {
    /// Counts seconds of audio.
    bar: ProgressBar,
    files: usize,
    begun: Instant,
    state: Mutex<State>,
    shows_lines: bool,
}

struct State {
    files_done: usize,
    last_line: Instant,
}

impl Progress {
    pub fn new(files: usize, quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = match quiet || !is_terminal {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template(
            "{msg} [{bar:30}] {pos} of {len} s of audio, {elapsed_precise}, {eta} left",
        )
        .expect("the template is a constant; this is a bug");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(format!("0 of {files}"));
        let begun = Instant::now();
        let state = Mutex::new(State { files_done: 0, last_line: begun });
        Self { bar, files, begun, state, shows_lines: !quiet && !is_terminal }
    }

    /// Another recording of so much audio has been opened.
    pub fn begin(&self, duration_ms: u64) -> Counted<'_> {
        self.bar.inc_length(duration_ms / 1_000);
        Counted { progress: self, seconds: 0 }
    }

    pub fn file_done(&self) {
        let Ok(mut state) = self.state.lock() else { return };
        state.files_done += 1;
        self.bar.set_message(format!("{} of {}", state.files_done, self.files));
    }

    pub fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub fn finish(&self) {
        let (audio, seconds) = (self.bar.position(), self.begun.elapsed().as_secs_f64());
        self.bar.finish_and_clear();
        if self.shows_lines || !self.bar.is_hidden() {
            let speed = audio as f64 / seconds.max(0.001);
            eprintln!(
                "{audio} s of audio in {seconds:.1} s, {speed:.1} times as fast as it was said"
            );
        }
    }

    fn line(&self) {
        let Ok(mut state) = self.state.lock() else { return };
        if self.shows_lines && state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            let (at, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
            eprintln!("{} of {} files, {at} of {all} s of audio", state.files_done, self.files);
        }
    }
}

/// One recording's share of the progress.
pub struct Counted<'a> {
    progress: &'a Progress,
    seconds: u64,
}

impl Counted<'_> {
    pub fn reach(&mut self, heard_ms: u64) {
        let seconds = heard_ms / 1_000;
        if seconds > self.seconds {
            self.progress.bar.inc(seconds - self.seconds);
            self.seconds = seconds;
            self.progress.line();
        }
    }
}
