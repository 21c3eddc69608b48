use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::models::Watcher;

/// Between two lines in a log file.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A bar when a person looks at standard error, a line every few seconds when a file does.
pub(super) struct Progress {
    is_terminal: bool,
    current: Mutex<Option<Step>>,
}

struct Step {
    label: String,
    total: u64,
    /// Only on a terminal.
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), current: Mutex::new(None) }
    }

    fn with(&self, act: impl FnOnce(&mut Option<Step>)) {
        // A step is only replaced whole, so it is sound whoever panicked.
        act(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Watcher for Progress {
    fn say(&self, line: &str) {
        self.with(|current| match current.as_ref().and_then(|step| step.bar.as_ref()) {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        });
    }

    fn begin(&self, label: &str, total: u64) {
        self.end();
        let bar = self.is_terminal.then(|| {
            let style = ProgressStyle::with_template(
                "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            )
            .expect("the template is a constant that a test draws; this is a bug");
            ProgressBar::new(total)
                .with_style(style.progress_chars("=> "))
                .with_message(label.to_owned())
        });
        if bar.is_none() {
            eprintln!("{label}: {:.1} MB", total as f64 / 1e6);
        }
        let step = Step { label: label.to_owned(), total, bar, last_line: Instant::now() };
        self.with(|current| *current = Some(step));
    }

    fn at(&self, bytes: u64) {
        self.with(|current| {
            let Some(step) = current else { return };
            if let Some(bar) = &step.bar {
                // A resumed transfer must not count the old bytes into its speed.
                let is_first = bar.position() == 0 && bytes > 0;
                bar.set_position(bytes);
                if is_first {
                    bar.reset_eta();
                }
            } else if step.last_line.elapsed() >= LINE_EVERY {
                step.last_line = Instant::now();
                let (done, total) = (bytes as f64 / 1e6, step.total as f64 / 1e6);
                eprintln!("{}: {done:.1} of {total:.1} MB", step.label);
            }
        });
    }

    fn end(&self) {
        self.with(|current| {
            if let Some(bar) = current.take().and_then(|step| step.bar) {
                bar.finish_and_clear();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_can_be_drawn() {
        let progress = Progress { is_terminal: true, current: Mutex::new(None) };
        progress.begin("file", 10);
        progress.at(5);
        progress.say("a line between");
        progress.end();
    }
}
