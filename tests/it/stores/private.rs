//! Who else of the machine can read what customers said.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use backchannel::domain::NewEvent;
use backchannel::store::backup::backup;
use backchannel::store::gaps::GapFile;
use backchannel::store::{EventLog, Place, Store as _};
use jiff::Timestamp;

use crate::serve::harness::started;

#[tokio::test]
async fn others_of_the_machine_can_read_neither_a_log_nor_its_backup() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (above, copy) = (scratch.path().join("new"), scratch.path().join("backup"));
    let data = above.join("data");
    let store = EventLog::open(&data, Arc::new(|_| ())).await.expect("it opens");
    let event = NewEvent::at(Timestamp::now(), started());
    store.append(&"demo".into(), &"c-1".into(), vec![event]).await.expect("written");
    backup(&Place::Folder(data.clone()), &copy, &mut |_| ()).await.expect("backed up");
    for path in [
        &above,
        &data,
        &data.join("events.sqlite"),
        &data.join("events.sqlite-wal"),
        &copy,
        &copy.join("events.sqlite"),
    ] {
        let mode = std::fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

#[tokio::test]
async fn what_follows_the_log_is_closed_also_in_a_folder_that_is_open() {
    let data = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(data.path(), PermissionsExt::from_mode(0o755)).expect("opened");
    let path = data.path().join("gaps.sqlite");
    // As an older version made it.
    std::fs::write(&path, "").expect("written");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("opened");
    let gaps = GapFile::open(data.path()).await.expect("it opens");
    for name in ["gaps.sqlite", "gaps.sqlite-wal", "gaps.sqlite-shm"] {
        let mode = std::fs::metadata(data.path().join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    gaps.close().await;
}
