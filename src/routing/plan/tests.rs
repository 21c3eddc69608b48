//! Mistakes of a plan, each with its place and what to write instead.

use super::{from_json, from_toml};

const SOUND: &str = r#"
mode = "active"
skills = [{ name = "billing", highest = 5 }]
profiles = [{ name = "call", limit = 1 }]
groups = [{ name = "experts" }]
[[hours]]
name = "office"
time_zone = "Europe/Berlin"
open = [{ days = ["monday"], from = "08:00", to = "18:00" }]
holidays = [2026-12-25]
[[queues]]
name = "billing"
channel = "voice"
[[agents]]
name = "ana"
queues = ["billing"]
profiles = [{ profile = "call" }]
[[workstreams]]
name = "calls"
channel = "voice"
fallback_queue = "billing"
profiles = ["call"]
"#;

/// `place: what; instead` of each mistake.
fn mistakes(toml: &str) -> Vec<String> {
    let told = |mistakes: Vec<super::Mistake>| -> Vec<String> {
        mistakes.iter().map(ToString::to_string).collect()
    };
    from_toml(toml).err().map(told).unwrap_or_default()
}

#[test]
fn a_sound_plan_has_no_mistakes() {
    assert_eq!(mistakes(SOUND), [] as [&str; 0]);
    assert_eq!(mistakes(""), [] as [&str; 0]);
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order_with_line_and_column() {
    let text = r#"mode = "activ"
seeds = 3
[[queues]]
name = "billing"
chanel = "voice"
priority = "high"
[[queues]]
name = "billing"
channel = "voice"
overflow.after = [{ wait_s = 30, action = "callback" }]
[[agents]]
name = "ana"
queues = ["biling"]
"#;
    assert_eq!(
        mistakes(text),
        [
            "mode (line 1, column 1): `activ` is no word here; write `active`",
            "seeds (line 2, column 1): `seeds` is no field of a plan here; write `seed`",
            "queues[0].channel (line 3, column 1): a channel is missing; write `voice`, `messaging` or `record`",
            "queues[0].chanel (line 5, column 1): `chanel` is no field here; write `channel`",
            "queues[0].priority (line 6, column 1): `high` doesn't fit here; write a whole number, 0 or more",
            "queues[1].name (line 8, column 1): queues[0] has this name too; write another one",
            "queues[1].overflow.after[0].wait_s (line 10, column 21): 30 s is too small; write 60 to 3600",
            "agents[0].queues[0] (line 13, column 11): there is no queue `biling`; write `billing`",
        ]
    );
}

/// What is added to a sound plan, and the place and the words that must be told.
const CASES: &[(&str, &str, &str)] = &[
    // Queues.
    (
        "[[queues]]\nname = \"m\"\nchannel = \"messaging\"\nmethod = \"least_active\"",
        "queues[1].method",
        "voice queues only",
    ),
    (
        "[[queues]]\nname = \"c\"\nchannel = \"voice\"\nmethod = \"custom\"",
        "queues[1].assignment",
        "needs rules",
    ),
    (
        "[[queues]]\nname = \"c\"\nchannel = \"voice\"\nhours = \"ofice\"",
        "queues[1].hours",
        "write `office`",
    ),
    (
        "[[queues]]\nname = \"c\"\nchannel = \"voice\"\nassignment = [{ name = \"a\" }]",
        "queues[1].assignment",
        "only method `custom`",
    ),
    // Overflow before queueing: limits and actions by channel.
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.before = [{ when = \"item_limit\", limit = 101, action = \"end\" }]",
        "queues[1].overflow.before[0].limit",
        "write 1 to 100",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.before = [{ when = \"predicted_wait\", wait_s = 29, action = \"end\" }]",
        "queues[1].overflow.before[0].wait_s",
        "write 30 to 3600",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"messaging\"\noverflow.before = [{ when = \"predicted_wait\", wait_s = 30, action = \"end\" }]",
        "queues[1].overflow.before[0].when",
        "can't have `predicted_wait`",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"record\"\noverflow.before = [{ when = \"item_limit\", limit = 3, action = \"queue_anyway\" }]",
        "queues[1].overflow.before[0].when",
        "can't have `item_limit`",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"messaging\"\noverflow.before = [{ when = \"item_limit\", limit = 3, action = \"callback\" }]",
        "queues[1].overflow.before[0].action",
        "`queue_anyway`, `end`, `queue`",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.before = [{ when = \"out_of_hours\", action = \"end\" }]",
        "queues[1].hours",
        "needs hours",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.before = [{ when = \"item_limit\", limit = 3, action = \"external\", number = \"0301234\" }]",
        "queues[1].overflow.before[0].number",
        "`0301234` is no international number",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.before = [{ when = \"item_limit\", action = \"end\" }]",
        "queues[1].overflow.before[0].limit",
        "it is missing; write 1 to 100 items",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.before = [{ when = \"item_limit\", limit = 3, action = \"external\", number = \"4111 1111 1111 1111\" }]",
        "queues[1].overflow.before[0].number",
        "`[card-1]` is no international number",
    ),
    // Overflow after queueing.
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.after = [{ action = \"callback\" }]",
        "queues[1].overflow.after[0].wait_s",
        "it is missing; write 60 to 3600 s",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"messaging\"\noverflow.after = [{ wait_s = 172801, action = \"end\" }]",
        "queues[1].overflow.after[0].wait_s",
        "write 60 to 172800",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"record\"\noverflow.after = [{ wait_s = 179, action = \"queue\", queue = \"billing\" }]",
        "queues[1].overflow.after[0].wait_s",
        "write 180 to 172800",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.after = [{ wait_s = 60, action = \"end\" }]",
        "queues[1].overflow.after[0].action",
        "isn't possible",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"voice\"\noverflow.after = [{ wait_s = 60, action = \"queue\", queue = \"bill\" }]",
        "queues[1].overflow.after[0].queue",
        "write `billing`",
    ),
    // Bullseye levels.
    (
        "[[queues]]\nname = \"b\"\nchannel = \"voice\"\nbullseye.levels = [{ wait_s = 5, groups = [\"experts\"] }]",
        "queues[1].bullseye.levels[0].wait_s",
        "begins at once",
    ),
    (
        "[[queues]]\nname = \"b\"\nchannel = \"voice\"\nbullseye.levels = [{ groups = [\"experts\"] }, { wait_s = 29, groups = [\"experts\"] }]",
        "queues[1].bullseye.levels[1].wait_s",
        "at least 30",
    ),
    (
        "[[queues]]\nname = \"b\"\nchannel = \"voice\"\nbullseye.levels = [{ groups = [\"experts\"] }, { wait_s = 30, groups = [\"experts\"] }, { wait_s = 39, groups = [\"experts\"] }]",
        "queues[1].bullseye.levels[2].wait_s",
        "write 30 or at least 40",
    ),
    (
        "[[queues]]\nname = \"b\"\nchannel = \"voice\"\nbullseye.levels = [{ groups = [\"expert\"] }]",
        "queues[1].bullseye.levels[0].groups[0]",
        "write `experts`",
    ),
    // Workstreams and their rules.
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"messaging\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]",
        "workstreams[1].fallback_queue",
        "is a voice queue",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"",
        "workstreams[1].profiles",
        "any number",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\nroutes = [{ name = \"r\", shares = [{ queue = \"billing\", percent = 90 }] }]",
        "workstreams[1].routes[0].shares",
        "make 90 per cent",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\nroutes = [{ name = \"r\", shares = [{ queue = \"billing\", percent = 50 }, { queue = \"billing\", percent = 50 }] }]",
        "workstreams[1].routes[0].shares[1].queue",
        "has a share already",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\nroutes = [{ name = \"r\" }]",
        "workstreams[1].routes[0].queue",
        "write `queue` or `shares`",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\nclassification = [{ rules = [{ name = \"r\", skills = { billing = 6 } }] }]",
        "workstreams[1].classification[0].rules[0].skills.billing",
        "write 1 to 5",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\nclassification = [{ rules = [{ name = \"r\", set = { a = 1 }, when = { attribute = \"a\" } }] }]",
        "workstreams[1].classification[0].rules[0].when",
        "nothing is asked of the attribute `a`; write one of `is`, `is_not`",
    ),
    (
        "[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\nclassification = [{ rules = [{ name = \"r\", set = { a = 1 }, when = { all = [{ is = 3 }] } }] }]",
        "workstreams[1].classification[0].rules[0].when.all[0].attribute",
        "is missing",
    ),
    // What doesn't fit is told as it stands.
    (
        "[[agents]]\nname = 3",
        "agents[1].name",
        "`3` doesn't fit here; write a text in quotation marks",
    ),
    (
        "[[agents]]\nname = \"g\"\nqueues = \"billing\"",
        "agents[1].queues",
        "`billing` doesn't fit here; write a list",
    ),
    (
        "[[agents]]\nname = \"g\"\nskills = { billing = 300 }",
        "agents[1].skills.billing",
        "`300` doesn't fit here; write a whole number from 0 to 255",
    ),
    // Agents, hours, limits.
    (
        "[[agents]]\nname = \"b\"\nskills = { bling = 3 }",
        "agents[1].skills.bling",
        "write `billing`",
    ),
    (
        "[[agents]]\nname = \"b\"\ntime_zone = \"Mars/Base\"",
        "agents[1].time_zone",
        "no such time zone as `Mars/Base`",
    ),
    (
        "[[hours]]\nname = \"h\"\ntime_zone = \"UTC\"\nopen = [{ days = [\"monday\"], from = \"8\", to = \"25:00\" }]",
        "hours[1].open[0].to",
        "`25:00` is no time of a day",
    ),
    (
        "[[hours]]\nname = \"h\"\ntime_zone = \"UTC\"\nopen = [{ days = [\"monday\", \"noday\"], from = \"08:00\", to = \"09:00\" }]",
        "hours[1].open[0].days[1]",
        "`noday` is no word here",
    ),
    (
        "[[hours]]\nname = \"h\"\ntime_zone = \"UTC\"\nholidays = [\"christmas\"]",
        "hours[1].holidays[0]",
        "`christmas` is no day; write year, month and day, such as `2026-12-25`",
    ),
    (
        "[[hours]]\nname = \"h\"\ntime_zone = \"UTC\"\nopen = [{ days = [\"monday\"], from = \"08:00\", to = \"08:00\" }]",
        "hours[1].open[0].to",
        "`08:00` is where it begins",
    ),
    // Overflow to itself.
    (
        "[[queues]]\nname = \"o\"\nchannel = \"messaging\"\noverflow.after = [{ wait_s = 60, action = \"queue\", queue = \"o\" }]",
        "queues[1].overflow.after[0].queue",
        "the queue that overflows",
    ),
    (
        "[[queues]]\nname = \"o\"\nchannel = \"messaging\"\noverflow.before = [{ when = \"item_limit\", limit = 1, action = \"queue\", queue = \"o\" }]",
        "queues[1].overflow.before[0].queue",
        "the queue that overflows",
    ),
    // Routes.
    (
        "routes = [{ name = \"r\", queue = \"billing\" }, { name = \"r\", queue = \"billing\" }]",
        "workstreams[0].routes[1].name",
        "another route has this name",
    ),
    (
        "routes = [{ name = \"r\", queue = \"billing\", when = { attribute = \"a\", contains = \"\" } }]",
        "workstreams[0].routes[0].when.contains",
        "write a part",
    ),
    (
        "routes = [{ name = \"r\", queue = \"billing\", when = { attribute = \"a\", is = \"b\", newer_than_s = -1 } }]",
        "workstreams[0].routes[0].when.newer_than_s",
        "too small",
    ),
    // Answers and shifts.
    (
        "[[queues]]\nname = \"q\"\nchannel = \"voice\"\nanswer_within_s = 4",
        "queues[1].answer_within_s",
        "write 5 to 86400",
    ),
    (
        "[[agents]]\nname = \"a\"\nshifts = [{ days = [\"monday\"], from = \"8\", to = \"16:00\" }]",
        "agents[1].shifts[0].from",
        "no time of a day",
    ),
];

#[test]
fn with_shifts_everybody_needs_some() {
    let agent =
        |shifts: &str| mistakes(&format!("shift_based = true\n[[agents]]\nname = \"a\"\n{shifts}"));
    let found = agent("");
    assert!(found[0].starts_with("agents[0].shifts (line "), "{found:?}");
    assert!(agent("shifts = []").is_empty());
}

#[test]
fn an_offer_has_half_a_minute_but_a_record_all_the_time() {
    let queue = |name, channel, more| {
        format!("[[queues]]\nname = \"{name}\"\nchannel = \"{channel}\"\n{more}\n")
    };
    let text = queue("a", "voice", "")
        + &queue("b", "messaging", "answer_within_s = 0")
        + &queue("c", "messaging", "answer_within_s = 7.5")
        + &queue("d", "record", "");
    let plan = from_toml(&text).expect("a sound plan");
    let within: Vec<_> = plan.queues.iter().map(|queue| queue.answer_within_ms).collect();
    assert_eq!(within, [Some(30_000), None, Some(7_500), None]);
}

#[test]
fn every_limit_and_every_name_is_checked_where_it_stands() {
    for (added, place, words) in CASES {
        let found = mistakes(&format!("{SOUND}{added}"));
        let is_told = |mistake: &String| {
            mistake.starts_with(&format!("{place} (")) && mistake.contains(words)
        };
        assert!(found.iter().any(is_told), "{added}\nwants {place}: {words}, tells {found:#?}");
    }
}

#[test]
fn more_than_five_shares_are_too_many() {
    let share = "{ queue = \"billing\", percent = 16 }, ".repeat(6);
    let found = mistakes(&format!(
        "{SOUND}[[workstreams]]\nname = \"w\"\nchannel = \"voice\"\nfallback_queue = \"billing\"\nprofiles = [\"call\"]\n\
         routes = [{{ name = \"r\", shares = [{share}] }}]"
    ));
    assert!(
        found.iter().any(|mistake| mistake.contains("6 queues are too many; write up to 5")),
        "{found:#?}"
    );
}

#[test]
fn all_mistakes_of_syntax_are_told() {
    let found = mistakes("mode = \nseed = = 3\n");
    assert!(found.len() >= 2, "{found:?}");
    assert!(found[0].starts_with("the plan (line 1, column"), "{found:?}");
}

#[test]
fn json_has_the_same_places_without_lines() {
    let found = from_json(r#"{"mode": "off", "queues": [{"name": "q"}, 3], "agents": {}}"#);
    let told: Vec<String> = found.unwrap_err().iter().map(ToString::to_string).collect();
    let places: Vec<&str> = told.iter().filter_map(|mistake| mistake.split(':').next()).collect();
    assert_eq!(places, ["agents", "queues[0].channel", "queues[1]"]);
    for list in ["[]", "[\"off\"]", "3"] {
        let told = from_json(list).unwrap_err();
        assert_eq!(told[0].to_string(), "the plan: it has to be an object; write one JSON object");
    }
    let broken = from_json("{\"mode\": }").unwrap_err();
    assert_eq!(broken[0].line_column, Some((1, 10)));
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "[[[",
        "queues = 3",
        "queues = [[[]]]",
        "a.b.c = 1",
        "\u{0}",
        "[[queues]]\n[queues.overflow]\nbefore = [[1]]",
    ] {
        let _ = from_toml(text);
        let _ = from_json(text);
    }
}
