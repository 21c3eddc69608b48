//! Tells `serve::pages` which folder of pages the binary carries. Never builds them itself.

use std::path::Path;
use std::{env, fs, io};

const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Backchannel</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}</style>
<h1>The pages are not built</h1>
<p>This binary was compiled without them. Run <code>make ui</code>, then compile again.
The HTTP interface works all the same; its description is at <code>/openapi.json</code>.</p>
</html>
"#;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let built = Path::new(&root).join("ui/dist");
    // Naming a file that isn't there would run this script at every build.
    let watched = if built.exists() { "ui/dist" } else { "ui" };
    println!("cargo::rerun-if-changed={watched}");
    let folder = if built.join("index.html").is_file() {
        built
    } else {
        let folder = Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("pages");
        fs::create_dir_all(&folder)?;
        for name in ["index.html", "desktop.html"] {
            fs::write(folder.join(name), NOT_BUILT)?;
        }
        folder
    };
    println!("cargo::rustc-env=BACKCHANNEL_UI_DIST={}", folder.display());
    Ok(())
}
