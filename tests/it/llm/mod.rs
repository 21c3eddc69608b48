//! Language models over HTTP, over real sockets: a scripted server, and a real one.

mod asks;
mod authors;
mod cassette;
mod chaos;
pub mod conformance;
mod embedded;
mod failures;
pub mod fake;
mod guarded;
mod injected;
mod live;
mod real;
mod records;
mod scan;
mod servers;
mod tapes;
pub mod voices;

use std::sync::Arc;
use std::time::Duration;

use backchannel::connect::llm::{OpenAi, Server};
use backchannel::domain::TenantId;
use backchannel::models::{
    Generator, Material, Message, OutputSchema, Piece, Speaker, WritingError, WritingRequest,
    WritingTask, Written,
};

use self::fake::Fake;

pub const PLANTED: &str = "My name is Aurelia Quick and my dog is called Biscuit";

pub fn request() -> WritingRequest {
    WritingRequest {
        tenant: TenantId::from("acme"),
        job: None,
        meter: None,
        task: WritingTask::Summary,
        prompt: None,
        messages: vec![
            Message { speaker: Speaker::System, content: "You sum up calls.".to_owned() },
            Message { speaker: Speaker::User, content: format!("[t-1] customer: {PLANTED}.") },
        ],
        material: Arc::new(Material::default()),
        schema: None,
        max_tokens: 60,
        temperature: 0.0,
        seed: Some(7),
        deadline: Duration::from_secs(10),
    }
}

pub fn schema() -> OutputSchema {
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["text", "cites"],
        "properties": {
            "text": {"type": "string", "maxLength": 40},
            "cites": {"type": "array", "maxItems": 1, "items": {"enum": ["t-1"]}}
        }
    });
    OutputSchema { name: "sentence".to_owned(), schema: Arc::new(schema) }
}

pub fn server(fake: &Fake) -> Server {
    Server::new("lab", fake.url.parse().expect("an address"), "tiny")
}

pub fn client(fake: &Fake) -> OpenAi {
    OpenAi::new(server(fake)).expect("it can be set up")
}

/// What came of it, and what a reader has on the screen in the end.
pub async fn write(
    writer: &dyn Generator,
    request: &WritingRequest,
) -> (Result<Written, WritingError>, String) {
    let mut screen = String::new();
    let outcome = writer
        .write(request, &mut |piece| match piece {
            Piece::Text(text) => screen.push_str(text),
            Piece::Restart => screen.clear(),
        })
        .await;
    (outcome, screen)
}
