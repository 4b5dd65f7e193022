//! What administrators see of who is whom, and decide about it: the bodies of their requests and answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use endcap_protocol::{AnonymousId, FieldError};
use endcap_validation::Trust;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assignment::{LinkStrength, Reassignment};
use crate::edge::{Edge, Witness};
use crate::fragment_id::FragmentId;
use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::resolve::Verdict;

/// Longest reason, in bytes.
const MAX_REASON: usize = 500;

/// An identifier as it is sent and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WireIdentifier {
    /// `user_id`, `member_no`, `line_id`, `external:…`, `phone`, `email` or `anonymous_id`.
    pub namespace: String,
    /// Its value; normalised as those of events are.
    pub value: String,
}

/// Which links are meant. At least one of fragment and identifier is required; with both, it is the one link between
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinksAsk {
    /// The browser whose links are meant, by its anonymous ID.
    pub anonymous_id: Option<String>,
    /// The fragment whose links are meant, where a browser has more than one.
    pub fragment_id: Option<String>,
    /// The identifier whose links are meant.
    pub identifier: Option<WireIdentifier>,
    /// Why, for the record; at most 500 bytes.
    pub reason: String,
}

/// Links that somebody means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Those of this fragment.
    pub fragment: Option<FragmentId>,
    /// Those to this identifier.
    pub identifier: Option<Identifier>,
}

impl LinksAsk {
    /// Checks which links are meant.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(&self) -> Result<Links, FieldError> {
        let fragment = match (&self.anonymous_id, &self.fragment_id) {
            (Some(_), Some(_)) => return Err(FieldError::new("fragment_id", "or anonymous_id is given, not both")),
            (Some(browser), None) => Some(FragmentId::first(&AnonymousId::parse(browser)?)),
            (None, Some(fragment)) => Some(FragmentId::parse(fragment)?),
            (None, None) => None,
        };
        let identifier = self.identifier.as_ref().map(WireIdentifier::parse).transpose();
        let identifier = identifier.map_err(|error| error.under("identifier"))?;
        if fragment.is_none() && identifier.is_none() {
            return Err(FieldError::new("anonymous_id", "or fragment_id or identifier is required"));
        }
        if self.reason.len() > MAX_REASON {
            return Err(FieldError::new("reason", format!("must be at most {MAX_REASON} bytes")));
        }
        Ok(Links { fragment, identifier })
    }
}

impl WireIdentifier {
    /// The identifier, normalised.
    ///
    /// # Errors
    /// The member that is wrong.
    pub fn parse(&self) -> Result<Identifier, FieldError> {
        let namespace = Namespace::parse(&self.namespace);
        let namespace = namespace.ok_or_else(|| FieldError::new("namespace", "is no namespace of identifiers"))?;
        Identifier::new(namespace, &self.value).map_err(|error| FieldError { path: "value".to_owned(), ..error })
    }
}

impl From<&Identifier> for WireIdentifier {
    fn from(identifier: &Identifier) -> Self {
        Self { namespace: identifier.namespace.to_string(), value: identifier.value.clone() }
    }
}

/// Where the fragments went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinksReply {
    /// Those whose place changed.
    pub moved: Vec<MovedFragment>,
}

/// A fragment whose place changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MovedFragment {
    /// The fragment.
    pub fragment_id: String,
    /// The profile that it belongs to now.
    pub profile_id: String,
    /// What links it there.
    #[serde(rename = "standing")]
    pub link_strength: LinkStrength,
}

impl From<&Reassignment> for MovedFragment {
    fn from(reassignment: &Reassignment) -> Self {
        Self {
            fragment_id: reassignment.fragment.as_str().to_owned(),
            profile_id: reassignment.assignment.profile.as_str().to_owned(),
            link_strength: reassignment.assignment.link_strength,
        }
    }
}

/// A link as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkView {
    /// The fragment.
    pub fragment_id: String,
    /// The identifier.
    pub identifier: WireIdentifier,
    /// How far it is believed.
    pub trust: Trust,
    /// The event that first said so, and counts.
    pub witness: Option<Witness>,
    /// What became of it.
    pub verdict: Verdict,
}

impl LinkView {
    /// The view of an edge.
    #[must_use]
    pub fn new(edge: &Edge, verdict: Verdict) -> Self {
        Self {
            fragment_id: edge.fragment.as_str().to_owned(),
            identifier: (&edge.identifier).into(),
            trust: edge.trust(),
            witness: edge.witness().cloned(),
            verdict,
        }
    }
}

/// Links that were not followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflicts {
    /// At most as many as were asked for.
    pub conflicts: Vec<LinkView>,
    /// Where the next page begins, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Most links of a page.
pub const LINKS_PAGE: usize = 200;
/// Longest cursor, in bytes.
const MAX_CURSOR: usize = 2048;

/// A place in the list of links that were not followed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkPlace {
    /// The part of the graph.
    pub part: u16,
    /// The fragment of the last link there.
    pub fragment: String,
    /// Its identifier.
    pub identifier: String,
}

impl LinkPlace {
    /// Reads a cursor.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::new("cursor", "must be the cursor of an earlier answer");
        let packed = (text.len() <= MAX_CURSOR).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
        packed.and_then(|packed| postcard::from_bytes(&packed).ok()).ok_or_else(wrong)
    }

    /// The cursor.
    #[must_use]
    pub fn to_text(&self) -> String {
        postcard::to_allocvec(self).map(|packed| URL_SAFE_NO_PAD.encode(packed)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_survives_the_trip_and_nothing_else_is_one() {
        let place = LinkPlace { part: 3, fragment: "b~m".to_owned(), identifier: "email:a@shop.example".to_owned() };
        assert_eq!(LinkPlace::parse(&place.to_text()), Ok(place));
        for text in ["", "?", "AAAA!", &"A".repeat(3000)] {
            assert_eq!(LinkPlace::parse(text).unwrap_err().path, "cursor", "{text}");
        }
    }

    fn ask(json: &str) -> Result<Links, String> {
        serde_json::from_str::<LinksAsk>(json).unwrap().parse().map_err(|error| error.path)
    }

    #[test]
    fn says_which_links_are_meant_or_what_is_wrong() {
        let links = ask(r#"{"anonymous_id":"a","identifier":{"namespace":"email","value":" A@B.example "}}"#).unwrap();
        assert_eq!(links.fragment.unwrap().as_str(), "a");
        assert_eq!(links.identifier.unwrap().value, "a@b.example");
        assert_eq!(ask(r#"{"anonymous_id":"a","fragment_id":"b"}"#), Err("fragment_id".to_owned()));
        assert_eq!(ask(r#"{"reason":"none"}"#), Err("anonymous_id".to_owned()));
        let wrong = r#"{"identifier":{"namespace":"shoe","value":"x"}}"#;
        assert_eq!(ask(wrong), Err("identifier.namespace".to_owned()));
        assert_eq!(ask(r#"{"identifier":{"namespace":"email","value":"x"}}"#), Err("identifier.value".to_owned()));
    }
}
