//! Reads a table of settings field by field and notes every mistake on the way.

use super::node::{Member, Mistake, Node, Position, Value};

/// All that is wrong so far.
#[derive(Debug)]
pub struct Mistakes<'f> {
    pub file: &'f str,
    pub list: Vec<Mistake>,
}

impl Mistakes<'_> {
    pub fn note(&mut self, at: Position, field: &str, message: impl Into<String>) {
        let (file, field) = (self.file.to_owned(), field.to_owned());
        self.list.push(Mistake { file, at, field, message: message.into() });
    }
}

/// A table whose fields are taken one after the other; what is left at the end is unknown.
pub struct Fields<'n> {
    members: &'n [Member],
    taken: Vec<&'static str>,
    pub at: Position,
    /// `rule[0].when`
    pub path: String,
}

impl<'n> Fields<'n> {
    pub fn of(node: &'n Node, path: &str, mistakes: &mut Mistakes<'_>) -> Option<Self> {
        let Value::Table(members) = &node.value else {
            mistakes.note(node.at, path, format!("is {}; write a table", node.kind()));
            return None;
        };
        Some(Self { members, taken: Vec::new(), at: node.at, path: path.to_owned() })
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    pub fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.taken.push(name);
        self.members.iter().find(|member| member.name == name).map(|member| &member.node)
    }

    pub fn field(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Notes a mistake about one of the fields.
    pub fn wrong(
        &self,
        name: &str,
        node: &Node,
        message: impl Into<String>,
        mistakes: &mut Mistakes<'_>,
    ) {
        mistakes.note(node.at, &self.field(name), message);
    }

    /// Notes that a field is missing.
    pub fn missing(&self, name: &str, instead: &str, mistakes: &mut Mistakes<'_>) {
        mistakes.note(self.at, &self.field(name), format!("is missing; write {instead}"));
    }

    pub fn text(&mut self, name: &'static str, mistakes: &mut Mistakes<'_>) -> Option<String> {
        let node = self.take(name)?;
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Text(_) => {
                self.wrong(name, node, "is empty; write some text or leave it out", mistakes);
                None
            }
            _ => {
                let message = format!("is {}; write text in quotation marks", node.kind());
                self.wrong(name, node, message, mistakes);
                None
            }
        }
    }

    /// One text or a list of them, each with its own field and place.
    pub fn texts(
        &mut self,
        name: &'static str,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Vec<(String, Position, String)>> {
        let node = self.take(name)?;
        Some(texts(node, &self.field(name), mistakes))
    }

    pub fn flag(&mut self, name: &'static str, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        let node = self.take(name)?;
        if let Value::Flag(flag) = node.value {
            return Some(flag);
        }
        self.wrong(name, node, format!("is {}; write true or false", node.kind()), mistakes);
        None
    }

    /// A whole number between `least` and `most`.
    pub fn whole(
        &mut self,
        name: &'static str,
        (least, most): (i64, i64),
        mistakes: &mut Mistakes<'_>,
    ) -> Option<u64> {
        let node = self.take(name)?;
        match node.value {
            Value::Integer(number) if (least..=most).contains(&number) => {
                u64::try_from(number).ok()
            }
            _ => {
                let message = format!("write a whole number from {least} to {most}");
                self.wrong(name, node, message, mistakes);
                None
            }
        }
    }

    pub fn number(
        &mut self,
        name: &'static str,
        (least, most): (f64, f64),
        mistakes: &mut Mistakes<'_>,
    ) -> Option<f64> {
        let node = self.take(name)?;
        let number = match node.value {
            #[expect(clippy::cast_precision_loss, reason = "settings have small numbers")]
            Value::Integer(number) => Some(number as f64),
            Value::Number(number) => Some(number),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let range = if most >= f64::MAX {
                "write a number".to_owned()
            } else {
                format!("write a number from {least} to {most}")
            };
            self.wrong(name, node, range, mistakes);
        }
        number
    }

    /// The items of a list, none where it is missing.
    pub fn list(&mut self, name: &'static str, mistakes: &mut Mistakes<'_>) -> &'n [Node] {
        let Some(node) = self.take(name) else { return &[] };
        let Value::List(items) = &node.value else {
            self.wrong(name, node, format!("is {}; write a list [ … ]", node.kind()), mistakes);
            return &[];
        };
        items
    }

    /// Fields that nobody took are typing errors more often than not.
    pub fn finish(self, mistakes: &mut Mistakes<'_>) {
        for member in self.members {
            if self.taken.contains(&member.name.as_str()) {
                continue;
            }
            let nearest =
                self.taken.iter().map(|known| (strsim::jaro_winkler(known, &member.name), known));
            let nearest =
                nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(like, _)| *like > 0.8);
            let message = match nearest {
                Some((_, known)) => format!("is unknown; did you mean {known}?"),
                None => format!("is unknown; known here are {}", self.taken.join(", ")),
            };
            mistakes.note(member.at, &self.field(&member.name), message);
        }
    }
}

/// One text or a list of them.
pub fn texts(
    node: &Node,
    field: &str,
    mistakes: &mut Mistakes<'_>,
) -> Vec<(String, Position, String)> {
    match &node.value {
        Value::Text(text) => vec![(text.clone(), node.at, field.to_owned())],
        Value::List(items) if !items.is_empty() => {
            let mut all = Vec::new();
            for (n, item) in items.iter().enumerate() {
                let field = format!("{field}[{n}]");
                match &item.value {
                    Value::Text(text) => all.push((text.clone(), item.at, field)),
                    _ => mistakes.note(item.at, &field, format!("is {}; write text", item.kind())),
                }
            }
            all
        }
        Value::List(_) => {
            mistakes.note(node.at, field, "is empty; write at least one text");
            Vec::new()
        }
        _ => {
            let message = format!("is {}; write text or a list of texts", node.kind());
            mistakes.note(node.at, field, message);
            Vec::new()
        }
    }
}
