//! `backchannel knowledge export DIR`

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::Outcome as Ending;
use super::target::{Refusal, TargetArgs};
use crate::domain::ErrorKind;

/// Write the articles in force as a Markdown tree; what came from Markdown comes back to the letter
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The folder; files of the same names in it are replaced
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
}

/// # Errors
/// The folder can't be written, or the service or data folder can't be had.
pub fn run(args: &ExportArgs, out: &mut dyn Write) -> anyhow::Result<Ending> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let count = runtime.block_on(async {
        let target = args.target.open().await?;
        let mut left = 0_usize;
        let mut write = |id: &str, text: &str| {
            if let Err(error) = write(&args.dir, id, text) {
                left += 1;
                eprintln!("{id}: {error:#}");
            }
            Ok(())
        };
        let count = target.export(&mut write).await;
        target.close().await;
        anyhow::Ok((count?, left))
    })?;
    let (count, left) = count;
    writeln!(out, "{} articles in {}", count - left, args.dir.display())?;
    match left {
        0 => Ok(Ok(())),
        left => {
            let why = format!("{left} articles were not written; the messages above say why");
            Err(Refusal::new(ErrorKind::Invalid, why).into())
        }
    }
}

/// The service isn't trusted with where files go.
fn write(dir: &Path, id: &str, text: &str) -> anyhow::Result<()> {
    let file = format!("{id}.md");
    let is_below = Path::new(&file).components().all(|part| matches!(part, Component::Normal(_)));
    anyhow::ensure!(is_below, "its id leads out of the folder");
    let path = dir.join(file);
    let folder = path.parent().unwrap_or(dir);
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    std::fs::write(&path, text).with_context(|| path.display().to_string())
}
