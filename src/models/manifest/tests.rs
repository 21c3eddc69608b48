use super::*;
use crate::domain::{Classify, ErrorKind};

const GOOD: &str = r#"version = 1
[[model]]
name = "m"
task = "embed"
format = "safetensors"
licence = "MIT"
languages = ["en"]
memory_mib = 1
[[model.file]]
name = "a.bin"
bytes = 3
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[model.source]]
parts = [
  { to = "a.bin", kind = "hub", repository = "o/r", revision = "main", file = "a.bin", bytes = 3, sha256 = "0000000000000000000000000000000000000000000000000000000000000000" },
]
"#;

#[track_caller]
fn check(from: &str, to: &str, message: &str) {
    assert!(GOOD.contains(from), "{from}");
    let error = Manifest::parse("m.toml", &GOOD.replacen(from, to, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let text = error.to_string();
    assert!(text.starts_with(message), "got {text}\nexpected {message}");
    assert!(!text.contains('\n'), "{text}");
}

#[test]
fn the_built_in_manifest_is_right() {
    let manifest = Manifest::built_in();
    let names: Vec<&str> = manifest.models.iter().map(|model| model.name.as_str()).collect();
    let needed = ["whisper-tiny.en", "whisper-base", "all-minilm-l6-v2"];
    assert_eq!(names[..3], needed);
    assert_eq!(names[3..], ["smollm2-135m-instruct"]);
    for model in &manifest.models {
        assert_eq!(model.optional, !needed.contains(&model.name.as_str()), "{}", model.name);
    }
    for model in &manifest.models {
        assert_eq!(model.sources.len(), 2, "{}: a package and the hub", model.name);
    }
    assert!(!BUILT_IN.contains("http"), "the manifest names no addresses");
}

#[test]
fn a_wrong_field_is_named_with_file_and_line() {
    assert!(Manifest::parse("m.toml", GOOD).is_ok());
    check("licence", "license", "m.toml:6: field \"license\": unknown field `license`");
    check("bytes = 3", "bytes = \"3\"", "m.toml:11: field \"bytes\": invalid type: string");
    check("licence = \"MIT\"\n", "", "m.toml:2: field \"licence\": missing field `licence`");
    check("\"embed\"", "\"dance\"", "m.toml:4: field \"task\": unknown variant `dance`");
    check("version = 1", "version = 2", "m.toml:1: field \"version\": is 2, this program reads 1");
    check("sha256 = \"0", "sha256 = \"X", "m.toml:12: field \"sha256\": must be 64");
    check("name = \"m\"", "name = \"../m\"", "m.toml:3: field \"name\": is \"../m\"");
    check("to = \"a.bin\"", "to = \"b.bin\"", "m.toml:15: field \"to\": is \"b.bin\", expected");
    check("\"hub\"", "\"package\"", "m.toml:15: field \"repository\": does not belong to kind");
    check("revision = \"main\", ", "", "m.toml:15: field \"revision\": is missing; kind \"hub\"");
    check("kind = \"hub\"", "kind = 7", "m.toml:15: field \"kind\": ");
    check("memory_mib = 1", "memory_mib = ", "m.toml:8: field \"memory_mib\": ");
}

#[test]
fn an_unknown_model_lists_the_known_ones() {
    let error = Manifest::built_in().model("whisper-huge").unwrap_err();
    assert_eq!(
        error.to_string(),
        "models/manifest.toml has no model \"whisper-huge\"; \
         it has whisper-tiny.en, whisper-base, all-minilm-l6-v2, smollm2-135m-instruct"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_panics(cut in 0..GOOD.len(), junk in "\\PC{0,12}") {
        let mut text = GOOD.to_owned();
        text.replace_range(cut..(cut + junk.len()).min(text.len()), &junk);
        let _ = Manifest::parse("m.toml", &text);
    }
}
