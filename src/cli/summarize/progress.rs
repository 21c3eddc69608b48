use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::batch::Tally;

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two lines in a log file.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far a batch is: a bar when a person looks, a line now and then when a file does.
pub(super) struct Progress {
    task: tokio::task::JoinHandle<()>,
    over: CancellationToken,
}

impl Progress {
    pub fn begin(tally: Arc<Tally>, quiet: bool) -> Self {
        let over = CancellationToken::new();
        let is_over = over.clone();
        let task = tokio::spawn(async move {
            if !quiet {
                show(&tally, &is_over).await;
            }
        });
        Self { task, over }
    }

    /// Before it is known how much there is.
    pub fn of_reading(quiet: bool) -> Self {
        let over = CancellationToken::new();
        let is_over = over.clone();
        let task = tokio::spawn(async move {
            if quiet || !std::io::stderr().is_terminal() {
                return;
            }
            let wheel = spinner("reading the input");
            is_over.cancelled().await;
            wheel.finish_and_clear();
        });
        Self { task, over }
    }

    pub async fn finish(self) {
        self.over.cancel();
        // A bar that failed to be drawn is no reason to fail.
        let _ = self.task.await;
    }
}

fn spinner(what: &'static str) -> ProgressBar {
    let wheel = ProgressBar::new_spinner().with_message(what);
    wheel.enable_steady_tick(LOOK_EVERY);
    wheel
}

async fn show(tally: &Tally, over: &CancellationToken) {
    let is_terminal = std::io::stderr().is_terminal();
    let target = match is_terminal {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(tally.total()), target);
    let style = ProgressStyle::with_template(
        "[{bar:30}] {pos} of {len} conversations{msg}, {per_sec}, {elapsed_precise}, {eta} left",
    )
    .expect("the template is a constant; this is a bug");
    bar.set_style(style.progress_chars("=> "));
    let done = || {
        let sums = tally.sums();
        (sums.written + sums.failed, sums)
    };
    // What was done before this start says nothing about the speed now.
    let (before, begun) = (done().0, Instant::now());
    bar.set_position(before);
    bar.reset_eta();
    let mut last_line = begun;
    loop {
        tokio::select! {
            () = over.cancelled() => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if tally.is_joining() {
            bar.finish_and_clear();
            let wheel = is_terminal.then(|| spinner("putting it in the input's order"));
            over.cancelled().await;
            wheel.iter().for_each(ProgressBar::finish_and_clear);
            return;
        }
        let (now, sums) = done();
        bar.set_position(now);
        let mut beside = String::new();
        if sums.failed > 0 {
            beside.push_str(&format!(", {} not written", sums.failed));
        }
        if sums.tokens > 0 {
            beside.push_str(&format!(", {} tokens", sums.tokens));
        }
        bar.set_message(beside.clone());
        if !is_terminal && last_line.elapsed() >= LINE_EVERY {
            last_line = Instant::now();
            let per_second = (now - before) as f64 / begun.elapsed().as_secs_f64();
            let total = tally.total();
            let left_s = total.saturating_sub(now) as f64 / per_second.max(0.001);
            // A batch that stands still has no end in sight.
            let left = match per_second > 0.0 {
                true => HumanDuration(Duration::from_secs_f64(left_s)).to_string(),
                false => "unknown time".to_owned(),
            };
            eprintln!("{now} of {total} conversations{beside}, {per_second:.0}/s, {left} left");
        }
    }
    bar.finish_and_clear();
}
