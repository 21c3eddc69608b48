use super::*;
use crate::models::Manifest;

fn manifest_of(files: &[(&str, &str)]) -> Manifest {
    let mut text = "version = 1\n[[model]]\nname = \"m\"\ntask = \"embed\"\nformat = \"f\"\n\
        licence = \"MIT\"\nlanguages = []\nmemory_mib = 1\n"
        .to_owned();
    let mut parts = String::new();
    for (name, content) in files {
        let (bytes, sha256) = (content.len(), hash::of_text(content));
        text += &format!("[[model.file]]\nname = {name:?}\nbytes = {bytes}\nsha256 = {sha256:?}\n");
        parts += &format!(
            "{{ to = {name:?}, kind = \"hub\", repository = \"o/r\", revision = \"main\", \
             file = {name:?}, bytes = {bytes}, sha256 = {sha256:?} }},"
        );
    }
    text += &format!("[[model.source]]\nparts = [{parts}]\n");
    Manifest::parse("test.toml", &text).unwrap()
}

fn place(cache: &Cache, model: &Model, content: &str) -> PathBuf {
    let folder = cache.folder_of(model);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a"), content).unwrap();
    folder
}

#[test]
fn files_put_there_by_hand_are_hashed_once() {
    let home = tempfile::tempdir().unwrap();
    let (cache, manifest) = (Cache::at(home.path()), manifest_of(&[("a", "hello")]));
    let model = manifest.model("m").unwrap();
    assert_eq!(cache.state(model), State::Missing);
    let message = cache.installed(model).unwrap_err().to_string();
    assert!(message.ends_with("run `backchannel models pull m`"), "{message}");

    let folder = place(&cache, model, "hello");
    assert_eq!(cache.state(model), State::Unverified);
    let installed = cache.installed(model).unwrap();
    assert_eq!(installed.file("a").unwrap(), folder.join("a"));
    assert_eq!(installed.fingerprint, model.fingerprint());
    assert_eq!(cache.state(model), State::Ready);
}

#[test]
fn a_changed_file_is_refused_with_both_hashes() {
    let home = tempfile::tempdir().unwrap();
    let (cache, manifest) = (Cache::at(home.path()), manifest_of(&[("a", "hello")]));
    let model = manifest.model("m").unwrap();
    place(&cache, model, "hello");
    cache.installed(model).unwrap();
    for wrong in ["jello", "hell"] {
        let folder = place(&cache, model, wrong);
        // Two writes within one tick of the file system's clock look alike.
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(7);
        File::options().write(true).open(folder.join("a")).unwrap().set_modified(later).unwrap();
        let message = cache.installed(model).unwrap_err().to_string();
        assert!(message.contains(&hash::of_text("hello")), "{message}");
        assert!(message.contains(&hash::of_text(wrong)), "{message}");
    }
}

#[test]
fn a_spoilt_marker_means_hashing_again() {
    let home = tempfile::tempdir().unwrap();
    let (cache, manifest) = (Cache::at(home.path()), manifest_of(&[("a", "hello")]));
    let model = manifest.model("m").unwrap();
    let folder = place(&cache, model, "hello");
    for junk in ["", "{", "{\"version\":9,\"files\":{}}", "[1]"] {
        fs::write(folder.join(MARKER), junk).unwrap();
        assert_eq!(cache.state(model), State::Unverified, "{junk}");
        cache.installed(model).unwrap();
        assert_eq!(cache.state(model), State::Ready);
    }
}

#[test]
fn the_folder_follows_the_environment() {
    let folder = |vars: &[(&str, &str)]| {
        let found = |name: &str| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Cache::from_vars(&found).map(|cache| cache.folder)
    };
    let home = ("HOME", "/h");
    assert_eq!(folder(&[home]).unwrap(), Path::new("/h/.cache/backchannel"));
    assert_eq!(folder(&[home, ("XDG_CACHE_HOME", "/x")]).unwrap(), Path::new("/x/backchannel"));
    assert_eq!(
        folder(&[home, ("XDG_CACHE_HOME", "x")]).unwrap(),
        Path::new("/h/.cache/backchannel")
    );
    assert_eq!(folder(&[home, ("BACKCHANNEL_CACHE", "/b")]).unwrap(), Path::new("/b"));
    assert!(folder(&[]).is_err());
}
