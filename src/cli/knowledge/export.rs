//! `backchannel knowledge export DIR`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::Outcome as Ending;
use super::target::TargetArgs;

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
        // An id has no part that leads upwards: `knowledge::check`.
        let mut write = |id: &str, text: &str| {
            let path = args.dir.join(format!("{id}.md"));
            let folder = path.parent().unwrap_or(&args.dir);
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            std::fs::write(&path, text).with_context(|| path.display().to_string())
        };
        let count = target.export(&mut write).await;
        target.close().await;
        count
    })?;
    writeln!(out, "{count} articles in {}", args.dir.display())?;
    Ok(Ok(()))
}
