/// Zero to nineteen.
const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
/// Twenty to ninety.
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// What a lower-case English word is worth that alone means a number below a hundred.
///
/// Only the words of the dictionary: what else may stand for a number ("oh", "nil", "fourty") each
/// reader decides for itself.
pub fn number_of(word: &str) -> Option<u8> {
    let small = SMALL.iter().position(|small| *small == word);
    let number = small.or_else(|| Some((TENS.iter().position(|tens| *tens == word)? + 2) * 10))?;
    u8::try_from(number).ok()
}

/// A number below a hundred in one or two words.
pub fn number_words(number: u8) -> String {
    let (tens, ones) = (usize::from(number / 10), usize::from(number % 10));
    match (tens, ones) {
        (0 | 1, _) => SMALL[usize::from(number)].to_owned(),
        (_, 0) => TENS[tens - 2].to_owned(),
        _ => format!("{} {}", TENS[tens - 2], SMALL[ones]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_fit_each_other() {
        for number in 0..100 {
            let words = number_words(number);
            let sum: u8 = words.split(' ').map(|word| number_of(word).expect("a number")).sum();
            assert_eq!(sum, number, "{words}");
        }
        assert_eq!(["hundred", "oh", "Two", ""].map(number_of), [None; 4]);
    }
}
