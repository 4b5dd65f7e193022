//! Takes proofs and passed on tokens out of the texts that are stored: whoever reads a log or a refused event must not be able to
//! log in with it, or to act as that browser.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::repair_surrogates::repair_surrogates;

/// The member of a server's call that says where it happened.
const CONTEXT: &str = "context";
/// The member of it that holds possession tokens.
const POSSESSION: &str = "possession";
/// The member that holds a proof.
const PROOF: &str = "proof";
/// The member of a held call that holds its arguments.
const CALL: &str = "call";

/// What a text is searched for that may hold a proof: each event is.
static NAMES_PROOF: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(PROOF));
/// A name may be written with escapes.
static NAMES_ESCAPED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\u"));

fn holds(text: &str, named: &Finder<'_>) -> bool {
    named.find(text.as_bytes()).is_some()
}

/// An object's members, in the order in which they were sent.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        json.deserialize_map(InOrder)
    }
}

/// The text of an event or of a held call without its proof; everything else stays as it was sent.
#[must_use]
pub fn without_proof(raw: &str) -> Cow<'_, str> {
    if !holds(raw, &NAMES_PROOF) && !holds(raw, &NAMES_ESCAPED) {
        return Cow::Borrowed(raw);
    }
    let repaired = repair_surrogates(raw);
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(&repaired) else {
        // No object holds no proof that anything would read.
        return Cow::Borrowed(raw);
    };
    let mut changed = false;
    let mut kept = Vec::new();
    for (name, value) in members {
        match name.as_str() {
            PROOF => changed = true,
            CALL => {
                let arguments = arguments_without_proof(value.get());
                changed |= matches!(arguments, Cow::Owned(_));
                kept.push((name, arguments));
            }
            _ => kept.push((name, Cow::Borrowed(value.get()))),
        }
    }
    if changed { Cow::Owned(object(&kept)) } else { Cow::Borrowed(raw) }
}

/// The arguments of a held call, each without a proof of its own.
fn arguments_without_proof(raw: &str) -> Cow<'_, str> {
    let Ok(arguments) = serde_json::from_str::<Vec<&RawValue>>(raw) else { return Cow::Borrowed(raw) };
    let kept: Vec<Cow<'_, str>> = arguments.iter().map(|argument| without_member(argument.get(), PROOF)).collect();
    if kept.iter().all(|argument| matches!(argument, Cow::Borrowed(_))) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(format!("[{}]", kept.join(",")))
}

/// The text of a server's call without the possession tokens that it passes on; everything else stays as it was sent.
#[must_use]
pub fn without_possession(raw: &str) -> Cow<'_, str> {
    if !raw.contains(POSSESSION) && !holds(raw, &NAMES_ESCAPED) {
        return Cow::Borrowed(raw);
    }
    let repaired = repair_surrogates(raw);
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(&repaired) else { return Cow::Borrowed(raw) };
    let kept: Vec<_> = members
        .into_iter()
        .map(|(name, value)| {
            let value = if name == CONTEXT { without_member(value.get(), POSSESSION) } else { value.get().into() };
            (name, value)
        })
        .collect();
    if kept.iter().all(|(_, value)| matches!(value, Cow::Borrowed(_))) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(object(&kept))
}

/// A value without a member of this name, where it is an object.
fn without_member<'a>(raw: &'a str, without: &str) -> Cow<'a, str> {
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(raw) else { return Cow::Borrowed(raw) };
    let kept: Vec<_> = members.iter().filter(|(name, _)| name != without).collect();
    if kept.len() == members.len() {
        return Cow::Borrowed(raw);
    }
    let kept: Vec<_> = kept.into_iter().map(|(name, value)| (name.clone(), Cow::Borrowed(value.get()))).collect();
    Cow::Owned(object(&kept))
}

fn object(members: &[(String, Cow<'_, str>)]) -> String {
    let member = |(name, value): &(String, Cow<'_, str>)| format!("{}:{value}", serde_json::json!(name));
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_proof_goes_and_the_rest_stays_as_it_was() {
        let identify = r#"{"z":1.50,"type":"identify","proof":"00ff","traits":{"proof":"of address"},"a":[ 1 ]}"#;
        let expected = r#"{"z":1.50,"type":"identify","traits":{"proof":"of address"},"a":[ 1 ]}"#;
        assert_eq!(without_proof(identify), expected);
        assert_eq!(without_proof(r#"{"pr\u006fof":"00ff","proof":1,"b":2}"#), r#"{"b":2}"#);
        assert!(!without_proof(r#"{"\ud800":1,"proof":"00ff"}"#).contains("00ff"));
        let call = r#"{"message_id":"m","call":["identify","ann",{"a":1},{"proof":"00ff","x":2}],"url":""}"#;
        let expected = r#"{"message_id":"m","call":["identify","ann",{"a":1},{"x":2}],"url":""}"#;
        assert_eq!(without_proof(call), expected);
    }

    #[test]
    fn passed_on_tokens_go_and_the_rest_stays_as_it_was() {
        let call =
            r#"{"type":"track","context":{"ip":"::1","possession":"1.k1.x"},"properties":{"possession":"of a house"}}"#;
        let expected = r#"{"type":"track","context":{"ip":"::1"},"properties":{"possession":"of a house"}}"#;
        assert_eq!(without_possession(call), expected);
        assert!(!without_possession(r#"{"context":{"\u0070ossession":"1.k1.x"}}"#).contains("1.k1.x"));
        assert!(!without_possession(r#"{"conte\u0078t":{"possession":"1.k1.x"}}"#).contains("1.k1.x"));
        for text in
            [r#"{"context":{"possessions":1}}"#, r#"["possession"]"#, "possession", r#"{"context":"possession"}"#]
        {
            assert!(matches!(without_possession(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_holds_no_proof_is_not_touched() {
        let texts = [
            r#"{"name":"80 % proof","properties":{"proof":80}}"#,
            r#"{"call":["track","x",{"a":"\u0041"}]}"#,
            r#"["proof"]"#,
            "no json with proof",
            "",
        ];
        for text in texts {
            assert!(matches!(without_proof(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_same_object(
            members in proptest::collection::btree_map("[a-z\"\\\\]{1,6}", any::<i64>(), 0..6),
            proof in "\\PC{0,40}",
        ) {
            let mut object: serde_json::Map<String, serde_json::Value> =
                members.into_iter().map(|(name, value)| (name, value.into())).collect();
            object.insert("proof".to_owned(), proof.into());
            let left: serde_json::Value = serde_json::from_str(&without_proof(&serde_json::json!(object).to_string())).unwrap();
            object.remove("proof");
            prop_assert_eq!(left, serde_json::Value::Object(object));
        }
    }
}
