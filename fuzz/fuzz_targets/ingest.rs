//! A browser's batch: any bytes are answered, every event ends in exactly one outcome, and a retry changes nothing.
#![no_main]

use endcap_engine::computed_traits::Reference;
use endcap_engine::decide::{DECISION_BYTES, Setting, decide};
use endcap_engine::profile_view::ProfileView;
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::calendar::utc_hour;
use endcap_engine::visit::{apply, refresh};
use endcap_events::ingest::ingest;
use endcap_identity::{FragmentId, IdentityRules};
use endcap_profile::ProfileRow;
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_protocol::ProfileId;
use endcap_targeting::edge_fact::Nobody;
use libfuzzer_sys::fuzz_target;

/// The edge's clock; bodies in the corpus carry times near it.
const NOW: i64 = 1_763_800_000_000;

fuzz_target!(|body: &[u8]| {
    let Ok(mut batch) = ingest(body, NOW) else { return };
    let sent = batch.events.len();
    assert_eq!(batch.refused.len(), batch.rejected.len());
    // A proof is not stored, and may be what was wrong. Its name can be written with escapes.
    let may_hold_proof = ["proof", "\\u"].iter().any(|part| body.windows(part.len()).any(|at| at == part.as_bytes()));
    for refused in &batch.refused {
        // Nothing was put right, so taking it in again refuses it again.
        let Some(body) = refused.body() else { continue };
        let again = ingest(body.as_bytes(), NOW).expect("the batch was good");
        let code = again.rejected.first().map(|one| one.code);
        assert!(may_hold_proof || code == Some(refused.code), "{code:?} and {:?}", refused.code);
        assert_eq!(again.events.len() + again.rejected.len(), 1);
    }
    let id = ProfileId::parse(batch.anonymous_id.as_str()).expect("bounds are the same");
    let mut row = ProfileRow::new(id, NOW);
    let (at, rules) = (FragmentId::first(&batch.anonymous_id), IdentityRules::default());
    let secrets = [b"secret".to_vec()];
    let policy =
        EvidencePolicy { secrets: &secrets, now: NOW, trust: batch.trust, source: "shop", rules: &rules, stated: None };
    let visit = apply(&mut row, &at, &mut batch, NOW, &policy, &[]);
    let in_successor = visit.succession.map_or(0, |(_, events)| events.len());
    assert_eq!(visit.accepted.len() + visit.duplicate.len() + in_successor, sent);

    let snapshot = Snapshot::empty();
    let refreshed = refresh(&mut row, &snapshot, NOW);
    let stored = row.pack().expect("every row can be stored");
    assert_eq!(ProfileRow::unpack(&stored).as_ref(), Ok(&row));
    let reference = Reference { catalogue: &snapshot.catalogue, hour_of: &utc_hour };
    serde_json::to_string(&ProfileView::new(&row, &refreshed.person, reference)).expect("every profile can be shown");
    if let Some(ask) = &batch.ask {
        let setting =
            Setting { profile_id: row.id.as_str(), now: NOW, vapid: None, room: DECISION_BYTES, facts: &Nobody };
        let decision = serde_json::to_string(&decide(&refreshed.person, ask, &snapshot, &setting))
            .expect("every decision can be sent");
        assert!(decision.len() <= DECISION_BYTES, "{} bytes", decision.len());
    }

    if in_successor == 0 {
        let mut retry = ingest(body, NOW).expect("it was good before");
        let again = apply(&mut row, &at, &mut retry, NOW, &policy, &[]);
        assert_eq!((again.accepted.len(), again.duplicate.len(), again.assertion), (0, sent, None));
    }
});
