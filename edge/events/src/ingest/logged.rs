//! Reading events back from the log.

use endcap_protocol::{AnonymousId, UnixMillis};
use serde::Deserialize;

use super::event::Event;
use super::parse::Setting;
use super::{parse, raw_call};

/// Whose an event says that it is, and whether it is a call that a page held.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    anonymous_id: Option<String>,
    #[serde(default)]
    call: Option<serde::de::IgnoredAny>,
}

/// The events of an entry of the log, as they were taken in. `times` says when each happened on the edge's clock; where it does not,
/// its own time counts, and at the latest when it was received. `currency` is the shop's. What cannot be read any more is left out.
#[must_use]
pub fn logged(events: &[&str], times: &[UnixMillis], received_at: UnixMillis, currency: [u8; 3]) -> Vec<Event> {
    let read = events.iter().enumerate().filter_map(|(place, raw)| {
        let head: Head = serde_json::from_str(raw).ok()?;
        let sender = AnonymousId::parse(head.anonymous_id.as_deref().unwrap_or("log")).ok()?;
        let setting = Setting { sender: &sender, currency, place, now: received_at, is_from_entry: false };
        let read = if head.call.is_some() { raw_call::event } else { parse::event };
        let event = read(raw, &setting).ok()?;
        let own = if event.at == 0 { received_at } else { event.at.min(received_at) };
        Some(Event { at: times.get(place).copied().unwrap_or(own), ..event })
    });
    read.collect()
}
