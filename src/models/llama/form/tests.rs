use proptest::prelude::*;
use serde_json::{Value, json};

use super::Form;

fn takes(form: &Form, text: &str) -> bool {
    let written = form.after(&form.begin(), text.as_bytes());
    written.is_some_and(|written| form.is_whole(&written))
}

fn form(schema: &Value) -> Form {
    Form::of(schema).expect("it can be followed")
}

#[test]
fn an_object_has_its_keys_in_order_and_nothing_else() {
    let form = form(&json!({
        "type": "object", "required": ["text", "cites"], "additionalProperties": false,
        "properties": {
            "cites": {"type": "array", "maxItems": 2, "items": {"enum": ["t-1", "t-10"]}},
            "mood": {"type": ["string", "null"]},
            "text": {"type": "string", "maxLength": 5}
        }
    }));
    for right in [
        r#"{"text":"","cites":[]}"#,
        r#"{"text": "a\"b", "cites": ["t-1", "t-10"]}"#,
        r#"{"text":"éé€😀\n","cites":["t-1"],"mood":null}"#,
        r#"{"text":"a","cites":[], "mood": "well"}"#,
    ] {
        assert!(takes(&form, right), "{right}");
        assert!(serde_json::from_str::<Value>(right).is_ok());
    }
    for wrong in [
        r#"{"cites":[],"text":""}"#,
        r#"{"text":"","cites":[]"#,
        r#"{"text":"","cites":[]} "#,
        r#"{"text":"123456","cites":[]}"#,
        r#"{"text":"","cites":["t-2"]}"#,
        r#"{"text":"","cites":["t-1","t-1","t-1"]}"#,
        r#"{"text":"","cites":["t-1",]}"#,
        r#"{"text":"","cites":[],"other":1}"#,
        r#"{"text":"","text":"","cites":[]}"#,
        r#"{"text":"\ud800","cites":[]}"#,
        "{\"text\":\"a\nb\",\"cites\":[]}",
        r#"{"text":""}"#,
        "",
    ] {
        assert!(!takes(&form, wrong), "{wrong}");
    }
}

#[test]
fn keys_and_words_that_begin_alike_are_told_apart() {
    let form = form(&json!({
        "type": "object", "required": ["to"],
        "properties": {"to": {"enum": [1, 10, "a", "ab"]}, "to_day": {"type": "boolean"}}
    }));
    for right in [r#"{"to":1}"#, r#"{"to":10,"to_day":true}"#, r#"{"to":"ab"}"#, r#"{"to":"a"}"#] {
        assert!(takes(&form, right), "{right}");
    }
    for wrong in [r#"{"to":11}"#, r#"{"to_day":true}"#, r#"{"to":"abc"}"#, r#"{"to":}"#] {
        assert!(!takes(&form, wrong), "{wrong}");
    }
}

#[test]
fn numbers_are_numbers() {
    let any = form(&json!({"type": "number"}));
    for right in ["0", "-0", "12.5", "1e9", "-3.25E-2", "120"] {
        assert!(takes(&any, right), "{right}");
    }
    for wrong in ["01", ".5", "1.", "-", "1e", "+1", "1e999", "12345678901234567890"] {
        assert!(!takes(&any, wrong), "{wrong}");
    }
    let whole = form(&json!({"type": "integer", "minimum": 0}));
    assert!(takes(&whole, "7") && !takes(&whole, "-7") && !takes(&whole, "7.5"));
}

#[test]
fn what_one_byte_cannot_decide_is_left_alone() {
    let two_texts = json!({"anyOf": [{"type": "string"}, {"enum": ["a"]}]});
    let endless = json!({"$ref": "#"});
    let joined = json!({"allOf": [{"type": "string"}]});
    for schema in [two_texts, endless, joined, json!({"type": "colour"}), json!(false)] {
        assert!(Form::of(&schema).is_none(), "{schema}");
    }
    let named = json!({"$defs": {"name": {"type": "string"}}, "$ref": "#/$defs/name"});
    assert!(takes(&form(&named), r#""Ann""#));
}

/// Writes at random what may come, until the form is whole.
fn at_random(form: &Form, mut seed: u64) -> Option<String> {
    let mut written = form.begin();
    let mut bytes = Vec::new();
    while !(form.is_whole(&written) && (Form::is_closed(&written) || bytes.len() > 20)) {
        let next: Vec<u8> =
            (0..=u8::MAX).filter(|byte| form.after(&written, &[*byte]).is_some()).collect();
        assert!(!next.is_empty(), "a dead end after {:?}", String::from_utf8_lossy(&bytes));
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let pick = (seed >> 33) as usize;
        // Closing things more often than chance would, so that there is an end.
        let closing = next.iter().find(|byte| matches!(byte, b'"' | b'}' | b']'));
        let byte = match closing {
            Some(byte) if pick.is_multiple_of(3) => *byte,
            _ => next[pick / 3 % next.len()],
        };
        written = form.after(&written, &[byte])?;
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

proptest! {
    #[test]
    fn whatever_may_come_keeps_the_schema(seed: u64) {
        let schema = json!({
            "type": "object", "required": ["list", "number"],
            "properties": {
                "list": {"type": "array", "minItems": 1, "items": {
                    "type": "object", "required": ["text"],
                    "properties": {"text": {"type": "string", "minLength": 2}, "kind": {"enum": ["a", "b"]}}
                }},
                "number": {"type": ["number", "null"]},
                "any": {}
            }
        });
        let text = at_random(&form(&schema), seed).expect("UTF-8");
        let value: Value = serde_json::from_str(&text).expect(&text);
        prop_assert!(jsonschema::is_valid(&schema, &value), "{text}");
    }
}
