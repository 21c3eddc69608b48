//! A [`LiveReport`] as a small table.

use crate::evaluate::live::{LiveReport, Share, quantile};

/// One line per number; what couldn't be known isn't there.
pub fn table(report: &LiveReport) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    let minutes = (report.audio_seconds / 60.0).floor();
    let seconds = report.audio_seconds - minutes * 60.0;
    rows.push(("calls", format!("{}, {minutes:.0} min {seconds:.0} s of audio", report.calls)));
    let lost = report.measured.as_ref().map(|measured| measured.lost_turns);
    rows.push((
        "turns",
        format!("{}{}", report.turns, lost.map(|n| format!(", {n} lost")).unwrap_or_default()),
    ));
    rows.push(("cards", report.cards.to_string()));
    if report.gaps > 0 {
        rows.push(("gaps in the audio", report.gaps.to_string()));
    }
    match &report.measured {
        Some(measured) => {
            rows.push(("end of speech → final", delays(&measured.speech_end_to_final)));
        }
        None => {
            rows.push(("end of turn, as heard → final", delays(&report.turn_end_to_final)));
            rows.push(("loud stretches with a turn", share(report.stretches)));
        }
    }
    rows.push(("final → card", delays(&report.final_to_card)));
    if let Some(measured) = &report.measured {
        let words = measured.words;
        let wer = format!("{:.1} % of {} words", words.rate() * 100.0, words.words);
        rows.push(("word error rate", wer));
        rows.push(("questions answered", share(measured.questions)));
        rows.push(("cards on small talk", measured.small_talk_cards.to_string()));
    }
    rows.push(("quotes that stand in their article", share(report.quotes)));
    if let Some(measured) = &report.measured {
        let leaks = Share { good: measured.leaks, all: measured.secrets };
        rows.push(("secrets leaked", share(leaks)));
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

fn delays(seconds: &[f64]) -> String {
    match (quantile(seconds, 0.5), quantile(seconds, 0.95)) {
        (Some(p50), Some(p95)) => format!("p50 {}, p95 {}", readable(p50), readable(p95)),
        _ => "none".to_owned(),
    }
}

fn readable(seconds: f64) -> String {
    if seconds.abs() < 0.1 {
        format!("{:.0} ms", seconds * 1_000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

fn share(share: Share) -> String {
    format!("{} of {}", share.good, share.all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::live::Measured;
    use crate::evaluate::wer::WordErrors;

    #[test]
    fn the_table_shows_what_is_known() {
        let mut report = LiveReport {
            calls: 1,
            audio_seconds: 101.55,
            turns: 17,
            cards: 6,
            final_to_card: vec![0.031, 0.044],
            turn_end_to_final: vec![0.58, 0.6],
            stretches: Share { good: 16, all: 16 },
            quotes: Share { good: 6, all: 6 },
            ..LiveReport::default()
        };
        insta::assert_snapshot!(table(&report), @r"
        calls                               1, 1 min 42 s of audio
        turns                               17
        cards                               6
        end of turn, as heard → final       p50 0.60 s, p95 0.60 s
        loud stretches with a turn          16 of 16
        final → card                        p50 44 ms, p95 44 ms
        quotes that stand in their article  6 of 6
        ");
        report.measured = Some(Measured {
            speech_end_to_final: vec![0.7, 0.61, 1.2],
            words: WordErrors { errors: 7, words: 200 },
            questions: Share { good: 4, all: 5 },
            secrets: 1,
            ..Measured::default()
        });
        insta::assert_snapshot!(table(&report), @r"
        calls                               1, 1 min 42 s of audio
        turns                               17, 0 lost
        cards                               6
        end of speech → final               p50 0.70 s, p95 1.20 s
        final → card                        p50 44 ms, p95 44 ms
        word error rate                     3.5 % of 200 words
        questions answered                  4 of 5
        cards on small talk                 0
        quotes that stand in their article  6 of 6
        secrets leaked                      0 of 1
        ");
    }
}
