//! Packs the events of a request into batches, one or more for each history.

use std::collections::BTreeMap;

use endcap_identity::StatedLink;
use endcap_identity::stated_link::MAX_WAITING;
use endcap_protocol::limits::{BATCH_BYTES, BATCH_EVENTS};
use endcap_protocol::{AnonymousId, SourceId};
use serde_json::{Value, json};

use crate::ingest::consent::Stated;

/// What shows that an event may go to a browser's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// Nobody asks: the history is no browser's, or the sender is believed without.
    Unasked,
    /// The sender passed none on.
    Missing,
    /// A token of this generation.
    Shown(u32),
}

/// One event of a request, on its way to a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Where it stood in the request.
    pub index: usize,
    /// Whose history it goes to.
    pub history: AnonymousId,
    /// What shows that it may.
    pub token: Token,
    /// What the person agreed to, where the client says so.
    pub consent: Option<Stated>,
    /// The event, as the shard takes it.
    pub event: Value,
}

/// One batch for one history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryBatch {
    /// Whose history it goes to: a browser's, or one that a server keeps.
    pub history: AnonymousId,
    /// What shows that its events may.
    pub token: Token,
    /// What the shop's server states of whose the browser is.
    pub stated: Vec<StatedLink>,
    /// The batch.
    pub body: String,
    /// Where its events stood in the request, in order.
    pub indices: Vec<usize>,
}

/// Room for what a batch says besides its events.
const HEAD_BYTES: usize = 4096;

/// An event on its way into a batch.
struct Packed {
    index: usize,
    consent: Option<Stated>,
    text: String,
}

/// Packs events by history, in the order given; what is too much for one batch becomes several, and so do events with
/// different consents or tokens, because a batch has one.
#[must_use]
pub fn pack(source: &SourceId, items: Vec<Item>) -> Vec<HistoryBatch> {
    let mut by_history: BTreeMap<(AnonymousId, Token), Vec<Packed>> = BTreeMap::new();
    for Item { index, history, token, consent, event } in items {
        by_history.entry((history, token)).or_default().push(Packed { index, consent, text: event.to_string() });
    }
    by_history.into_iter().flat_map(|(place, events)| batches(source, &place, events)).collect()
}

/// What the shop's server states of browsers, as a batch without events for each. More than a browser remembers is left out.
#[must_use]
pub fn stating(source: &SourceId, links: Vec<(AnonymousId, StatedLink)>) -> Vec<HistoryBatch> {
    let mut by_browser: BTreeMap<AnonymousId, Vec<StatedLink>> = BTreeMap::new();
    for (browser, link) in links {
        let held = by_browser.entry(browser).or_default();
        if held.len() < MAX_WAITING && !held.iter().any(|held| held.says(&link)) {
            held.push(link);
        }
    }
    let batch = |(browser, stated)| {
        let batch = history_batch(source, &(browser, Token::Unasked), &[]);
        HistoryBatch { stated, ..batch }
    };
    by_browser.into_iter().map(batch).collect()
}

fn batches(source: &SourceId, history: &(AnonymousId, Token), events: Vec<Packed>) -> Vec<HistoryBatch> {
    let mut history_batches = Vec::new();
    let mut held: Vec<Packed> = Vec::new();
    let mut bytes = HEAD_BYTES;
    for event in events {
        let size = event.text.len() + 1;
        let full = held.len() == BATCH_EVENTS || bytes + size > BATCH_BYTES;
        if held.first().is_some_and(|first| full || first.consent != event.consent) {
            history_batches.push(history_batch(source, history, &std::mem::take(&mut held)));
            bytes = HEAD_BYTES;
        }
        bytes += size;
        held.push(event);
    }
    history_batches.push(history_batch(source, history, &held));
    history_batches
}

fn history_batch(source: &SourceId, (history, token): &(AnonymousId, Token), events: &[Packed]) -> HistoryBatch {
    let consent = events.first().and_then(|event| event.consent);
    let head = json!({
        "source": source, "anonymous_id": history, "consent": consent.map(|said| said.consent),
        "consent_source": consent.map(|said| said.source.as_str()),
    });
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or("{");
    let texts: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
    HistoryBatch {
        history: history.clone(),
        token: *token,
        stated: Vec::new(),
        body: format!("{open},\"events\":[{}]}}", texts.join(",")),
        indices: events.iter().map(|event| event.index).collect(),
    }
}

#[cfg(test)]
mod tests {
    use endcap_protocol::Consent;
    use proptest::prelude::*;

    use super::*;
    use crate::ingest::consent::ConsentSource;

    fn history(name: &str) -> AnonymousId {
        AnonymousId::parse(name).unwrap()
    }

    proptest! {
        #[test]
        fn each_event_is_in_one_batch_that_the_shard_takes(
            events in proptest::collection::vec((0_usize..3, 0_usize..30_000, 0_u8..3), 0..60),
        ) {
            let source = SourceId::parse("s").unwrap();
            let said = |bits: u8| {
                (bits > 0).then(|| Stated { consent: Consent::from_bits(bits), source: ConsentSource::Banner })
            };
            let packed = events.iter().enumerate().map(|(index, (who, size, bits))| Item {
                index,
                history: history(["a", "b", "c"][*who]),
                token: [Token::Unasked, Token::Missing, Token::Shown(7)][size % 3],
                consent: said(*bits),
                event: json!({"n": index, "x": "x".repeat(*size)}),
            });
            let history_batches = pack(&source, packed.collect());
            let mut seen = Vec::new();
            for history_batch in &history_batches {
                prop_assert!(history_batch.body.len() <= BATCH_BYTES && history_batch.indices.len() <= BATCH_EVENTS);
                let body: Value = serde_json::from_str(&history_batch.body).unwrap();
                prop_assert_eq!(body["anonymous_id"].as_str(), Some(history_batch.history.as_str()));
                for index in &history_batch.indices {
                    let token = [Token::Unasked, Token::Missing, Token::Shown(7)][events[*index].1 % 3];
                    prop_assert_eq!(history_batch.token, token);
                    let consent = said(events[*index].2).map(|said| said.consent);
                    prop_assert_eq!(&body["consent"], &json!(consent));
                }
                let numbers: Vec<_> = body["events"].as_array().unwrap().iter().map(|e| e["n"].as_u64()).collect();
                let expected: Vec<_> = history_batch.indices.iter().map(|index| Some(*index as u64)).collect();
                prop_assert_eq!(numbers, expected);
                seen.extend(history_batch.indices.iter().copied());
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..events.len()).collect::<Vec<_>>());
        }
    }
}
