//! A batch that is killed again and again.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{command, ids, lines, p, summarize, told, write_conversations};

/// Of the long form: `BACKCHANNEL_BATCH_KILLS=10 BACKCHANNEL_BATCH_SIZE=10000`.
fn from_environment(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// A sequence without pattern, the same each time.
fn scattered(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn parts(output: &Path) -> usize {
    let mut folder = output.as_os_str().to_owned();
    folder.push(".work/parts");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "part")).count()
}

#[test]
fn every_conversation_is_there_once_however_often_it_is_killed() {
    let (kills, size) = (
        from_environment("BACKCHANNEL_BATCH_KILLS", 4),
        from_environment("BACKCHANNEL_BATCH_SIZE", 2_000),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("in.jsonl");
    write_conversations(&input, 0..size);
    let (whole, broken) = (folder.path().join("whole.jsonl"), folder.path().join("broken.jsonl"));
    let output = summarize(&[&input, p("-q"), p("-o"), &whole]);
    assert!(output.status.success(), "{}", told(&output));
    // Kills are spread over the work, wherever in a job they may fall: the first while it is planned.
    let all = size.div_ceil(64);
    let (mut seed, mut done) = (7, 0);
    for kill in 0..kills {
        let mut child = command(&[&input, p("-q"), p("-o"), &broken])
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let patience = Instant::now();
        while parts(&broken) < kill * all / (kills + 1) {
            assert!(patience.elapsed() < Duration::from_secs(60), "it stands still");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(scattered(&mut seed) % 12));
        child.kill().expect("it is still there");
        let ended = child.wait().expect("waited for");
        assert_eq!(ended.signal(), Some(9), "it was done before its kill {kill}: {ended}");
        let now = parts(&broken);
        assert!(now >= done, "finished work was lost: {now} of {done} parts");
        done = now;
    }
    assert!(done > 0 && done < all, "{done} of {all} parts were there at the last kill");
    assert!(!broken.exists());
    let output = summarize(&[&input, p("-o"), &broken]);
    assert!(output.status.success(), "{}", told(&output));
    let bytes = |path: &Path| std::fs::read(path).expect("the output");
    assert!(bytes(&whole) == bytes(&broken), "killed {kills} times, and the bytes differ");
    let expected: Vec<String> = (0..size).map(|number| format!("ü-{number:05}")).collect();
    assert_eq!(ids(&broken), expected);
    let mut provenance = broken.as_os_str().to_owned();
    provenance.push(".provenance.jsonl");
    assert_eq!(ids(Path::new(&provenance)), expected);
}

#[test]
fn ctrl_c_stops_in_order_and_the_same_command_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("in.jsonl"), folder.path().join("out.jsonl"));
    write_conversations(&input, 0..6_000);
    let child =
        command(&[&input, p("-o"), &output]).stderr(Stdio::piped()).spawn().expect("it runs");
    let patience = Instant::now();
    while parts(&output) == 0 && patience.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(interrupted.success());
    let stopped = child.wait_with_output().expect("it ends");
    assert_eq!(stopped.status.code(), Some(130), "{}", told(&stopped));
    assert!(told(&stopped).contains("run the same command to go on"), "{}", told(&stopped));
    assert!(!output.exists());
    let before = parts(&output);
    assert!(before > 0);
    let finished = summarize(&[&input, p("-o"), &output]);
    assert!(finished.status.success(), "{}", told(&finished));
    assert_eq!(lines(&output).len(), 6_000);
    let again = summarize(&[&input, p("-o"), &output]);
    assert!(again.status.success());
    assert!(told(&again).contains("complete already: 6000 of 6000"), "{}", told(&again));
}
