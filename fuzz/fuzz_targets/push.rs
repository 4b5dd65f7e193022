//! What push is given from outside: endpoints lead only to known hosts, keys and dates are read or refused.
#![no_main]

use endcap_identity::proof::{ProofForms, ProofJudge, prove};
use endcap_identity::{Keys, Purpose, signed};
use endcap_protocol::UserId;
use endcap_push::{AuthSecret, Endpoint, Loopback, PublicKey, PushBody, ReportBody, parse_http_date};
use endcap_validation::read_json;
use libfuzzer_sys::fuzz_target;

fn read_bodies(body: &[u8]) {
    let subscription = read_json::<PushBody>(body).ok().and_then(|body| body.subscription);
    if let Some(Ok(checked)) = subscription.map(|raw| raw.validate(Loopback::Forbidden)) {
        assert!(Endpoint::parse(checked.endpoint().as_str(), Loopback::Forbidden).is_ok());
        assert!(PublicKey::parse(&checked.public_key().to_string()).as_ref() == Ok(checked.public_key()));
        assert!(AuthSecret::parse(&checked.auth().to_base64url()).as_ref() == Ok(checked.auth()));
    }
    let Ok(report) = read_json::<ReportBody>(body) else { return };
    let written = serde_json::to_vec(&report).expect("a report can be written");
    assert_eq!(read_json::<ReportBody>(&written), Ok(report));
}

fuzz_target!(|text: &str| {
    read_bodies(text.as_bytes());
    if let Ok(endpoint) = Endpoint::parse(text, Loopback::Forbidden) {
        let origin = endpoint.origin();
        let host = origin.strip_prefix("https://").expect("only https");
        let exact = ["fcm.googleapis.com", "jmt17.google.com"];
        let below = [".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com"];
        assert!(exact.contains(&host) || below.iter().any(|end| host.ends_with(end)), "{text}");
        assert!(endpoint.as_str().starts_with(origin));
    }
    let _ = (PublicKey::parse(text), AuthSecret::parse(text), parse_http_date(text), signed::peek(text));
    assert_eq!(Keys::parse(text).verify(Purpose::Route, text), None);
    let user = UserId::parse("ann").expect("a good ID");
    let secrets = [b"secret".to_vec()];
    let judge = ProofJudge { secrets: &secrets, source: "shop", forms: ProofForms::Any, now: 0 };
    assert!(judge.judge(&user, text).is_err() || text.eq_ignore_ascii_case(&prove(b"secret", &user)));
});
