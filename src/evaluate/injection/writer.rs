//! Keeps what a writer said, and takes the fences away where that is wanted.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::models::{Generator, OnText, WritingError, WritingRequest, Written};

pub(super) struct Recorder {
    inner: Arc<dyn Generator>,
    is_fenced: bool,
    said: Mutex<Vec<String>>,
}

impl Recorder {
    pub fn new(inner: Arc<dyn Generator>, is_fenced: bool) -> Self {
        Self { inner, is_fenced, said: Mutex::default() }
    }

    /// All texts since the last time, each string in an answer's JSON by itself.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Generator for Recorder {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let mut request = request.clone();
        if !self.is_fenced {
            for message in &mut request.messages {
                message.content = unfenced(&message.content);
            }
        }
        let written = self.inner.write(&request, on_text).await?;
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match serde_json::from_str(&written.text) {
            Ok(json) => strings(&json, &mut said),
            Err(_) => said.push(written.text.clone()),
        }
        drop(said);
        Ok(written)
    }
}

/// Without fences and what prompts say about them.
fn unfenced(content: &str) -> String {
    let is_ours = |line: &&str| !line.contains("<<<") && !line.ends_with(">>>");
    content.lines().filter(is_ours).collect::<Vec<_>>().join("\n")
}

fn strings(json: &serde_json::Value, out: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| strings(one, out)),
        serde_json::Value::Object(all) => {
            let told = all.iter().filter(|(name, _)| *name != "cites");
            told.for_each(|(_, one)| strings(one, out));
        }
        _ => {}
    }
}
