//! The rules of identity resolution, which a shop can set.

use std::collections::BTreeMap;

use endcap_protocol::FieldError;
use endcap_validation::json::is_default;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::proof::ProofForms;

/// Values that name nobody, whoever sends them: what code writes where there is no value, and placeholders.
const BLOCKED: [&str; 27] = [
    "null",
    "undefined",
    "none",
    "nil",
    "nan",
    "n/a",
    "na",
    "0",
    "-1",
    "-",
    "unknown",
    "anonymous",
    "guest",
    "test",
    "tester",
    "demo",
    "default",
    "empty",
    "true",
    "false",
    "user",
    "admin",
    "[object object]",
    "guest@*",
    "test@*",
    "noreply@*",
    "no-reply@*",
];
/// Most patterns and namespaces that a shop can add.
const MAX_ENTRIES: usize = 200;

/// What an identify without the shop's proof does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimPolicy {
    /// Is listed at the person whom it names, and joins nothing: the browser stays a visitor of its own. Under its old
    /// name, `contribute`, it did join.
    #[default]
    #[serde(alias = "contribute")]
    List,
    /// Is not even listed.
    Proof,
    /// Joins like a fact, for a source whose clients can prove nothing. It overrides no fact, joins no two known people,
    /// and joins nobody who has a proved browser. Whoever may send to the source can pose as everybody else.
    Trust,
}

/// What the earlier ID of an alias may be, which the shop's server states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AliasPolicy {
    /// A user ID that somebody has, or else an anonymous ID. A server must not take it from a cookie then.
    #[default]
    Users,
    /// An anonymous ID only.
    Browsers,
}

/// The rules of one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NamespaceRule {
    /// Links of a lower number are made first, and win where two contradict each other, 0 to 100.
    pub priority: u8,
    /// Most values that one person has, 1 to 1,000.
    pub values: u16,
}

/// The rules of identity resolution; what is left out has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityRules {
    /// Rules by namespace: `user_id`, `member_no`, `line_id`, `external:…`, `phone`, `email`.
    pub namespaces: BTreeMap<String, NamespaceRule>,
    /// Values that name nobody, besides `null`, `guest` and their like: whole values in any case, with `*` for any text.
    pub blocked: Vec<String>,
    /// What an identify without proof does, by source; `*` stands for every other source.
    pub claims: BTreeMap<String, ClaimPolicy>,
    /// Which forms of proofs count, by source; `*` stands for every other source.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub proofs: BTreeMap<String, ProofForms>,
    /// What the earlier ID of an alias may be.
    // Left out where it says nothing, so that a version that does not know it can read the others.
    #[serde(skip_serializing_if = "is_default")]
    pub aliases: AliasPolicy,
    /// Most links that may enlarge one person within an hour; more are held for review. 1 to 10,000.
    pub merges_per_hour: u16,
    /// Most fragments (browsers, logins, server records) of one person; more are held for review. 2 to 1,000.
    pub fragments_per_person: u16,
    /// Most fragments that an identifier other than a user ID may name. One that names more is shared or made up, and
    /// links nobody. 2 to 1,000.
    pub fragments_per_identifier: u16,
}

impl Default for IdentityRules {
    fn default() -> Self {
        Self {
            namespaces: BTreeMap::new(),
            blocked: Vec::new(),
            claims: BTreeMap::new(),
            proofs: BTreeMap::new(),
            aliases: AliasPolicy::default(),
            merges_per_hour: 30,
            fragments_per_person: 500,
            fragments_per_identifier: 50,
        }
    }
}

impl Default for NamespaceRule {
    fn default() -> Self {
        Self { priority: 50, values: 5 }
    }
}

impl IdentityRules {
    /// Checks what a shop set.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<(), FieldError> {
        let range = |path: &str, value: u16, least: u16, most: u16| {
            let within = (least..=most).contains(&value);
            if within { Ok(()) } else { Err(FieldError::new(path, format!("must be from {least} to {most}"))) }
        };
        range("identity.merges_per_hour", self.merges_per_hour, 1, 10_000)?;
        range("identity.fragments_per_person", self.fragments_per_person, 2, 1000)?;
        range("identity.fragments_per_identifier", self.fragments_per_identifier, 2, 1000)?;
        let lists = [self.blocked.len(), self.namespaces.len(), self.claims.len(), self.proofs.len()];
        if lists.into_iter().any(|length| length > MAX_ENTRIES) {
            return Err(FieldError::new("identity", format!("lists hold at most {MAX_ENTRIES} entries")));
        }
        for (index, pattern) in self.blocked.iter().enumerate() {
            let literal = pattern.chars().any(|c| c != '*');
            if pattern.len() > 256 || !literal {
                let path = format!("identity.blocked.{index}");
                return Err(FieldError::new(path, "must hold 1 to 256 bytes and not only *"));
            }
        }
        if self.claims.get("*") == Some(&ClaimPolicy::Trust) {
            let message = "must not be trust: name each source whose claims count like facts";
            return Err(FieldError::new("identity.claims.*", message));
        }
        for (name, rule) in &self.namespaces {
            let path = format!("identity.namespaces.{name}");
            if Namespace::parse(name).is_none_or(|namespace| namespace == Namespace::AnonymousId) {
                return Err(FieldError::new(path, "is no namespace that has rules"));
            }
            range(&format!("{path}.priority"), rule.priority.into(), 0, 100)?;
            range(&format!("{path}.values"), rule.values, 1, 1000)?;
        }
        Ok(())
    }

    /// What an identify without proof does at a source.
    #[must_use]
    pub fn claim_policy(&self, source: &str) -> ClaimPolicy {
        self.claims.get(source).or_else(|| self.claims.get("*")).copied().unwrap_or_default()
    }

    /// Whether claims at a source count like facts.
    #[must_use]
    pub fn trusts_claims(&self, source: &str) -> bool {
        self.claim_policy(source) == ClaimPolicy::Trust
    }

    /// Whether claims at one of these sources do.
    pub fn trusts_any<'a>(&self, mut sources: impl Iterator<Item = &'a str>) -> bool {
        sources.any(|source| self.trusts_claims(source))
    }

    /// Sources whose claims count like facts.
    pub fn trusted_sources(&self) -> impl Iterator<Item = &str> {
        let trusted = self.claims.iter().filter(|(_, policy)| **policy == ClaimPolicy::Trust);
        trusted.map(|(source, _)| source.as_str())
    }

    /// The forms of proofs that count at a source.
    #[must_use]
    pub fn proof_forms(&self, source: &str) -> ProofForms {
        self.proofs.get(source).or_else(|| self.proofs.get("*")).copied().unwrap_or_default()
    }

    /// The rule of a namespace.
    ///
    /// The precedence where a shop says nothing: user IDs, of which a person has one; then member numbers, IDs of other
    /// systems and LINE accounts; then phone numbers; e-mail addresses last.
    #[must_use]
    pub fn of(&self, namespace: &Namespace) -> NamespaceRule {
        let default = match namespace {
            Namespace::AnonymousId => NamespaceRule { priority: 0, values: u16::MAX },
            Namespace::UserId => NamespaceRule { priority: 10, values: 1 },
            Namespace::MemberNo => NamespaceRule { priority: 20, values: 3 },
            Namespace::External(_) => NamespaceRule { priority: 30, values: 3 },
            Namespace::LineId => NamespaceRule { priority: 40, values: 3 },
            Namespace::Phone => NamespaceRule { priority: 50, values: 5 },
            Namespace::Email => NamespaceRule { priority: 60, values: 5 },
        };
        if *namespace == Namespace::AnonymousId {
            return default;
        }
        self.namespaces.get(&namespace.to_string()).copied().unwrap_or(default)
    }

    /// Whether an identifier names nobody.
    #[must_use]
    pub fn blocks(&self, identifier: &Identifier) -> bool {
        if identifier.namespace == Namespace::AnonymousId {
            return false;
        }
        let value = identifier.value.to_lowercase();
        let bare = value.trim_matches('+');
        let zeros = bare.chars().all(|c| matches!(c, '0' | '-' | ' ')) && !bare.is_empty();
        let own = self.blocked.iter().map(String::as_str);
        zeros || BLOCKED.into_iter().chain(own).any(|pattern| matches(pattern, &value))
    }
}

/// Whether `value` is the pattern, in which `*` stands for any text. `value` is in lower case.
fn matches(pattern: &str, value: &str) -> bool {
    let pattern = pattern.trim().to_lowercase();
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| value.strip_prefix(first)) else { return false };
    let mut ends = !pattern.contains('*');
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    ends &= rest.is_empty();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(namespace: &str, value: &str) -> Identifier {
        Identifier { namespace: Namespace::parse(namespace).unwrap(), value: value.to_owned() }
    }

    #[test]
    fn placeholders_name_nobody() {
        let rules = IdentityRules::default();
        for value in ["null", "Undefined", "0", "anonymous", "GUEST", "test", "none", "N/A", "0000-0000", "00000000"] {
            assert!(rules.blocks(&identifier("user_id", value)), "{value}");
        }
        for value in ["guest@shop.example", "test@shop.example", "no-reply@shop.example"] {
            assert!(rules.blocks(&identifier("email", value)), "{value}");
        }
        assert!(rules.blocks(&identifier("phone", "+000000000")));
        for value in ["ada", "guestbook-42", "10", "nullable"] {
            assert!(!rules.blocks(&identifier("user_id", value)), "{value}");
        }
    }

    #[test]
    fn a_shop_blocks_values_of_its_own() {
        let blocked = ["*@shop.example", "kiosk-*-till", "x"].map(str::to_owned).to_vec();
        let rules = IdentityRules { blocked, ..IdentityRules::default() };
        assert!(rules.blocks(&identifier("email", "orders@shop.example")));
        assert!(rules.blocks(&identifier("user_id", "kiosk-7-till")));
        assert!(!rules.blocks(&identifier("user_id", "kiosk-7-tills")));
        assert!(rules.blocks(&identifier("user_id", "X")));
        assert!(!rules.blocks(&identifier("user_id", "xx")));
    }

    #[test]
    fn says_which_rule_is_wrong() {
        let with = |json: &str| serde_json::from_str::<IdentityRules>(json).unwrap().check().map_err(|e| e.path);
        assert_eq!(with("{}"), Ok(()));
        assert_eq!(with(r#"{"blocked":["*"]}"#), Err("identity.blocked.0".to_owned()));
        assert_eq!(with(r#"{"merges_per_hour":0}"#), Err("identity.merges_per_hour".to_owned()));
        let values = r#"{"namespaces":{"email":{"values":0}}}"#;
        assert_eq!(with(values), Err("identity.namespaces.email.values".to_owned()));
        assert_eq!(with(r#"{"namespaces":{"shoe":{}}}"#), Err("identity.namespaces.shoe".to_owned()));
    }

    #[test]
    fn a_source_has_its_own_policy_and_others_the_general_one() {
        let rules: IdentityRules = serde_json::from_str(r#"{"claims":{"app":"contribute","*":"proof"}}"#).unwrap();
        assert_eq!(rules.claim_policy("app"), ClaimPolicy::List, "the old name of what listing replaces");
        assert_eq!(rules.claim_policy("shop"), ClaimPolicy::Proof);
        assert_eq!(IdentityRules::default().claim_policy("shop"), ClaimPolicy::List);
        let trusting = |source: &str| -> IdentityRules {
            serde_json::from_value(serde_json::json!({"claims": {source: "trust"}})).unwrap()
        };
        assert!(trusting("app").check().is_ok() && trusting("app").trusts_claims("app"));
        assert_eq!(trusting("*").check().unwrap_err().path, "identity.claims.*");
    }
}
