//! The devices of all fragments of a profile: which are kept, and which one came last.

use endcap_events::ingest::sender::Sender;
use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;

use crate::device_context::DeviceContext;
use crate::row::ProfileRow;

/// Browsers of one person whose device is known, those that came last: some 3 KB.
const MAX_DEVICES: usize = 50;

impl ProfileRow {
    /// Notes the device that a fragment's events came with. Those of the browsers that came last are kept.
    pub fn note_device(&mut self, id: &FragmentId, sender: Sender, at: UnixMillis) {
        let noted = match self.devices.remove(id) {
            // What comes late is not what came last.
            Some(held) if held.at > at => DeviceContext { sender: held.sender.or(sender), ..held },
            Some(held) => DeviceContext { at, sender: sender.or(held.sender) },
            None if sender == Sender::default() => return,
            None => DeviceContext { at, sender },
        };
        self.devices.insert(id.clone(), noted);
        self.bound_devices();
    }

    /// Keeps the devices of the browsers that came last.
    pub fn bound_devices(&mut self) {
        while self.devices.len() > MAX_DEVICES {
            let earliest = self.devices.iter().min_by_key(|(_, held)| held.at).map(|(id, _)| id.clone());
            earliest.map(|id| self.devices.remove(&id));
        }
    }

    /// The device that came last, of fragments that count.
    #[must_use]
    pub fn latest_device(&self) -> Option<&DeviceContext> {
        let guests = self.guests();
        let counting = self.devices.iter().filter(|(id, _)| !guests.contains(*id));
        counting.map(|(_, held)| held).max_by_key(|held| held.at)
    }
}

#[cfg(test)]
mod tests {
    use endcap_events::ingest::sender::{LanguageTag, Place};
    use endcap_events::ingest::user_agent::UserAgent;
    use endcap_protocol::{AnonymousId, ProfileId};
    use endcap_targeting::device::DeviceText;

    use super::*;

    fn named(n: usize) -> FragmentId {
        FragmentId::first(&AnonymousId::parse(&format!("b-{n}")).unwrap())
    }

    fn sender(agent: &str, locale: &str, country: &str) -> Sender {
        let place = Place::new(country, "", "");
        Sender { agent: UserAgent::parse(agent), locale: LanguageTag::parse(locale), place }
    }

    #[test]
    fn what_a_request_says_nothing_of_stays() {
        let mut row = ProfileRow::new(ProfileId::parse("a").unwrap(), 0);
        row.note_device(&named(1), Sender::default(), 5);
        assert_eq!(row.latest_device(), None);
        row.note_device(&named(1), sender("Mozilla/5.0 (Android 15; Mobile) Firefox/145.0", "de-AT", "AT"), 10);
        row.note_device(&named(1), sender("", "en", ""), 12);
        row.note_device(&named(1), sender("", "fr", "FR"), 8);
        let held = row.latest_device().unwrap();
        let text = |fact| held.text(fact).unwrap_or_default();
        assert_eq!(
            [DeviceText::Device, DeviceText::Browser, DeviceText::Locale, DeviceText::Country].map(text),
            ["mobile", "firefox", "en", "AT"]
        );
        assert_eq!(held.at, 12);
        row.note_device(&named(2), sender("", "fr", ""), 13);
        assert_eq!(row.latest_device().and_then(|held| held.text(DeviceText::Language)), Some("fr"));
    }

    #[test]
    fn those_of_the_browsers_that_came_last_are_kept() {
        let mut row = ProfileRow::new(ProfileId::parse("a").unwrap(), 0);
        for n in 0..120_usize {
            row.note_device(&named(n), sender("", "de", "DE"), n as i64);
        }
        assert_eq!(row.devices.len(), MAX_DEVICES);
        assert!(row.devices.contains_key(&named(119)) && !row.devices.contains_key(&named(69)));
    }
}
