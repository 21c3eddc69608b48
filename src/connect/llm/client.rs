use std::collections::BTreeMap;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    ChatCompletionStreamOptions, CreateChatCompletionRequest, ResponseFormat,
    ResponseFormatJsonSchema,
};
use async_trait::async_trait;
use futures_util::StreamExt;
use http::HeaderMap;
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::failure::explain;
use super::transport::{Transport, base};
use super::wire::{self, Chunk};
use super::{Flavour, LimitField, Server, ServerError, Structure};
use crate::models::writing::estimated_tokens;
use crate::models::{
    Finish, Generator, Message, OnText, OutputSchema, Piece, Speaker, TokenCount, WritingError,
    WritingRequest, WritingTask, Written,
};

/// The counts of tokens come after the end of the text, if they come.
const USAGE_PATIENCE: Duration = Duration::from_millis(500);
/// A chain's shares and pauses take a little of the deadline: a provider that was silent for all but
/// this part of our patience has used it up.
const ROUNDING: u32 = 10;

/// A server that speaks OpenAI's chat completions.
pub struct OpenAi {
    server: Server,
    /// One for each model: on Azure the model is part of the path.
    clients: BTreeMap<String, Client<Address>>,
}

/// Where a request goes. Keys are the transport's business, so that none is read from an environment
/// that wasn't asked for.
#[derive(Clone, Debug)]
struct Address {
    base: String,
    api_version: Option<String>,
    no_key: SecretString,
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        HeaderMap::new()
    }
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
    fn query(&self) -> Vec<(&str, &str)> {
        self.api_version.iter().map(|version| ("api-version", version.as_str())).collect()
    }
    fn api_base(&self) -> &str {
        &self.base
    }
    fn api_key(&self) -> &SecretString {
        &self.no_key
    }
}

impl OpenAi {
    /// # Errors
    /// The address or a header is none.
    pub fn new(server: Server) -> Result<Self, ServerError> {
        let transport = Transport::new(&server)?;
        let mut clients = BTreeMap::new();
        for model in server.models.values().chain([&server.model]) {
            let address = Address {
                base: address(&server, model),
                api_version: server.api_version.clone(),
                no_key: SecretString::default(),
            };
            let client = Client::with_config(address).with_http_service(transport.clone());
            clients.insert(model.clone(), client);
        }
        Ok(Self { server, clients })
    }

    /// The model that writes for a task.
    pub fn model(&self, task: WritingTask) -> &str {
        self.server.models.get(&task).unwrap_or(&self.server.model)
    }
}

fn address(server: &Server, model: &str) -> String {
    let base = base(&server.url);
    match (server.flavour, &server.api_version) {
        (Flavour::OpenAi, _) => base,
        (Flavour::Azure, Some(_)) => format!("{base}/openai/deployments/{model}"),
        (Flavour::Azure, None) => format!("{base}/openai/v1"),
    }
}

#[async_trait]
impl Generator for OpenAi {
    fn provider(&self) -> &str {
        &self.server.name
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let provider = &self.server.name;
        let model = self.model(request.task);
        let began = Instant::now();
        let deadline = began + request.deadline;
        let first_by = deadline.min(began + self.server.first_text_patience);
        let waited_ms = || began.elapsed().as_millis() as u64;
        let late = |since: Instant, patience: Duration| {
            let (provider, silent) = (provider.clone(), since.elapsed());
            match silent + patience / ROUNDING >= patience {
                true => WritingError::Silent { provider, silent_ms: silent.as_millis() as u64 },
                false => WritingError::Timeout { provider, waited_ms: waited_ms() },
            }
        };
        let broken = |detail: &str| WritingError::Broken {
            provider: provider.clone(),
            detail: detail.to_owned(),
        };

        let chat = self.clients[model].chat();
        let opening = chat.create_stream_byot::<_, Chunk>(self.body(model, request));
        let mut chunks = timeout_at(first_by, opening)
            .await
            .map_err(|_| late(began, self.server.first_text_patience))?
            .map_err(|error| explain(error, provider, waited_ms()))?;

        let mut text = String::new();
        let mut answering_model = None;
        let mut tokens = None;
        let mut finish = None;
        let mut by = first_by;
        // Since when nothing came, and how long that may last.
        let mut quiet = (began, self.server.first_text_patience);
        loop {
            let chunk = match timeout_at(by, chunks.next()).await {
                // The text is whole; what is missing are the counts.
                Err(_) if finish.is_some() => break,
                Err(_) => return Err(late(quiet.0, quiet.1)),
                Ok(None) => break,
                Ok(Some(Err(_))) if finish.is_some() => break,
                Ok(Some(Err(error))) => {
                    return Err(explain(error, provider, waited_ms()));
                }
                Ok(Some(Ok(chunk))) => chunk,
            };
            if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
                return Err(failed_on_the_way(&error, provider));
            }
            answering_model = chunk.model.filter(|model| !model.is_empty()).or(answering_model);
            tokens = chunk.usage.map(TokenCount::from).or(tokens);
            let Some(choice) = chunk.choices.into_iter().next() else { continue };
            if let Some(delta) = choice.delta {
                if delta.refusal.is_some_and(|refusal| !refusal.is_empty()) {
                    finish = Some(Finish::Filtered);
                }
                let piece = delta.content.unwrap_or_default();
                if !piece.is_empty() {
                    on_text(Piece::Text(&piece));
                    text.push_str(&piece);
                    quiet = (Instant::now(), self.server.stall_patience);
                    by = deadline.min(quiet.0 + quiet.1);
                }
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                finish = finish.or(Some(wire::finish(&reason)));
                by = deadline.min(Instant::now() + USAGE_PATIENCE);
            }
        }
        let finish = finish.ok_or_else(|| broken("it ended without a reason"))?;
        let tokens = tokens.filter(|count| count.prompt + count.written > 0).unwrap_or_else(|| {
            let prompt: u64 =
                request.messages.iter().map(|message| estimated_tokens(&message.content)).sum();
            TokenCount { prompt, written: estimated_tokens(&text) }
        });
        Ok(Written {
            text,
            finish,
            tokens,
            provider: provider.clone(),
            model: Some(answering_model.unwrap_or_else(|| model.to_owned())),
        })
    }
}

/// What an error in the middle of a stream means: some gateways only know how things stand after
/// they have begun with 200.
fn failed_on_the_way(error: &serde_json::Value, provider: &str) -> WritingError {
    let code = error.get("code").or_else(|| error.get("status"));
    let code = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let provider = provider.to_owned();
    match code {
        Some(401 | 403) => WritingError::Denied { provider },
        Some(429) => WritingError::Limited { provider, retry_after: None },
        _ => {
            let refusal = wire::refusal(None, error);
            match explain(refusal.into(), &provider, 0) {
                WritingError::Refused { detail, .. } => WritingError::Broken { provider, detail },
                other => other,
            }
        }
    }
}

impl OpenAi {
    #[expect(deprecated, reason = "the old names are the only ones that many servers know")]
    fn body(&self, model: &str, request: &WritingRequest) -> CreateChatCompletionRequest {
        let structure = request.schema.as_ref().map(|schema| (self.server.structure, schema));
        let mut messages = request.messages.clone();
        if let Some((Structure::Object | Structure::Words, schema)) = structure {
            ask_in_words(&mut messages, schema);
        }
        let response_format = match structure {
            Some((Structure::Schema, schema)) => Some(ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    description: None,
                    name: schema.name.clone(),
                    schema: (*schema.schema).clone(),
                    strict: Some(true),
                },
            }),
            Some((Structure::Object, _)) => Some(ResponseFormat::JsonObject),
            Some((Structure::Words, _)) | None => None,
        };
        let (old, new) = match self.server.limit_field {
            LimitField::MaxTokens => (Some(request.max_tokens), None),
            LimitField::MaxCompletionTokens => (None, Some(request.max_tokens)),
        };
        CreateChatCompletionRequest {
            messages: messages.into_iter().map(to_wire).collect(),
            model: model.to_owned(),
            max_tokens: old,
            max_completion_tokens: new,
            temperature: self.server.sends_sampling.then_some(request.temperature),
            seed: request.seed.filter(|_| self.server.sends_sampling).map(|seed| seed as i64),
            stream: Some(true),
            stream_options: Some(ChatCompletionStreamOptions {
                include_usage: Some(true),
                include_obfuscation: None,
            }),
            response_format,
            ..CreateChatCompletionRequest::default()
        }
    }
}

fn ask_in_words(messages: &mut Vec<Message>, schema: &OutputSchema) {
    let words = format!(
        "Answer with one JSON object that satisfies this JSON Schema, and with nothing else:\n{}",
        schema.schema
    );
    match messages.iter_mut().find(|message| message.speaker == Speaker::System) {
        Some(system) => {
            system.content.push_str("\n\n");
            system.content.push_str(&words);
        }
        None => messages.insert(0, Message { speaker: Speaker::System, content: words }),
    }
}

fn to_wire(message: Message) -> ChatCompletionRequestMessage {
    match message.speaker {
        Speaker::System => ChatCompletionRequestSystemMessage::from(message.content).into(),
        Speaker::User => ChatCompletionRequestUserMessage::from(message.content).into(),
        Speaker::Assistant => ChatCompletionRequestAssistantMessage::from(message.content).into(),
    }
}
