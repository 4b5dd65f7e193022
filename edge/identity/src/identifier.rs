//! Identifiers: what names somebody, in the one form in which it is compared.

use std::fmt;

use endcap_protocol::FieldError;
use endcap_validation::text::normalise_email;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::namespace::Namespace;

/// Longest value, in bytes.
const MAX: usize = 256;
/// How values begin that were hashed.
const HASHED: &str = "sha256~";

/// A normalised identifier: equal identifiers name the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    /// What kind it is of.
    pub namespace: Namespace,
    /// Its value, normalised.
    pub value: String,
}

impl Identifier {
    /// Normalises a value: e-mail addresses are trimmed and lower-cased, phone numbers brought into E.164 form, anything
    /// else is trimmed.
    ///
    /// # Errors
    /// When it is empty, over 256 bytes, holds control characters, or is no e-mail address or international phone number.
    pub fn new(namespace: Namespace, text: &str) -> Result<Self, FieldError> {
        let wrong = |message: &str| FieldError::new(namespace.to_string(), message);
        let value = match namespace {
            Namespace::Email => normalise_email(text).ok_or_else(|| wrong("must be an e-mail address"))?,
            Namespace::Phone => e164(text)
                .ok_or_else(|| wrong("must be a phone number with its country code, such as +81 3 1234 5678"))?,
            _ => text.trim().to_owned(),
        };
        if value.is_empty() {
            return Err(wrong("must not be empty"));
        }
        if value.len() > MAX {
            return Err(wrong("is too long"));
        }
        if value.chars().any(char::is_control) {
            return Err(wrong("must not hold control characters"));
        }
        Ok(Self { namespace, value })
    }

    /// Reads what `Display` wrote.
    #[must_use]
    pub fn read(key: &str) -> Option<Self> {
        let at = match key.strip_prefix("external:") {
            Some(rest) => rest.find(':')? + "external:".len(),
            None => key.find(':')?,
        };
        let (namespace, value) = (key.get(..at)?, key.get(at + 1..)?);
        Some(Self { namespace: Namespace::parse(namespace)?, value: value.to_owned() })
    }

    /// The same with its value replaced by HMAC-SHA-256 (RFC 2104) under the deployment's pepper: equal values stay equal,
    /// and who sees the table learns none. An empty pepper changes nothing.
    #[must_use]
    pub fn hashed(self, pepper: &[u8]) -> Self {
        if pepper.is_empty() || self.value.starts_with(HASHED) {
            return self;
        }
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(pepper)
            .unwrap_or_else(|never| unreachable!("HMAC takes keys of any length: {never}"));
        mac.update(self.to_string().as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { value: format!("{HASHED}{hex}"), namespace: self.namespace }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.value)
    }
}

/// A phone number in E.164 form; None when it has no country code or is none of that country.
fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    let international = text.strip_prefix("00").map_or_else(|| text.to_owned(), |rest| format!("+{rest}"));
    if !international.starts_with('+') || international.len() > 40 {
        return None;
    }
    phonelib::normalize_phone_number(&international)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(namespace: &str, text: &str) -> Option<String> {
        Identifier::new(Namespace::parse(namespace).unwrap(), text).ok().map(|identifier| identifier.to_string())
    }

    #[test]
    fn equal_people_have_equal_identifiers() {
        assert_eq!(of("email", " Ann@Shop.Example "), of("email", "ann@shop.example"));
        for text in ["+81 90-1234-5678", "0081 90 1234 5678", "+81 (0)90 1234 5678"] {
            assert_eq!(of("phone", text).as_deref(), Some("phone:+819012345678"), "{text}");
        }
        assert_eq!(of("external:crm", " 12 ").as_deref(), Some("external:crm:12"));
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for (namespace, text) in
            [("email", "ann"), ("phone", "090 1234 5678"), ("phone", "+1"), ("phone", "call me"), ("user_id", "  ")]
        {
            assert_eq!(of(namespace, text), None, "{namespace} {text}");
        }
        assert_eq!(Namespace::parse("external:"), None);
        assert_eq!(Namespace::parse("External:crm"), None);
    }

    #[test]
    fn hashing_hides_the_value_and_keeps_equality() {
        let plain = Identifier::new(Namespace::Email, "ann@shop.example").unwrap();
        let hashed = plain.clone().hashed(b"pepper");
        assert!(!hashed.value.contains("ann"));
        assert_eq!(hashed, plain.clone().hashed(b"pepper"));
        assert_eq!(hashed.clone().hashed(b"pepper"), hashed, "once is enough");
        assert_ne!(hashed, plain.clone().hashed(b"other"));
        assert_eq!(plain.clone().hashed(b""), plain);
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent_and_never_panics(
            namespace in prop::sample::select(vec!["email", "phone", "user_id", "external:x"]), text in ".{0,300}",
        ) {
            let namespace = Namespace::parse(namespace).unwrap();
            if let Ok(once) = Identifier::new(namespace.clone(), &text) {
                prop_assert_eq!(Identifier::new(namespace, &once.value), Ok(once.clone()));
                prop_assert_eq!(Identifier::read(&once.to_string()), Some(once));
            }
        }
    }
}
