//! Webhook sources as the shop saved them.

use endcap_events::webhook::mapping::Mapping;
use endcap_protocol::SourceId;
use endcap_validation::DomainError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A saved webhook source: its mapping is kept as it was written, and read again where it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedWebhook {
    /// The source.
    pub source: SourceId,
    /// The mapping as it was saved.
    pub mapping: Value,
}

impl SavedWebhook {
    /// Checks a mapping and takes it as it is written.
    ///
    /// # Errors
    /// What is wrong, with its path.
    pub fn read(source: SourceId, body: &[u8]) -> Result<Self, DomainError> {
        Mapping::read(body)?;
        let mapping = serde_json::from_slice(body).map_err(|error| DomainError::Json(error.to_string()))?;
        Ok(Self { source, mapping })
    }

    /// The mapping to apply.
    ///
    /// # Errors
    /// When a mapping that was saved by an earlier version is not understood any more.
    pub fn compile(&self) -> Result<Mapping, DomainError> {
        Mapping::read(self.mapping.to_string().as_bytes())
    }

    /// The webhook as the API shows it: what was put, with its source.
    #[must_use]
    pub fn view(&self) -> Value {
        let mut view = self.mapping.clone();
        if let Some(members) = view.as_object_mut() {
            members.insert("source".to_owned(), Value::from(self.source.as_str()));
        }
        view
    }
}

/// A webhook source as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookView {
    /// Its source.
    pub source: String,
    /// The mapping as it was saved.
    #[serde(flatten)]
    pub mapping: serde_json::Map<String, Value>,
}

/// All webhook sources.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Webhooks {
    /// In order of their names.
    pub webhooks: Vec<WebhookView>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_put_is_shown_and_compiled() {
        let source = SourceId::parse("erp").unwrap();
        let saved = SavedWebhook::read(source.clone(), br#"{"preset":"shopify"}"#).unwrap();
        assert_eq!(saved.view(), json!({"preset": "shopify", "source": "erp"}));
        assert!(saved.compile().is_ok());
        assert_eq!(SavedWebhook::read(source, br#"{"preset":"x"}"#).unwrap_err().path(), "preset");
    }
}
