//! What a reviewer of real calls stumbled over: where two readings are possible, words stay as said.

use super::shown;

const WRITTEN: &[(&str, &str)] = &[
    ("two million five hundred thousand pounds", "£2,500,000"),
    ("one thousand and two hundred pounds", "£1,200"),
    ("two hundred or three hundred pounds", "200 or 300 pounds"),
    ("one hundred and two thousand pounds", "£102,000"),
    ("the twenty third", "the 23rd"),
    ("twenty third May", "23rd May"),
    ("it weighs ten pounds", "it weighs 10 pounds"),
    ("the baby was seven pounds eleven ounces", "the baby was seven pounds 11 ounces"),
    ("five p m", "5 p.m."),
    ("at five p m please", "at 5 p.m. please"),
    ("in nineteen hundred and fifty", "in 1950"),
    ("the order is four five six", "the order is 456"),
    ("oh one one seven four nine six oh one two three", "0117 496 0123"),
    ("oh one two one four nine six oh one two three", "0121 496 0123"),
    ("oh three three three one two three four five six seven", "0333 123 4567"),
    ("oh eight oh eight one five seven oh one two three", "0808 157 0123"),
    ("oh eight hundred one five seven oh one two three", "0800 157 0123"),
    ("plus four four one one seven four nine six oh one two three", "+44 117 496 0123"),
    ("my email is john at example dot com", "my email is john@example.com"),
    (
        "on the third of May twenty twenty four people came",
        "on the 3rd of May twenty twenty four people came",
    ),
    ("I paid ten pounds and twenty dollars", "I paid £10 and $20"),
    ("at nineteen thirty", "at 19:30"),
    ("I have twelve and she has thirty", "I have 12 and she has 30"),
    ("my code is oh eight three", "my code is 083"),
    ("the twenty first of June", "the 21st of June"),
    ("the fifth June", "the 5th June"),
    ("call me at nine thirty", "call me at 9:30"),
    (
        "my number is oh seven seven double oh nine double oh one two three and my name is",
        "my number is 07700 900123 and my name is",
    ),
    (
        "we have two hundred and fifty customers and twelve of them",
        "we have 250 customers and 12 of them",
    ),
    ("a hundred and twenty pounds", "£120"),
    ("it went up from twenty pounds to thirty pounds", "it went up from £20 to £30"),
    ("twenty five pounds a month for twenty four months", "£25 a month for 24 months"),
    ("two hundred and fifty pounds and thirty pence", "£250.30"),
    ("nine hundred and ninety nine pounds", "£999"),
    ("one point two million pounds", "£1.2 million"),
    ("three hundred thousand", "300,000"),
    ("since two thousand nineteen", "since 2019"),
    ("in twenty nineteen", "in 2019"),
    ("in twenty nineteen we had", "in 2019 we had"),
    (
        "I waited for forty five minutes and twenty seconds",
        "I waited for 45 minutes and 20 seconds",
    ),
    ("fifteen hundred pounds", "£1,500"),
    ("nineteen hundred and fifty pounds", "£1,950"),
    ("two thousand nineteen pounds", "£2,019"),
    ("M one one A A thanks", "M1 1AA thanks"),
    ("yes it's john dot smith at gmail dot com", "yes it's john.smith@gmail.com"),
    ("the website is example dot com thanks", "the website is example.com thanks"),
    ("ten to twenty percent", "10 to 20 percent"),
    ("the twenty first and the twenty second", "the 21st and the 22nd"),
    ("at five o'clock", "at 5 o'clock"),
    ("ten pounds fifty and five pounds", "£10.50 and £5"),
];

const SAME: &[&str] = &[
    "between one and two hundred pounds",
    "between twenty and thirty pounds",
    "ten or twenty thousand pounds",
    "ten to fifteen thousand pounds",
    "one hundred and two hundred pounds",
    "two million and five hundred thousand pounds",
    "one billion two hundred million pounds",
    "between one thousand and two thousand pounds",
    "2 million 500 thousand pounds",
    "on the twenty third May we moved",
    "the two hundred and first customer",
    "two hundred and first",
    "twenty first century",
    "the twenty first century",
    "a twenty second wait",
    "First May I ask",
    "about nine fifty a month",
    "I only paid about five fifty.",
    "from nine fifty to twelve fifty a month",
    "by five thirty each",
    "I live at twelve forty two",
    "nine am I right",
    "ten am I right",
    "twenty five pm",
    "twenty five p m",
    "nineteen pounds, ninety nine",
    "It is nineteen pounds, ninety nine.",
    "in twenty twenty four weeks",
    "in two thousand and ten days",
    "before twenty ten",
    "until twenty thirty",
    "two thousand nineteen",
    "nineteen hundred hours",
    "the order is four five six weeks late",
    "one hundred pounds and fifty",
    "oh eight hundred hours",
    "my email is john smith at example dot com",
    "I got an email yesterday at example dot com",
    "my email about the order at example dot com",
    "the dot com boom",
    "red dot net curtains",
    "I one one A A",
    "my email is john smith dot jones at example dot com",
    "twenty and thirty pounds",
    "it's one two three go",
    "it was nineteen pounds, ninety nine a month",
    "I'll be there about nine thirty tomorrow",
    "a million pounds",
    "two million five",
    "three or four hundred",
    "between ten and twenty percent",
    "the eleventh and twelfth",
];

#[test]
fn what_has_one_reading_only_is_written() {
    for (said, written) in WRITTEN {
        assert_eq!(shown(said), *written, "from {said:?}");
    }
}

#[test]
fn what_has_two_readings_stays() {
    for said in SAME {
        assert_eq!(shown(said), *said);
    }
}
