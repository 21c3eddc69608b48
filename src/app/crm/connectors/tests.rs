use super::*;

fn made(text: &str) -> Result<Systems, AppError> {
    let config: Config = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    systems(&config, TimeZone::get("Europe/London").expect("a zone"))
}

const OFFICE: &str = r#"
[mail]
from = "support@example.org"
imap = "imaps://mail.example.org"
smtp = "smtp://mail.example.org:587"
password = "s"
[calendar]
url = "https://dav.example.org/calendars/support/calls/"
user = "support"
password = "s"
[team]
system = "matrix"
url = "https://matrix.example.org"
user = "@copilot:example.org"
token = "t"
room = "!help:example.org"
"#;

#[test]
fn all_places_are_made_with_their_names() {
    let text = format!("{OFFICE}[crm]\nsystem = 'hubspot'\nname = 'sales'\ntoken = 'k'");
    let systems = made(&text).unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<(&str, &str, &str)> = systems
        .destinations
        .iter()
        .map(|(name, kind, system, to)| {
            assert_eq!(to.name(), name);
            (name.as_str(), *kind, *system)
        })
        .collect();
    let expected = [
        ("sales", "crm", "hubspot"),
        ("mailbox", "mail", "imap"),
        ("calendar", "calendar", "caldav"),
        ("team", "team", "matrix"),
    ];
    assert_eq!(all, expected);
    let outcome = &systems.settings.outcome;
    assert_eq!(
        (outcome.crm.as_deref(), outcome.mailbox.as_deref()),
        (Some("sales"), Some("mailbox"))
    );
    assert_eq!(
        outcome.sender.as_ref().map(|one| one.address.as_str()),
        Some("support@example.org")
    );
    assert!(made("").unwrap_or_else(|error| panic!("{error}")).destinations.is_empty());
}

#[test]
fn invitations_go_by_mail_where_nobody_else_sends_them() {
    let invites =
        |text: &str| made(text).unwrap_or_else(|error| panic!("{error}")).settings.outcome.invites;
    assert!(invites(OFFICE));
    for other in [
        OFFICE.replace("smtp = ", "# smtp = "),
        OFFICE.replace("user = \"support\"", "user = \"support\"\nserver_invites = true"),
        OFFICE.replace("[calendar]", "[calendar]\norganizer = \"boss@example.org\""),
    ] {
        assert!(!invites(&other), "{other}");
    }
}

#[test]
fn a_region_is_a_country_that_numbers_can_be_of() {
    for (code, right) in [("GB", "GB"), ("de", "DE")] {
        let systems = made(&format!("[crm]\nregion = '{code}'"));
        assert_eq!(systems.unwrap_or_else(|error| panic!("{error}")).settings.region, right);
    }
    for (code, told) in [("UK", "is GB"), ("EL", "is GR"), ("XX", "such as GB"), ("", "such as GB")]
    {
        let error = made(&format!("[crm]\nregion = '{code}'")).err().expect(code).to_string();
        assert!(error.contains("crm.region: must be") && error.contains(told), "{code}: {error}");
    }
}

#[test]
fn every_team_chat_and_mailbox_is_made() {
    for (text, system) in [
        ("[team]\nsystem = 'slack'\ntoken = 'xoxb-1'", "slack"),
        (
            "[team]\nsystem = 'workflows'\nrooms = { help = 'https://flow.example.org/in?sig=1' }",
            "workflows",
        ),
        ("[team]\nsystem = 'bot'\nuser = 'app'\ntoken = 's'", "bot"),
        (
            "[mail]\nfrom = 'a@example.org'\nimap = 'imap+plain://127.0.0.1:1143'\npassword = 's'\n\
             sent_copy = 'servers'",
            "imap",
        ),
        (
            "[mail]\nfrom = 'a@example.org'\nimap = 'imaps://outlook.office365.com'\n\
             login = { tenant = 'example.org', client_id = 'i', client_secret = 's' }",
            "imap",
        ),
    ] {
        let systems = made(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(systems.destinations[0].2, system);
    }
}

#[test]
fn mistakes_name_their_setting() {
    let mail = "[mail]\nfrom = 'a@example.org'\n";
    for (text, told) in [
        ("[mail]\nimap = 'imaps://m'".to_owned(), "mail.from: is missing"),
        (mail.to_owned(), "mail.imap: is missing"),
        (
            format!("{mail}imap = 'm.example.org'\npassword = 's'"),
            "mail.imap: must be imaps://host or imap://host",
        ),
        (format!("{mail}imap = 'imaps://:993'\npassword = 's'"), "mail.imap: must be imaps://host"),
        (
            format!("{mail}imap = 'imaps://m'\nsmtp = 'imaps://m'\npassword = 's'"),
            "mail.smtp: must be smtps://host",
        ),
        (
            format!("{mail}imap = 'imap+plain://m'\npassword = 's'"),
            "mail.imap: plain is for this machine only",
        ),
        (format!("{mail}imap = 'imaps://m'"), "mail.password: is missing; or give mail.login"),
        (
            format!("{mail}imap = 'imaps://m'\nlogin.client_id = 'i'"),
            "mail.login.client_secret: is missing",
        ),
        (
            format!("{mail}imap = 'imaps://m'\nlogin.subject = 's'"),
            "mail.login.subject: isn't used by a mailbox",
        ),
        (
            format!("{mail}imap = 'imaps://m'\nlogin = {{ client_id = 'i', client_secret = 's' }}"),
            "mail.login.tenant: is missing",
        ),
        (
            format!("{mail}imap = 'imaps://m'\npassword = 's'\nca_file = '/none/such'"),
            "mail.ca_file: /none/such holds no",
        ),
        ("[mail]\nfrom = 'nobody'\nimap = 'imaps://m'\npassword = 's'".to_owned(), "mail.from: "),
        ("[calendar]\nuser = 'u'".to_owned(), "calendar.url: is missing"),
        (
            "[calendar]\nurl = 'https://d'".to_owned(),
            "calendar.organizer: is missing; or give mail.from",
        ),
        (
            "[calendar]\nurl = 'https://d'\norganizer = 'a@example.org'".to_owned(),
            "calendar.password: is missing",
        ),
        (
            "[calendar]\nurl = 'dav'\norganizer = 'a@example.org'\npassword = 's'".to_owned(),
            "calendar.url: must be http(s)://host…",
        ),
        ("[team]\ntoken = 't'".to_owned(), "team.system: is missing"),
        (
            "[team]\nsystem = 'irc'".to_owned(),
            "team.system: is matrix, slack, workflows or bot, not \"irc\"",
        ),
        ("[team]\nsystem = 'matrix'\nurl = 'https://m'".to_owned(), "team.token: is missing"),
        (
            "[team]\nsystem = 'matrix'\nurl = 'https://m'\ntoken = 't'\nuser = 'copilot'"
                .to_owned(),
            "team.user: must be of the form @name:server",
        ),
        ("[team]\nsystem = 'workflows'".to_owned(), "team.rooms: must name at least one webhook"),
        (
            "[team]\nsystem = 'bot'\nuser = 'a'\ntoken = 't'\nservice_urls = []".to_owned(),
            "team.service_urls: must name at least one address",
        ),
    ] {
        let error = made(&text).err().unwrap_or_else(|| panic!("{text}: nothing is wrong"));
        assert!(error.to_string().starts_with(told), "{text}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{text}: {error}");
    }
}

#[test]
fn all_sections_are_looked_at_before_the_start_is_refused() {
    let error = made(
        "[crm]\nsystem = 'rt'\n[mail]\nimap = 'imaps://m'\n[calendar]\nuser = 'u'\n[team]\nsystem = 'irc'",
    );
    let error = error.err().expect("all are wrong").to_string();
    let settings: Vec<&str> = error.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(settings, ["crm.url", "mail.from", "calendar.url", "team.system"]);
}

#[test]
fn two_systems_cant_have_one_name() {
    let text = format!("{OFFICE}[crm]\nsystem = 'hubspot'\nname = 'team'\ntoken = 'k'");
    let error = made(&text).err().expect("which is which?").to_string();
    assert_eq!(error, "team.name: is \"team\", as crm.name is");
}
