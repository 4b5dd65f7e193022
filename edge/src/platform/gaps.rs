//! What of this deployment's variables is missing or cannot be read.

use endcap_engine::health::configuration::Gap;
use serde_json::Value;
use worker::Env;

use super::variable::text;

/// The word for a deployment that hashes no identifiers, on purpose.
pub(super) const NO_PEPPER: &str = "none";

/// Variables that are JSON objects.
const OBJECTS: [&str; 5] = [
    "ENDCAP_SOURCES",
    "ENDCAP_SERVER_KEYS",
    "ENDCAP_WEBHOOK_SECRETS",
    "ENDCAP_IDENTITY_SECRETS",
    "ENDCAP_CONSENT_CATEGORIES",
];

/// What the configuration made of some variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Understood {
    /// Some source has a key of its own for proofs.
    pub(super) proofs: bool,
    /// There is a key to sign with.
    pub(super) keys: bool,
    /// There is a key for web push.
    pub(super) vapid: bool,
}

/// What of the variables somebody should see to.
pub(super) fn find(env: &Env, understood: Understood) -> Vec<Gap> {
    let is_set = |name| text(env, name).is_some();
    let mut gaps = Vec::new();
    let mut missing = |holds: bool, name, effect| {
        if holds {
            gaps.push(Gap::Missing { name, effect });
        }
    };
    missing(
        !is_set("ENDCAP_API_KEY"),
        "ENDCAP_API_KEY",
        "the API answers nobody, this list included, so nobody can set a campaign or see a count. `cargo xtask keys` prints one",
    );
    missing(
        !is_set("ENDCAP_SIGNING_KEYS"),
        "ENDCAP_SIGNING_KEYS",
        "cookies and links are not signed, so whoever knows an anonymous ID can speak for its browser. `cargo xtask keys` prints one",
    );
    missing(
        !is_set("ENDCAP_IDENTITY_SECRET") && !understood.proofs,
        "ENDCAP_IDENTITY_SECRET",
        "no proof of a login can be checked, so nobody is recognised on a second device. `cargo xtask keys` prints one",
    );
    missing(
        !is_set("ENDCAP_IDENTITY_PEPPER"),
        "ENDCAP_IDENTITY_PEPPER",
        "identifiers lie in the identity graph as they are. Set it before the first event (`cargo xtask keys` prints one), or to \
         `none`: so does a deployment that has visitors already, because under another one nobody is found",
    );
    missing(
        !is_set("ENDCAP_SOURCES"),
        "ENDCAP_SOURCES",
        "no page may send events. It names each source and its origins",
    );
    for name in OBJECTS {
        let given = text(env, name);
        if given.is_some_and(|json| !matches!(serde_json::from_str(&json), Ok(Value::Object(_)))) {
            gaps.push(Gap::Unreadable { name, expected: "a JSON object" });
        }
    }
    if is_set("ENDCAP_SIGNING_KEYS") && !understood.keys {
        gaps.push(Gap::Unreadable {
            name: "ENDCAP_SIGNING_KEYS",
            expected: "`kid:base64url`, 16 bytes or more, with commas between",
        });
    }
    let vapid = ["ENDCAP_VAPID_PRIVATE_KEY", "ENDCAP_VAPID_PUBLIC_KEY", "ENDCAP_VAPID_SUBJECT"];
    if vapid.into_iter().any(is_set) && !understood.vapid {
        gaps.push(Gap::Unreadable {
            name: "ENDCAP_VAPID_PRIVATE_KEY",
            expected: "set together with ENDCAP_VAPID_PUBLIC_KEY and ENDCAP_VAPID_SUBJECT, as `cargo xtask keys` prints them",
        });
    }
    gaps
}
