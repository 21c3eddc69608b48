/// Digits before the exponent: more would not come back as they went.
const DIGITS_MAX: u8 = 15;
const EXPONENT_DIGITS_MAX: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Sign,
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    ESign,
    Exponent,
}

/// Inside a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    part: Part,
    digits: u8,
    is_whole_number: bool,
}

impl Number {
    /// After its first byte, a digit or a minus.
    pub const fn new(first: u8, is_whole_number: bool) -> Self {
        let part = match first {
            b'-' => Part::Sign,
            b'0' => Part::Zero,
            _ => Part::Whole,
        };
        Self { part, digits: 1, is_whole_number }
    }

    /// It could end here.
    pub const fn is_whole(self) -> bool {
        matches!(self.part, Part::Zero | Part::Whole | Part::Fraction | Part::Exponent)
    }

    pub const fn take(self, byte: u8) -> Option<Self> {
        use Part::{E, ESign, Exponent, Fraction, Point, Sign, Whole, Zero};
        let may_be_broken = !self.is_whole_number;
        let (part, digits) = match (self.part, byte) {
            (Sign, b'0') => (Zero, 1),
            (Sign, b'1'..=b'9') => (Whole, 1),
            (Whole, b'0'..=b'9') if self.digits < DIGITS_MAX => (Whole, self.digits + 1),
            (Whole | Zero, b'.') if may_be_broken && self.digits < DIGITS_MAX => {
                (Point, self.digits)
            }
            (Point | Fraction, b'0'..=b'9') if self.digits < DIGITS_MAX => {
                (Fraction, self.digits + 1)
            }
            (Whole | Zero | Fraction, b'e' | b'E') if may_be_broken => (E, 0),
            (E, b'+' | b'-') => (ESign, 0),
            (E | ESign, b'0'..=b'9') => (Exponent, 1),
            (Exponent, b'0'..=b'9') if self.digits < EXPONENT_DIGITS_MAX => {
                (Exponent, self.digits + 1)
            }
            _ => return None,
        };
        Some(Self { part, digits, ..self })
    }
}
