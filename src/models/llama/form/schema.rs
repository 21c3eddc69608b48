use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Field, Node};

/// Deeper is not followed, so that a schema that names itself has an end.
const DEPTH_MAX: usize = 24;

/// A schema that says byte by byte what may come.
#[derive(Clone, Debug)]
pub(in crate::models::llama) struct Form {
    pub(super) nodes: Vec<Node>,
    pub(super) root: usize,
}

impl Form {
    /// None if the schema needs more than one byte of foresight, or what isn't known here.
    pub fn of(schema: &Value) -> Option<Self> {
        let mut form = Self { nodes: Vec::new(), root: 0 };
        form.root = form.node(schema, schema, 0)?;
        Some(form)
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn node(&mut self, schema: &Value, whole: &Value, depth: usize) -> Option<usize> {
        if depth > DEPTH_MAX {
            return None;
        }
        let Some(schema) = schema.as_object() else {
            return (schema == &Value::Bool(true)).then(|| self.anything())?;
        };
        if let Some(place) = schema.get("$ref") {
            let place = place.as_str()?.strip_prefix('#')?;
            return self.node(whole.pointer(place)?, whole, depth + 1);
        }
        if let Some(values) = schema.get("enum") {
            return self.words(values.as_array()?);
        }
        if let Some(value) = schema.get("const") {
            return self.words(std::slice::from_ref(value));
        }
        if schema.contains_key("allOf") || schema.contains_key("prefixItems") {
            return None;
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(choices) = schema.get(choice) {
                let choices = choices.as_array()?.iter();
                let nodes = choices.map(|choice| self.node(choice, whole, depth + 1));
                let nodes = nodes.collect::<Option<Vec<_>>>()?;
                return self.either(nodes);
            }
        }
        match schema.get("type") {
            None if schema.contains_key("properties") => {
                self.of_kind("object", schema, whole, depth)
            }
            None => self.anything(),
            Some(Value::String(kind)) => self.of_kind(kind, schema, whole, depth),
            Some(Value::Array(kinds)) => {
                let nodes =
                    kinds.iter().map(|kind| self.of_kind(kind.as_str()?, schema, whole, depth));
                let nodes = nodes.collect::<Option<Vec<_>>>()?;
                self.either(nodes)
            }
            Some(_) => None,
        }
    }

    fn of_kind(
        &mut self,
        kind: &str,
        schema: &Map<String, Value>,
        whole: &Value,
        depth: usize,
    ) -> Option<usize> {
        let size = |name: &str, usual: usize| match schema.get(name) {
            None => Some(usual),
            Some(size) => size.as_u64().and_then(|size| size.try_into().ok()),
        };
        let node = match kind {
            "string" => {
                Node::Text { least: size("minLength", 0)?, most: size("maxLength", usize::MAX)? }
            }
            "integer" | "number" => {
                let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
                let least = bound("minimum").or_else(|| bound("exclusiveMinimum"));
                Node::Number {
                    is_whole: kind == "integer",
                    may_be_negative: least.is_none_or(|least| least < 0.0),
                }
            }
            "boolean" => return self.words(&[Value::Bool(true), Value::Bool(false)]),
            "null" => return self.words(&[Value::Null]),
            "array" => {
                let (least, most) = (size("minItems", 0)?, size("maxItems", usize::MAX)?);
                let item = match schema.get("items") {
                    Some(items) => self.node(items, whole, depth + 1)?,
                    None => self.anything()?,
                };
                Node::List { item, least, most }
            }
            "object" => Node::Object(self.fields(schema, whole, depth)?),
            _ => return None,
        };
        Some(self.add(node))
    }

    fn fields(
        &mut self,
        schema: &Map<String, Value>,
        whole: &Value,
        depth: usize,
    ) -> Option<Vec<Field>> {
        let nothing = Map::new();
        let properties = match schema.get("properties") {
            Some(properties) => properties.as_object()?,
            None => &nothing,
        };
        let needed: Vec<&str> = match schema.get("required") {
            Some(names) => names.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        let others = properties.keys().map(String::as_str).filter(|name| !needed.contains(name));
        let mut fields = Vec::new();
        for name in needed.iter().copied().chain(others) {
            let node = match properties.get(name) {
                Some(property) => self.node(property, whole, depth + 1)?,
                None => self.anything()?,
            };
            let key = format!("{}:", Value::from(name)).into_bytes();
            fields.push(Field { key, node, is_needed: needed.contains(&name) });
        }
        Some(fields)
    }

    fn words(&mut self, values: &[Value]) -> Option<usize> {
        let words: Vec<_> = values.iter().map(|value| value.to_string().into_bytes()).collect();
        (!words.is_empty()).then(|| self.add(Node::Words(words)))
    }

    fn either(&mut self, nodes: Vec<usize>) -> Option<usize> {
        let mut seen = BTreeSet::new();
        for node in &nodes {
            let firsts: BTreeSet<u8> =
                (0..=u8::MAX).filter(|byte| self.first(*node, *byte).is_some()).collect();
            if !seen.is_disjoint(&firsts) {
                return None;
            }
            seen.extend(firsts);
        }
        (!nodes.is_empty()).then(|| self.add(Node::Either(nodes)))
    }

    /// Any value, of those that have an end: no objects, and lists of simple values.
    fn anything(&mut self) -> Option<usize> {
        let simple = [
            Node::Text { least: 0, most: usize::MAX },
            Node::Number { is_whole: false, may_be_negative: true },
            Node::Words(["true", "false", "null"].map(|word| word.into()).to_vec()),
        ];
        let mut nodes = simple.map(|node| self.add(node)).to_vec();
        let item = self.either(nodes.clone())?;
        nodes.push(self.add(Node::List { item, least: 0, most: usize::MAX }));
        self.either(nodes)
    }
}
