//! What a visitor agreed to, as the vendors' clients say it with each call.
//!
//! Segment's *consent object* is `context.consent.categoryPreferences`, a map of the shop's categories to true or false;
//! RudderStack's is `context.consentManagement`, with `allowedConsentIds` and `deniedConsentIds`. The categories are names
//! of the shop's own consent manager, so each source can say what they mean; the usual ones are known.

use std::collections::BTreeMap;

use endcap_protocol::Consent;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::name_text::text;

/// What a category is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentPurpose {
    /// Measuring what visitors do.
    Analytics,
    /// Fitting the page to the visitor.
    Personalization,
    /// Messages after the visit.
    Marketing,
    /// Nothing that anybody is asked for here, such as what is strictly necessary.
    None,
}

/// What categories mean that have names of a source's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Categories(BTreeMap<String, ConsentPurpose>);

/// Usual names, in lower case and without anything but letters and digits. `c0001` and the like are OneTrust's.
const USUAL: [(ConsentPurpose, &[&str]); 4] = [
    (
        ConsentPurpose::Analytics,
        &["analytics", "analytical", "statistics", "statistical", "performance", "measurement", "c0002"],
    ),
    (
        ConsentPurpose::Personalization,
        &["personalization", "personalisation", "functional", "functionality", "preferences", "preference", "c0003"],
    ),
    (ConsentPurpose::Marketing, &["marketing", "advertising", "advertisement", "ads", "targeting", "c0004"]),
    (ConsentPurpose::None, &["necessary", "strictlynecessary", "essential", "required", "c0001"]),
];

/// What was said of each purpose.
#[derive(Debug, Default)]
struct Said {
    analytics: Option<bool>,
    personalization: Option<bool>,
    marketing: Option<bool>,
    /// Whether any category was known.
    any: bool,
}

impl Categories {
    /// The consent in the context of a call; None without a known category. Where several categories have one purpose,
    /// all have to be granted. A purpose without a category counts as refused, except analytics, because the client
    /// would not have sent the call.
    #[must_use]
    pub fn read(&self, context: &Map<String, Value>) -> Option<Consent> {
        let mut said = Said::default();
        let object = |key: &str, inner: &str| context.get(key)?.get(inner);
        if let Some(Value::Object(preferences)) = object("consent", "categoryPreferences") {
            for (name, granted) in preferences {
                said.add(self.purpose(name), granted.as_bool());
            }
        }
        let allowed = names(object("consentManagement", "allowedConsentIds"));
        let denied = names(object("consentManagement", "deniedConsentIds"));
        allowed.iter().flatten().for_each(|name| said.add(self.purpose(name), Some(true)));
        denied.iter().flatten().for_each(|name| said.add(self.purpose(name), Some(false)));
        // Without a list of what is denied, the other list is all that is allowed.
        let measured = said.analytics.unwrap_or(allowed.is_none() || denied.is_some());
        said.any.then(|| Consent {
            analytics: measured,
            personalization: said.personalization.unwrap_or(false),
            marketing: said.marketing.unwrap_or(false),
        })
    }

    fn purpose(&self, name: &str) -> Option<ConsentPurpose> {
        self.0.get(name).copied().or_else(|| {
            let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let known =
                |(_, names): &&(ConsentPurpose, &[&str])| names.iter().any(|usual| plain.eq_ignore_ascii_case(usual));
            USUAL.iter().find(known).map(|(purpose, _)| *purpose)
        })
    }
}

impl Said {
    fn add(&mut self, purpose: Option<ConsentPurpose>, granted: Option<bool>) {
        let (Some(purpose), Some(granted)) = (purpose, granted) else { return };
        self.any = true;
        let place = match purpose {
            ConsentPurpose::Analytics => &mut self.analytics,
            ConsentPurpose::Personalization => &mut self.personalization,
            ConsentPurpose::Marketing => &mut self.marketing,
            ConsentPurpose::None => return,
        };
        *place = Some(place.unwrap_or(true) && granted);
    }
}

/// The identifiers of a list, or the keys of an object, which some consent managers are read into.
fn names(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::Array(list) => Some(list.iter().filter_map(text).collect()),
        Value::Object(members) => Some(members.keys().cloned().collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bits(categories: &Categories, context: &Value) -> Option<[bool; 3]> {
        let consent = categories.read(context.as_object().unwrap());
        consent.map(|consent| [consent.analytics, consent.personalization, consent.marketing])
    }

    #[test]
    fn segments_categories_are_known_by_their_usual_names() {
        let read = |preferences: Value| {
            bits(&Categories::default(), &json!({"consent": {"categoryPreferences": preferences}}))
        };
        let usual = json!({"Advertising": true, "Analytics": false, "Functional": true, "DataSharing": false});
        assert_eq!(read(usual), Some([false, true, true]));
        assert_eq!(read(json!({"analytics": true, "Performance": false})), Some([false, false, false]));
        assert_eq!(read(json!({"Strictly Necessary": true})), Some([true, false, false]));
        assert_eq!(read(json!({"Advertising": false})), Some([true, false, false]));
        assert_eq!(read(json!({"DataSharing": false, "Analytics": "no"})), None);
        assert_eq!(read(json!([])), None);
    }

    #[test]
    fn rudderstacks_lists_are_read_and_what_is_denied_wins() {
        let read = |lists: Value| bits(&Categories::default(), &json!({"consentManagement": lists}));
        let one_trust = json!({"allowedConsentIds": ["C0001", "C0002"], "deniedConsentIds": ["C0003", "C0004"]});
        assert_eq!(read(one_trust), Some([true, false, false]));
        assert_eq!(
            read(json!({"allowedConsentIds": ["marketing"], "deniedConsentIds": []})),
            Some([true, false, true])
        );
        assert_eq!(read(json!({"allowedConsentIds": ["C0001"]})), Some([false, false, false]), "the list is all");
        assert_eq!(
            read(json!({"allowedConsentIds": ["ads"], "deniedConsentIds": ["ads"]})),
            Some([true, false, false])
        );
        assert_eq!(read(json!({"allowedConsentIds": {"C0002": "x"}})), Some([true, false, false]));
        assert_eq!(read(json!({"allowedConsentIds": ["custom-1"]})), None);
        assert_eq!(bits(&Categories::default(), &json!({"consent": null, "consentManagement": 7})), None);
    }

    #[test]
    fn a_source_says_what_its_own_names_mean() {
        let own: Categories =
            serde_json::from_str(r#"{"cat-1": "analytics", "Analytics": "none", "DataSharing": "marketing"}"#).unwrap();
        let context =
            json!({"consent": {"categoryPreferences": {"cat-1": false, "Analytics": true, "DataSharing": true}}});
        assert_eq!(bits(&own, &context), Some([false, false, true]));
        assert!(serde_json::from_str::<Categories>(r#"{"a": "everything"}"#).is_err());
    }
}
