//! Keeps other people's words apart from ours.
//!
//! The fence's token comes from a hash of the words themselves and is tried until it occurs in none
//! of them: whoever writes the words can't know it, and the same words always render alike.

use sha2::{Digest, Sha256};

use super::inputs::{SourcePassage, SourceTurn};
use crate::models::tame;

const TOKEN_CHARS: usize = 12;

pub struct Fence {
    pub token: String,
    /// What turns and passages are called, so that no text passes itself off as another one.
    ids: Vec<String>,
}

impl Fence {
    pub fn around<'a>(texts: impl Iterator<Item = &'a str> + Clone, ids: Vec<String>) -> Self {
        let mut round = 0_u32;
        loop {
            let mut digest = Sha256::new();
            digest.update(round.to_le_bytes());
            for text in texts.clone() {
                digest.update(text.as_bytes());
                digest.update([0]);
            }
            let mut token: String =
                digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            token.truncate(TOKEN_CHARS);
            if !texts.clone().any(|text| text.contains(&token)) {
                return Self { token, ids };
            }
            round += 1;
        }
    }

    pub fn turns(&self, turns: &[SourceTurn], chars_max: usize) -> (String, usize) {
        let lines: Vec<String> = turns
            .iter()
            .map(|turn| format!("[{}] {}: {}", turn.id, turn.speaker, self.one_line(&turn.text)))
            .collect();
        let (kept, left_out) = both_ends(lines, chars_max);
        (self.block("transcript", &kept.join("\n")), left_out)
    }

    pub fn passages(&self, passages: &[SourcePassage], chars_max: usize) -> (String, usize) {
        let mut lines = Vec::new();
        let mut room = chars_max;
        for passage in passages {
            let line = format!("[{}] {}", passage.id, self.indented(&passage.text));
            let chars = line.chars().count();
            // They come best first.
            if chars > room && !lines.is_empty() {
                break;
            }
            room = room.saturating_sub(chars);
            lines.push(line);
        }
        let left_out = passages.len() - lines.len();
        (self.block("passages", &lines.join("\n")), left_out)
    }

    pub fn words(&self, name: &str, text: &str) -> String {
        self.block(name, &self.indented(text))
    }

    fn block(&self, name: &str, body: &str) -> String {
        format!("<<<{token} {name}\n{body}\n{token}>>>", token = self.token)
    }

    fn one_line(&self, text: &str) -> String {
        self.tame(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// No line of it begins where ours begin.
    fn indented(&self, text: &str) -> String {
        self.tame(text).trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n  ")
    }

    fn tame(&self, text: &str) -> String {
        let mut tame = tame(text);
        if tame.contains('[') {
            tame = tame.replace("[t-", "(t-");
            for id in &self.ids {
                tame = tame.replace(&format!("[{id}]"), &format!("({id})"));
            }
        }
        tame
    }
}

/// What a call is about is said at its beginning, and what came of it at its end.
fn both_ends(lines: Vec<String>, chars_max: usize) -> (Vec<String>, usize) {
    let sizes: Vec<usize> = lines.iter().map(|line| line.chars().count() + 1).collect();
    if sizes.iter().sum::<usize>() <= chars_max {
        return (lines, 0);
    }
    let fitting = |sizes: &mut dyn Iterator<Item = usize>, room: usize| {
        let mut used = 0;
        sizes
            .take_while(|size| {
                used += size;
                used <= room
            })
            .count()
    };
    let head = fitting(&mut sizes.iter().copied(), chars_max / 3);
    let used: usize = sizes[..head].iter().sum();
    let tail = fitting(&mut sizes[head..].iter().rev().copied(), chars_max - used);
    let left_out = lines.len() - head - tail;
    let mut kept = lines[..head].to_vec();
    kept.push(format!("({left_out} turns are left out here)"));
    kept.extend_from_slice(&lines[lines.len() - tail..]);
    (kept, left_out)
}
