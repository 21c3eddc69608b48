/// Inside a JSON string.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Plain {
        chars: usize,
    },
    /// After a backslash.
    Escape {
        chars: usize,
    },
    /// Inside `\u`, so many digits further.
    Hex {
        chars: usize,
        digits: u8,
        may_be_surrogate: bool,
    },
    /// Inside a character of several bytes: how many more, and the bounds of the next.
    Inside {
        chars: usize,
        left: u8,
        from: u8,
        upto: u8,
    },
    Closed,
}

impl Text {
    pub const fn new() -> Self {
        Self::Plain { chars: 0 }
    }

    pub fn take(&self, byte: u8, least: usize, most: usize) -> Option<Self> {
        match *self {
            Self::Plain { chars } => {
                if byte == b'"' {
                    return (chars >= least).then_some(Self::Closed);
                }
                let chars = chars + 1;
                let inside = |left, from, upto| Self::Inside { chars, left, from, upto };
                let next = match byte {
                    b'\\' => Self::Escape { chars },
                    b' '..=0x7f => Self::Plain { chars },
                    // Unicode 16, table 3-7: no overlong forms, no surrogates.
                    0xc2..=0xdf => inside(1, 0x80, 0xbf),
                    0xe0 => inside(2, 0xa0, 0xbf),
                    0xed => inside(2, 0x80, 0x9f),
                    0xe1..=0xef => inside(2, 0x80, 0xbf),
                    0xf0 => inside(3, 0x90, 0xbf),
                    0xf4 => inside(3, 0x80, 0x8f),
                    0xf1..=0xf3 => inside(3, 0x80, 0xbf),
                    _ => return None,
                };
                (chars <= most).then_some(next)
            }
            Self::Escape { chars } => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                    Some(Self::Plain { chars })
                }
                b'u' => Some(Self::Hex { chars, digits: 0, may_be_surrogate: false }),
                _ => None,
            },
            Self::Hex { chars, digits, may_be_surrogate } => {
                // Half of a pair is no character.
                let is_surrogate =
                    may_be_surrogate && matches!(byte, b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F');
                if !byte.is_ascii_hexdigit() || is_surrogate {
                    return None;
                }
                let may_be_surrogate = digits == 0 && matches!(byte, b'd' | b'D');
                Some(match digits + 1 {
                    4 => Self::Plain { chars },
                    digits => Self::Hex { chars, digits, may_be_surrogate },
                })
            }
            Self::Inside { chars, left, from, upto } => {
                (from..=upto).contains(&byte).then_some(match left {
                    1 => Self::Plain { chars },
                    _ => Self::Inside { chars, left: left - 1, from: 0x80, upto: 0xbf },
                })
            }
            Self::Closed => None,
        }
    }
}
