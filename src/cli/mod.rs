//! The command line: one file per subcommand. Prints for people; everything else logs.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::domain::{Classify, ErrorKind};

/// Copilot and conversation intelligence for contact centres, on your own machine.
///
/// Start with `backchannel serve --demo`, then play a recorded call into it with
/// `backchannel replay tests/calls/billing-double-charge.wav --follow`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
}

/// Why a command failed: what to print, and which exit code.
#[derive(Debug)]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
}

impl Failure {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// 2: the input or the arguments are wrong; 75: try again later; 70: a bug (sysexits.h).
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Denied => 2,
            ErrorKind::Busy | ErrorKind::Timeout | ErrorKind::Unavailable => 75,
            ErrorKind::Internal => 70,
        })
    }
}

impl<E: Classify> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {}
}
