mod doubtful;

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    let text = Redacted::vouched(text);
    display_text(&text).unwrap_or(text).as_str().to_owned()
}

/// What is heard and how it is written.
const WRITTEN: &[(&str, &str)] = &[
    // Plain numbers.
    ("I have twelve of them.", "I have 12 of them."),
    ("Twenty-three people waited.", "23 people waited."),
    ("twenty three people", "23 people"),
    ("forty-two", "42"),
    ("It is one hundred and five metres", "It is 105 metres"),
    ("one hundred five", "105"),
    ("three hundred", "300"),
    ("two thousand three hundred and fifty", "2,350"),
    ("ten thousand", "10,000"),
    ("two hundred and fifty thousand", "250,000"),
    ("two million customers", "2 million customers"),
    ("two point five million", "2.5 million"),
    ("three point five", "3.5"),
    ("zero point two five", "0.25"),
    ("three point oh five", "3.05"),
    ("ten out of twelve", "10 out of 12"),
    ("ten to fifteen days", "10 to 15 days"),
    ("fifteen, twenty or thirty", "15, 20 or 30"),
    ("within fourteen days.", "within 14 days."),
    ("(eleven)", "(11)"),
    ("a hundred and twenty", "120"),
    ("eighty-five megabits", "85 megabits"),
    ("ten pounds of potatoes", "10 pounds of potatoes"),
    ("ten to fifteen pounds", "10 to 15 pounds"),
    ("ninety nine times", "99 times"),
    // Amounts.
    ("forty-two pounds fifty", "£42.50"),
    ("It was forty-two pounds fifty.", "It was £42.50."),
    ("forty two pounds and fifty pence", "£42.50"),
    ("forty two pounds fifty pence", "£42.50"),
    ("42 pounds 50", "£42.50"),
    ("42 pounds", "£42"),
    ("42.50 pounds", "£42.50"),
    ("one pound", "£1"),
    ("five pounds", "£5"),
    ("nine pounds ninety-nine", "£9.99"),
    ("nine pounds ninety-nine a month", "£9.99 a month"),
    ("five pounds and five pence", "£5.05"),
    ("five pounds five pence", "£5.05"),
    ("twenty pence", "20p"),
    ("fifty p", "50p"),
    ("twenty dollars", "$20"),
    ("one dollar", "$1"),
    ("two dollars and five cents", "$2.05"),
    ("nineteen dollars ninety five", "$19.95"),
    ("twenty thousand dollars", "$20,000"),
    ("one point five million dollars", "$1.5 million"),
    ("three million pounds", "£3 million"),
    ("a hundred euros", "€100"),
    ("thirty euros", "€30"),
    ("2,500 euros", "€2,500"),
    ("twelve point five pounds", "£12.50"),
    ("eighteen pounds, twenty pounds", "£18, £20"),
    ("I paid thirty pounds twice", "I paid £30 twice"),
    ("three hundred and nine pounds", "£309"),
    ("ten pounds five times", "£10 five times"),
    // Percentages.
    ("five percent", "5%"),
    ("twelve per cent", "12%"),
    ("12 percent", "12%"),
    ("four point five percent", "4.5%"),
    ("a hundred percent", "100%"),
    ("one hundred percent.", "100%."),
    ("nought point five", "nought point five"),
    // Dates.
    ("the third of May", "the 3rd of May"),
    ("on the twenty-first of June", "on the 21st of June"),
    ("on the twenty first of June twenty twenty-six", "on the 21st of June 2026"),
    ("the first of January nineteen eighty-four", "the 1st of January 1984"),
    ("the second of March two thousand and five", "the 2nd of March 2005"),
    ("the thirtieth of September", "the 30th of September"),
    ("thirty-first of December", "31st of December"),
    ("May third", "May 3rd"),
    ("May the fourth", "May the 4th"),
    ("June twenty-second", "June 22nd"),
    ("July fourth, please", "July 4th, please"),
    ("on March twelfth", "on March 12th"),
    ("on November thirteenth twenty twenty five", "on November 13th 2025"),
    ("since twenty nineteen", "since 2019"),
    ("in nineteen ninety-nine", "in 1999"),
    ("in twenty oh five", "in 2005"),
    ("in two thousand and eight", "in 2008"),
    ("January twenty twenty six", "January 2026"),
    // Times.
    ("at nine thirty", "at 9:30"),
    ("at nine thirty a.m.", "at 9:30 a.m."),
    ("nine a.m.", "9 a.m."),
    ("nine am", "9 am"),
    ("seven pm tomorrow", "7 pm tomorrow"),
    ("five p m", "5 p.m."),
    ("ten fifteen pm", "10:15 pm"),
    ("10 15 pm", "10:15 pm"),
    ("at nine oh five", "at 9:05"),
    ("nine o'clock", "9 o'clock"),
    ("twelve o'clock sharp", "12 o'clock sharp"),
    ("at half past nine", "at 9:30"),
    ("by quarter to one", "by 12:45"),
    ("at a quarter past three", "at 3:15"),
    ("from eight thirty to five thirty pm", "from 8:30 to 5:30 pm"),
    ("until seventeen thirty.", "until 17:30."),
    // E-mail and web addresses.
    ("john dot smith at example dot com", "john.smith@example.com"),
    ("It's john dot smith at example dot com.", "It's john.smith@example.com."),
    ("John dot Smith at Example dot co dot uk", "john.smith@example.co.uk"),
    ("jo underscore b at larkfield dot example", "jo_b@larkfield.example"),
    ("my email is emma at example dot org", "my email is emma@example.org"),
    ("write to help at example dot net please", "write to help@example.net please"),
    ("j dash doe at mail dash box dot com", "j-doe@mail-box.com"),
    ("john dot smith two at example dot com", "john.smith2@example.com"),
    ("go to example dot com", "go to example.com"),
    ("look at example dot com", "look at example.com"),
    ("contact us at example dot com", "contact us at example.com"),
    ("www dot example dot org", "www.example.org"),
    // Telephone numbers and codes.
    ("oh seven seven double oh nine double oh one two three", "07700 900123"),
    ("zero two zero seven nine four six zero nine five eight", "020 7946 0958"),
    ("zero one six three two nine six zero one two three", "01632 960123"),
    ("plus four four seven seven zero zero nine zero zero one two three", "+44 7700 900123"),
    ("four seven one one", "4711"),
    ("4 7 1 1", "4711"),
    ("my account number is six one four two", "my account number is 6142"),
    ("extension two oh one", "extension 201"),
    ("the code is triple seven", "the code is triple seven"),
    ("reference five double six", "reference 566"),
    ("zip code nine oh two one oh", "zip code 90210"),
    ("five five five oh one double zero", "5550100"),
    ("1 2 three 4", "1234"),
    // Postcodes.
    ("S W one A one A A", "SW1A 1AA"),
    ("SW1A one AA", "SW1A 1AA"),
    ("M one one A E", "M1 1AE"),
    ("my postcode is B three three eight T H.", "my postcode is B33 8TH."),
    ("C R two six X H", "CR2 6XH"),
    ("D N five five one P T please", "DN55 1PT please"),
    ("E C one A one B B", "EC1A 1BB"),
];

/// What must stay as it is.
const SAME: &[&str] = &[
    "",
    " ",
    ".",
    "one of those",
    "I have one question",
    "at home dot",
    "a second",
    "one second",
    "just a second, please",
    "no one told me",
    "one by one",
    "one or two things",
    "two of us",
    "three times",
    "the first one",
    "the second time",
    "a third party",
    "second hand",
    "may third parties see it",
    "May third parties see it",
    "march second in line",
    "a hundred times",
    "hundreds of people",
    "a thousand thanks",
    "a million thanks",
    "twenty four seven",
    "fifty fifty",
    "one twenty",
    "ten to five",
    "ten past five",
    "nine to five",
    "one, two, three",
    "one two three go",
    "one and a half",
    "twenty and a half",
    "two or three hundred pounds",
    "a couple hundred dollars",
    "a few hundred pounds",
    "press the pound key",
    "a pound of flesh",
    "oh one of those",
    "oh, okay",
    "oh no",
    "zero",
    "at this point",
    "I have one point to make",
    "point taken",
    "Dot at home",
    "dot dot dot",
    "look at that",
    "I am at work",
    "meet me at eight",
    "at one of those",
    "at sixes and sevens",
    "May I ask",
    "he may march",
    "in March",
    "the May fair",
    "first of all",
    "the first of many",
    "second of all",
    "one for all",
    "My card is [card-1].",
    "[digits-1] [digits-2]",
    "twenty-[digits-1]",
    "one [card-1] two",
    "•••• one two",
    "£42.50",
    "42%",
    "9:30",
    "07700 900123",
    "4711",
    "SW1A 1AA",
    "2,350",
    "john.smith@example.com",
    "at 9:30 a.m. sharp",
    "2 p.m.",
    "I",
    "A one A",
    "a b c",
    "someone at example",
    "per cent",
    "percent",
    "pounds",
    "o'clock",
    "half past",
    "quarter to",
    "double",
    "double trouble",
    "plus one",
    "plus",
    "and",
    "hundred",
    "thousand",
    "million",
    "three four",
    "for two to too",
    "won ate",
    "forty five thirty nine",
    "a one and a two",
    "the twenty-somethings",
    "six-pack",
    "ten-year-old",
    "x-ray",
    "-",
    "--",
    "seven of nine pounds of weight",
    "the year one",
    "nineteen eighty four was a year",
    "dash it all",
    "under score",
    "hyphen",
    "…",
    "\u{a0}",
    "\"one\"",
    "Bonjour, je voudrais",
    "uno dos tres",
    "5 of 7",
    "at 5",
    "number one",
    "it is one",
];

#[test]
fn what_is_said_is_written_as_people_write_it() {
    let wrong: Vec<String> = WRITTEN
        .iter()
        .filter(|(said, written)| shown(said) != *written)
        .map(|(said, written)| format!("{said:?}: {:?}, not {written:?}", shown(said)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_may_mean_something_else_stays() {
    let changed: Vec<String> = SAME
        .iter()
        .filter(|said| shown(said) != **said)
        .map(|said| format!("{said:?} became {:?}", shown(said)))
        .collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

#[test]
fn no_display_text_without_a_difference() {
    assert_eq!(display_text(&Redacted::vouched("one of those")), None);
}

/// Words of which the rules are made, and others, in any order.
fn words() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "one",
        "two",
        "nine",
        "ten",
        "twelve",
        "twenty",
        "forty-two",
        "hundred",
        "thousand",
        "million",
        "point",
        "and",
        "a",
        "oh",
        "zero",
        "double",
        "triple",
        "pounds",
        "dollars",
        "p",
        "pence",
        "percent",
        "per",
        "cent",
        "third",
        "first",
        "twenty-first",
        "of",
        "May",
        "June",
        "at",
        "by",
        "am",
        "p.m.",
        "o'clock",
        "half",
        "past",
        "quarter",
        "to",
        "dot",
        "com",
        "uk",
        "john",
        "dash",
        "S",
        "W",
        "A",
        "SW1A",
        "1AA",
        "5",
        "42",
        "2,500",
        "42.50",
        "£42",
        "9:30",
        "0",
        "07700",
        "plus",
        "four",
        "or",
        "in",
        "since",
        "number",
        "is",
        "email",
        "well,",
        "one.",
        "twenty,",
        "[card-1]",
        "[digits-2].",
        "••••",
        "",
    ];
    proptest::collection::vec(proptest::sample::select(WORDS), 0..14)
        .prop_map(|words| words.join(" "))
}

fn masks(text: &str) -> Vec<String> {
    let masked = |word: &&str| word.contains(['[', '•']);
    text.split(' ').filter(masked).map(ToOwned::to_owned).collect()
}

proptest! {
    #[test]
    fn the_written_form_is_settled_and_keeps_its_masks(text in words()) {
        let once = shown(&text);
        prop_assert_eq!(&shown(&once), &once, "from {:?}", text);
        prop_assert_eq!(masks(&once), masks(&text));
    }

    #[test]
    fn any_text_is_taken(text in any::<String>()) {
        let once = shown(&text);
        prop_assert_eq!(&shown(&once), &once);
        prop_assert_eq!(masks(&once), masks(&text));
    }
}
