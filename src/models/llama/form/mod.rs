//! Only JSON of the form that was asked for: which bytes may come next.
//!
//! A schema becomes nodes, and what was written so far a stack of what is open. Keys come in the order
//! of `required`, then the others. What bytes can't decide (patterns, ranges) is left to whoever
//! checks the whole answer.

mod number;
mod schema;
#[cfg(test)]
mod tests;
mod text;

use number::Number;
use text::Text;

pub(super) use schema::Form;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text {
        least: usize,
        most: usize,
    },
    Number {
        is_whole: bool,
        may_be_negative: bool,
    },
    /// JSON as it stands: the values of an enumeration.
    Words(Vec<Vec<u8>>),
    List {
        item: usize,
        least: usize,
        most: usize,
    },
    Object(Vec<Field>),
    /// One of these, known by its first byte.
    Either(Vec<usize>),
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    /// With quotes and colon.
    key: Vec<u8>,
    node: usize,
    is_needed: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Open {
    /// A value must come; one blank may.
    Value {
        node: usize,
        may_be_blank: bool,
    },
    Text {
        node: usize,
        text: Text,
    },
    Number {
        number: Number,
    },
    /// `at` bytes of the word `like`, and of all that begin in the same way.
    Words {
        node: usize,
        like: usize,
        at: usize,
    },
    List {
        node: usize,
        items: usize,
        is_new: bool,
    },
    Object {
        node: usize,
        next: usize,
        is_new: bool,
    },
    Key {
        node: usize,
        like: usize,
        at: usize,
        from: usize,
        may_be_blank: bool,
    },
}

/// What is open.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    stack: Vec<Open>,
}

impl Form {
    pub fn begin(&self) -> Written {
        Written { stack: vec![Open::Value { node: self.root, may_be_blank: false }] }
    }

    /// What is open after these bytes too; none if they may not come.
    pub fn after(&self, written: &Written, bytes: &[u8]) -> Option<Written> {
        // Most tokens fail at the first byte, before anything is copied.
        let (first, _) = bytes.split_first()?;
        let may_come = written.stack.last().is_some_and(|open| self.may_begin(open, *first));
        if !may_come {
            return None;
        }
        let mut written = written.clone();
        bytes.iter().all(|byte| self.take(&mut written, *byte)).then_some(written)
    }

    /// Nothing more needs to come.
    pub fn is_whole(&self, written: &Written) -> bool {
        match &written.stack[..] {
            [] => true,
            [Open::Number { number, .. }] => number.is_whole(),
            [Open::Words { node, like, at }] => self.is_word(*node, *like, *at),
            _ => false,
        }
    }

    /// Nothing more can come.
    pub fn is_closed(written: &Written) -> bool {
        written.stack.is_empty()
    }

    /// False only if it surely may not.
    fn may_begin(&self, open: &Open, byte: u8) -> bool {
        match open {
            Open::Value { node, may_be_blank } => {
                (*may_be_blank && byte == b' ') || self.first(*node, byte).is_some()
            }
            Open::Object { .. } => matches!(byte, b'"' | b'}' | b','),
            Open::Key { may_be_blank, at, .. } => {
                *at > 0 || byte == b'"' || (*may_be_blank && byte == b' ')
            }
            _ => true,
        }
    }

    fn take(&self, written: &mut Written, byte: u8) -> bool {
        loop {
            let Some(open) = written.stack.pop() else { return false };
            match self.step(open, byte, &mut written.stack) {
                Step::Taken => return true,
                Step::Wrong => return false,
                // A value ended where its text doesn't say so: the byte belongs to what surrounds it.
                Step::Over => {}
            }
        }
    }

    /// `open` is off the stack, and goes back unless it is over.
    fn step(&self, open: Open, byte: u8, stack: &mut Vec<Open>) -> Step {
        match open {
            Open::Value { node, may_be_blank: true } if byte == b' ' => {
                stack.push(Open::Value { node, may_be_blank: false });
                Step::Taken
            }
            Open::Value { node, .. } => match self.first(node, byte) {
                Some(node) => self.open(node, byte, stack),
                None => Step::Wrong,
            },
            Open::Text { node, text } => {
                let Node::Text { least, most } = self.nodes[node] else { return Step::Wrong };
                match text.take(byte, least, most) {
                    None => Step::Wrong,
                    Some(Text::Closed) => Step::Taken,
                    Some(text) => taken(stack, Open::Text { node, text }),
                }
            }
            Open::Number { number } => match number.take(byte) {
                Some(number) => taken(stack, Open::Number { number }),
                None if number.is_whole() => Step::Over,
                None => Step::Wrong,
            },
            Open::Words { node, like, at } => self.word(node, like, at, byte, stack),
            Open::List { node, items, is_new } => self.list(node, items, is_new, byte, stack),
            Open::Object { node, next, is_new } => {
                let Node::Object(fields) = &self.nodes[node] else { return Step::Wrong };
                match byte {
                    b'}' if !fields[next..].iter().any(|field| field.is_needed) => Step::Taken,
                    b',' if !is_new && next < fields.len() => taken(stack, key(node, next, true)),
                    b'"' if is_new && next < fields.len() => {
                        stack.push(key(node, next, false));
                        Step::Over
                    }
                    _ => Step::Wrong,
                }
            }
            Open::Key { node, from, at: 0, may_be_blank: true, .. } if byte == b' ' => {
                taken(stack, key(node, from, false))
            }
            Open::Key { node, like, at, from, .. } => self.key(node, from, like, at, byte, stack),
        }
    }

    /// The node that a value beginning with this byte is of.
    fn first(&self, node: usize, byte: u8) -> Option<usize> {
        let may = match &self.nodes[node] {
            Node::Text { .. } => byte == b'"',
            Node::Number { may_be_negative, .. } => {
                byte.is_ascii_digit() || (*may_be_negative && byte == b'-')
            }
            Node::Words(words) => words.iter().any(|word| word.first() == Some(&byte)),
            Node::List { .. } => byte == b'[',
            Node::Object(_) => byte == b'{',
            Node::Either(nodes) => return nodes.iter().find_map(|node| self.first(*node, byte)),
        };
        may.then_some(node)
    }

    fn open(&self, node: usize, byte: u8, stack: &mut Vec<Open>) -> Step {
        match &self.nodes[node] {
            Node::Text { .. } => taken(stack, Open::Text { node, text: Text::new() }),
            Node::Number { is_whole, .. } => {
                taken(stack, Open::Number { number: Number::new(byte, *is_whole) })
            }
            Node::Words(_) => self.word(node, 0, 0, byte, stack),
            Node::List { .. } => taken(stack, Open::List { node, items: 0, is_new: true }),
            Node::Object(_) => taken(stack, Open::Object { node, next: 0, is_new: true }),
            Node::Either(_) => Step::Wrong,
        }
    }

    fn is_word(&self, node: usize, like: usize, at: usize) -> bool {
        let Node::Words(words) = &self.nodes[node] else { return false };
        words.iter().any(|word| word.len() == at && word[..] == words[like][..at])
    }

    fn word(&self, node: usize, like: usize, at: usize, byte: u8, stack: &mut Vec<Open>) -> Step {
        let Node::Words(words) = &self.nodes[node] else { return Step::Wrong };
        let alike = |word: &Vec<u8>| word.len() > at && word[..at] == words[like][..at];
        match words.iter().position(|word| alike(word) && word[at] == byte) {
            Some(like) => {
                let so_far = &words[like][..=at];
                let more = words.iter().any(|word| word.len() > at + 1 && word.starts_with(so_far));
                if more {
                    stack.push(Open::Words { node, like, at: at + 1 });
                }
                Step::Taken
            }
            None if self.is_word(node, like, at) => Step::Over,
            None => Step::Wrong,
        }
    }

    fn list(
        &self,
        node: usize,
        items: usize,
        is_new: bool,
        byte: u8,
        stack: &mut Vec<Open>,
    ) -> Step {
        let Node::List { item, least, most } = self.nodes[node] else { return Step::Wrong };
        if byte == b']' && items >= least {
            return Step::Taken;
        }
        if items >= most || !(is_new || byte == b',') {
            return Step::Wrong;
        }
        stack.push(Open::List { node, items: items + 1, is_new: false });
        stack.push(Open::Value { node: item, may_be_blank: !is_new });
        if is_new { Step::Over } else { Step::Taken }
    }

    /// A key may be any up to the first that is needed.
    fn key(
        &self,
        node: usize,
        from: usize,
        like: usize,
        at: usize,
        byte: u8,
        stack: &mut Vec<Open>,
    ) -> Step {
        let Node::Object(fields) = &self.nodes[node] else { return Step::Wrong };
        let upto = fields[from..].iter().position(|field| field.is_needed);
        let upto = upto.map_or(fields.len(), |needed| from + needed + 1);
        let so_far = &fields[like].key[..at];
        let found = (from..upto).find(|field| {
            let key = &fields[*field].key;
            key.starts_with(so_far) && key.get(at) == Some(&byte)
        });
        let Some(like) = found else { return Step::Wrong };
        if fields[like].key.len() == at + 1 {
            stack.push(Open::Object { node, next: like + 1, is_new: false });
            return taken(stack, Open::Value { node: fields[like].node, may_be_blank: true });
        }
        taken(stack, Open::Key { node, like, at: at + 1, from, may_be_blank: false })
    }
}

fn key(node: usize, from: usize, may_be_blank: bool) -> Open {
    Open::Key { node, like: from, at: 0, from, may_be_blank }
}

fn taken(stack: &mut Vec<Open>, open: Open) -> Step {
    stack.push(open);
    Step::Taken
}

enum Step {
    Taken,
    Over,
    Wrong,
}
