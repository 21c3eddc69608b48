//! What `backchannel check` says of the company's other systems.

use crate::command_line::run;

/// What is printed, and what is complained of.
fn check(settings: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, settings).expect("it is written");
    let file = file.display().to_string();
    let (_, printed, complaints) = run(&["check", "--config", &file]);
    (printed, complaints)
}

const RIGHT: &str = r#"
[crm]
system = "zendesk"
url = "https://example.zendesk.com"
token = "key-1"
login = { user = "copilot@example.org" }
options = { tier_field = "plan" }
[mail]
from = "support@example.org"
imap = "imaps://mail.example.org"
password = "key-2"
[team]
system = "workflows"
rooms = { help = "https://flow.example.org/key-3" }
"#;

#[test]
fn systems_are_told_without_their_keys() {
    let (printed, complaints) = check(RIGHT);
    for line in [
        "# crm: zendesk, called \"crm\"",
        "# mail: imap, called \"mailbox\"",
        "# team: workflows, called \"team\"",
    ] {
        assert!(printed.lines().any(|one| one == line), "{line} in {printed}");
    }
    assert!(!printed.contains("key-") && !complaints.contains("key-"), "{printed}\n{complaints}");
    for section in ["crm.", "mail.", "team."] {
        assert!(!complaints.contains(section), "{complaints}");
    }
}

#[test]
fn wrong_ones_are_told_by_their_settings() {
    let wrong = RIGHT
        .replace("tier_field", "tier")
        .replace("password = \"key-2\"", "")
        .replace("\"workflows\"", "\"irc\"");
    let (printed, complaints) = check(&wrong);
    for told in [
        "crm.options.tier: unknown field",
        "mail.password: is missing",
        "team.system: is matrix, slack",
    ] {
        assert!(complaints.lines().any(|line| line.starts_with(told)), "{told} in {complaints}");
    }
    assert!(!printed.contains("# crm:"), "{printed}");
}
