//! From messages to what a model was trained to read: the template that its file carries.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use super::error::LlamaError;
use super::tokens::Tokens;
use crate::models::{Message, Speaker};

const NAME: &str = "chat";
/// Around the place of a message's words in a rendered template; private letters of Unicode.
const OPEN: char = '\u{e0f0}';
const CLOSE: char = '\u{e0f1}';

pub(super) struct Template {
    environment: Environment<'static>,
    marks: [Option<String>; 2],
}

impl Template {
    /// Takes the file's template, and tries it.
    pub fn new(
        source: Option<&str>,
        tokens: &Tokens,
        end: Option<u32>,
    ) -> Result<Self, LlamaError> {
        let source = source.ok_or_else(|| LlamaError::Template("the file has none".to_owned()))?;
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        // As those who write such templates have it.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| LlamaError::Template(error.to_string()))?);
        environment.add_function("raise_exception", |text: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, text))
        });
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| LlamaError::Template(error.to_string()))?;
        let mark = |token: Option<u32>| token.and_then(|token| tokens.mark(token));
        let marks = [tokens.begin(), end].map(|token| mark(token).map(str::to_owned));
        let template = Self { environment, marks };
        let probe = [Speaker::System, Speaker::User, Speaker::Assistant, Speaker::User]
            .map(|speaker| Message { speaker, content: "x".to_owned() });
        template.tokens(&probe, tokens)?;
        Ok(template)
    }

    /// A conversation up to where the model goes on. The template gets a place for each message's
    /// words instead of them: so these can't become marks, nor code of the template.
    pub fn tokens(&self, messages: &[Message], tokens: &Tokens) -> Result<Vec<u32>, LlamaError> {
        let message = |(number, message): (usize, &Message)| {
            let role = match message.speaker {
                Speaker::System => "system",
                Speaker::User => "user",
                Speaker::Assistant => "assistant",
            };
            let place = format!("{OPEN}{number}{CLOSE}");
            Value::from_pairs([("role", Value::from(role)), ("content", Value::from(place))])
        };
        let messages_in: Vec<Value> = messages.iter().enumerate().map(message).collect();
        let mark = |mark: &Option<String>| Value::from(mark.as_deref().unwrap_or_default());
        let context = Value::from_pairs([
            ("messages", Value::from(messages_in)),
            ("add_generation_prompt", Value::from(true)),
            ("bos_token", mark(&self.marks[0])),
            ("eos_token", mark(&self.marks[1])),
        ]);
        let failed = |error: Error| LlamaError::Template(error.to_string());
        let template = self.environment.get_template(NAME).map_err(failed)?;
        let text = template.render(context).map_err(failed)?;
        let mut found = Vec::new();
        // Templates of models that want a first token often write it themselves.
        if let Some(begin) = tokens.begin()
            && !self.marks[0].as_ref().is_some_and(|mark| text.starts_with(mark.as_str()))
        {
            found.push(begin);
        }
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(OPEN) {
            tokens.marked(before, &mut found)?;
            let (number, after) = after.split_once(CLOSE).unwrap_or((after, ""));
            let words = number.parse().ok().and_then(|number: usize| messages.get(number));
            let words = words
                .ok_or_else(|| LlamaError::Template("it changes what messages say".to_owned()))?;
            tokens.words(&words.content, &mut found)?;
            rest = after;
        }
        tokens.marked(rest, &mut found)?;
        Ok(found)
    }
}
