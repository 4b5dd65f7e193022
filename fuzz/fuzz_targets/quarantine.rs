//! The quarantine: any text is kept within bounds and found by its name, and taking it in again is answered.
#![no_main]

use endcap_events::ingest::ingest;
use endcap_events::ingest::quarantine::{Quarantined, ReplayAsk, Route, bucket_of_id};
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_protocol::FieldError;
use endcap_validation::read_json;
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_763_800_000_000;

fuzz_target!(|input: (&str, &str, &str)| {
    let (raw, context, subject) = input;
    let mut patch = None;
    if let Ok(ask) = read_json::<ReplayAsk>(raw.as_bytes()) {
        patch = ask.check().ok().and(ask.patch.clone());
        let written = serde_json::to_vec(&ask).expect("it can be written");
        assert_eq!(read_json::<ReplayAsk>(&written), Ok(ask));
    }
    let _ = (raw.parse::<Route>(), RejectCode::parse(raw), bucket_of_id(raw));
    let rejection = Rejection::new(RejectCode::InvalidEvent, FieldError::new(subject, context));
    for route in [Route::Batch, Route::Call, Route::Vendor, Route::Webhook] {
        let kept = Quarantined::new(route, subject, subject, raw, &rejection, NOW).within(context);
        let sizes = [kept.source.len(), kept.subject.len(), kept.path.len(), kept.message.len(), kept.raw.len()];
        assert!(sizes.iter().zip([64, 256, 256, 512, 32 * 1024]).all(|(size, bound)| *size <= bound));
        assert_eq!(bucket_of_id(&kept.id(7)), Some(7));
        let _ = kept.trust();
        let patched = patch.as_ref().and_then(|patch| kept.patched(patch));
        if let (Some(patch), Some(patched)) = (&patch, &patched) {
            assert_eq!(patched.patched(patch).as_ref(), Some(patched), "a patch changes nothing the second time");
            assert_eq!((&patched.context, &patched.source), (&kept.context, &kept.source));
        }
        if let Some(body) = patched.as_ref().unwrap_or(&kept).body() {
            let _ = ingest(body.as_bytes(), NOW);
        }
        let written = serde_json::to_string(&kept).expect("it can be stored");
        assert_eq!(serde_json::from_str::<Quarantined>(&written).ok().as_ref(), Some(&kept));
    }
});
