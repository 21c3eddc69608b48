//! Dynamics 365 unified routing: fields in columns of the conversation's row, for rules of custom assignment.
//!
//! An assignment ruleset compares attributes of the work item
//! (<https://learn.microsoft.com/dynamics365/customer-service/administer/configure-assignment-rules>). So an
//! administrator adds text columns to `msdyn_ocliveworkitem`, or to the table of the records that are routed, named
//! `<column_prefix><field>`, and a rule such as "agent's user equals `new_backchannel_agent`". They are written with
//! `PATCH /api/data/v9.2/<table>(<id>)` on the condition of `If-Match`, 412 when somebody was faster
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api>).
//! Not run against the vendor.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{Access, Attributes, Fields, Held, fields};
use crate::connect::crm::answers::name_of_a_field;
use crate::connect::destination::DeliveryError;
use crate::connect::http::{Request, text};
use crate::connect::oauth::{Credentials, Door};

const ROOM_BYTES: usize = 8_192;
/// A row can't be told whether it is the newest without these.
const NEEDED: [&str; 2] = ["key", "at_ms"];

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://company.crm4.dynamics.com`.
    pub access: Access,
    /// As the connector to Dataverse makes them.
    pub credentials: Credentials,
    /// `api/data/v9.2`.
    pub api_path: String,
    /// `msdyn_ocliveworkitems`.
    pub table: String,
    /// The publisher's, such as `new_backchannel_`.
    pub column_prefix: String,
    /// Fields that have a column; `key` and `at_ms` always.
    pub fields: Vec<String>,
}

impl Settings {
    /// What the table is asked for where nothing else is set.
    pub fn usual_fields() -> Vec<String> {
        let usual = ["key", "at_ms", "agent", "agent_name", "decision", "mode", "reason", "intent"];
        usual.map(str::to_owned).to_vec()
    }
}

pub struct Dynamics {
    settings: Settings,
    door: Door,
}

impl Dynamics {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        for (name, value) in
            [("table", &settings.table), ("column_prefix", &settings.column_prefix)]
        {
            name_of_a_field(name, value)?;
        }
        if let Some(unknown) =
            settings.fields.iter().find(|name| !fields::NAMES.contains(&name.as_str()))
        {
            return Err(format!(
                "fields has no “{unknown}”; there are {}",
                fields::NAMES.join(", ")
            ));
        }
        if let Some(missing) =
            NEEDED.iter().find(|name| !settings.fields.iter().any(|one| one == *name))
        {
            return Err(format!("fields must have {missing}"));
        }
        let Access { url, patience, .. } = &settings.access;
        let credentials = settings.credentials.clone();
        let headers = [("OData-MaxVersion", "4.0"), ("OData-Version", "4.0")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let door = Door::new(url.clone(), &BTreeMap::from(headers), *patience, credentials)?;
        Ok(Self { settings, door })
    }

    fn path(&self, id: &str) -> Result<String, DeliveryError> {
        let is_guid = id.len() == 36
            && id.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if !is_guid {
            return Err(DeliveryError::Refused("the item's identifier is no GUID".to_owned()));
        }
        let Settings { api_path, table, .. } = &self.settings;
        Ok(format!("{}/{table}({id})", api_path.trim_matches('/')))
    }

    fn column(&self, field: &str) -> String {
        format!("{}{field}", self.settings.column_prefix)
    }
}

#[async_trait]
impl Attributes for Dynamics {
    fn system(&self) -> &'static str {
        "dynamics"
    }

    fn access(&self) -> &Access {
        &self.settings.access
    }

    fn room_bytes(&self) -> usize {
        ROOM_BYTES
    }

    async fn read(&self, external_id: &str) -> Result<Held, DeliveryError> {
        let path = self.path(external_id)?;
        let columns: Vec<String> =
            self.settings.fields.iter().map(|name| self.column(name)).collect();
        let request = Request::get(&path).query("$select", columns.join(","));
        let answer = self.door.ask(request).await?;
        let mut ours = Fields::new();
        for (field, column) in self.settings.fields.iter().zip(&columns) {
            if let Some(value) = text(&answer.body[column]) {
                ours.insert(field.clone(), value);
            }
        }
        let version = answer.text("/@odata.etag");
        let version =
            version.ok_or_else(|| DeliveryError::Unclear("its row has no version".to_owned()))?;
        Ok(Held { ours, version: Some(version), ..Held::default() })
    }

    async fn write(
        &self,
        external_id: &str,
        fields: &Fields,
        held: &Held,
    ) -> Result<(), DeliveryError> {
        let path = self.path(external_id)?;
        let row: serde_json::Map<String, Value> = fields
            .iter()
            .filter(|(name, _)| self.settings.fields.contains(name))
            // Of a text column, nothing is null.
            .map(|(name, value)| (self.column(name), none_if_empty(value)))
            .collect();
        let version = held.version.as_deref().unwrap_or("*");
        let request =
            Request::new(Method::PATCH, &path).header("if-match", version).json(Value::Object(row));
        self.door.ask(request).await.map(drop)
    }
}

fn none_if_empty(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { json!(value) }
}
