//! Touchpoints: what brought the visitor.

use endcap_events::ingest::event::EventContext;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

/// Touches kept besides the first.
const MAX_TOUCHES: usize = 20;
/// Time after a visit's beginning, in milliseconds, within which a touch with an origin replaces a direct one, because
/// an event without an address may come first.
const ARRIVAL_MS: u64 = 10_000;

/// One arrival from outside the shop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touchpoint {
    /// When the visitor arrived.
    pub at: UnixMillis,
    /// The page they arrived on.
    pub landing_url: String,
    /// The page they came from.
    pub referrer: String,
    /// UTM values by short name (`source`, `medium`, `name`, `term`, `content`, `id`).
    pub utm: Vec<(String, String)>,
    /// Click identifiers by parameter.
    pub click_ids: Vec<(String, String)>,
}

impl Touchpoint {
    /// The touch that an event stands for: its URL names a campaign, or its referrer is another site.
    #[must_use]
    pub fn of(context: &EventContext, at: UnixMillis) -> Option<Self> {
        let foreign = host(&context.referrer).is_some_and(|from| Some(from) != host(&context.url));
        if context.campaign.is_none() && !foreign {
            return None;
        }
        let owned = |pairs: &[(&'static str, String)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
        };
        Some(Self {
            at,
            landing_url: context.url.clone(),
            referrer: if foreign { context.referrer.clone() } else { String::new() },
            utm: context.campaign.as_ref().map(|c| owned(&c.utm)).unwrap_or_default(),
            click_ids: context.campaign.as_ref().map(|c| owned(&c.click_ids)).unwrap_or_default(),
        })
    }

    /// The touch of a visit whose origin is unknown.
    #[must_use]
    pub fn direct(context: &EventContext, at: UnixMillis) -> Self {
        let landing_url = context.url.clone();
        Self { at, landing_url, referrer: String::new(), utm: Vec::new(), click_ids: Vec::new() }
    }

    /// Whether nothing says where the visitor came from.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.referrer.is_empty() && self.utm.is_empty() && self.click_ids.is_empty()
    }

    /// Whether both stand for the same arrival: a reload or a second event of the landing page.
    fn same_arrival(&self, other: &Self) -> bool {
        self.landing_url == other.landing_url && self.referrer == other.referrer
    }
}

/// The host of an http(s) URL, or the app that a referrer names.
#[must_use]
pub fn host(url: &str) -> Option<&str> {
    let schemes = ["https://", "http://", "android-app://"];
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme))?;
    rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

/// The first touch, and the latest ones in order of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Touches {
    /// The first touch ever.
    pub first: Option<Touchpoint>,
    /// The latest touches, the last one last. Holds the first too while it is among them.
    pub latest: Vec<Touchpoint>,
}

impl Touches {
    /// Records an arrival. `new_session` says whether it began a session.
    pub fn record(&mut self, touch: Touchpoint, new_session: bool) {
        if !new_session && self.latest.iter().rev().take(3).any(|held| held.same_arrival(&touch)) {
            return;
        }
        if self.first.as_ref().is_none_or(|first| touch.at < first.at) {
            self.first = Some(touch.clone());
        }
        let began = |held: &Touchpoint| held.is_direct() && held.at.abs_diff(touch.at) <= ARRIVAL_MS;
        if !touch.is_direct() && !new_session && self.latest.last().is_some_and(began) {
            let replaced = self.latest.pop();
            if self.first == replaced {
                self.first = Some(touch.clone());
            }
        }
        self.latest.push(touch);
        self.bound();
    }

    /// The last touch with a known origin.
    #[must_use]
    pub fn last_non_direct(&self) -> Option<&Touchpoint> {
        self.latest.iter().rev().find(|touch| !touch.is_direct())
    }

    /// Sorts the touches and drops the earliest of too many, but never the last one that is not direct. So direct
    /// visits do not make the profile forget a campaign.
    fn bound(&mut self) {
        self.latest.sort();
        self.keep(MAX_TOUCHES);
    }

    /// Keeps so many arrivals: the latest, and among them the last one that says where it came from.
    pub(crate) fn keep(&mut self, most: usize) {
        while self.latest.len() > most {
            let kept = self.latest.iter().rposition(|touch| !touch.is_direct());
            self.latest.remove(usize::from(kept == Some(0)));
        }
    }

    /// Adds another browser's touches: the earlier first, the later last.
    pub fn merge(&mut self, other: &Self) {
        let firsts = self.first.iter().chain(&other.first);
        self.first = firsts.min().cloned();
        self.latest.extend(other.latest.iter().cloned());
        self.latest.sort();
        self.latest.dedup();
        self.bound();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use endcap_protocol::touch::Campaign;

    fn context(url: &str, referrer: &str) -> EventContext {
        let campaign = url.split_once('?').and_then(|(_, query)| Campaign::from_query(query));
        EventContext { url: url.into(), referrer: referrer.into(), campaign, ..EventContext::default() }
    }

    #[test]
    fn an_inner_link_is_no_touch() {
        assert_eq!(Touchpoint::of(&context("https://shop.example/a", "https://shop.example/"), 1), None);
        assert_eq!(Touchpoint::of(&context("https://shop.example/a", ""), 1), None);
        assert!(Touchpoint::of(&context("https://shop.example/a", "https://search.example/"), 1).is_some());
        assert!(Touchpoint::of(&context("https://shop.example/a?gclid=1", ""), 1).is_some());
    }

    #[test]
    fn what_says_the_origin_replaces_a_beginning_without_one() {
        let mut touches = Touches::default();
        touches.record(Touchpoint::direct(&context("", ""), 1000), true);
        touches.record(Touchpoint::of(&context("https://shop.example/?gclid=1", ""), 1200).unwrap(), false);
        assert_eq!((touches.latest.len(), touches.first.as_ref().map(|touch| touch.at)), (1, Some(1200)));
        touches.record(Touchpoint::direct(&context("https://shop.example/", ""), 90_000), true);
        touches.record(Touchpoint::of(&context("https://shop.example/?gclid=2", ""), 120_000).unwrap(), false);
        assert_eq!(touches.latest.len(), 3, "a click in the middle of a visit is a touch of its own");
    }

    #[test]
    fn direct_visits_never_push_out_the_last_campaign() {
        let mut touches = Touches::default();
        touches.record(Touchpoint::of(&context("https://shop.example/?gclid=1", ""), 1).unwrap(), true);
        for n in 2..100 {
            touches.record(Touchpoint::direct(&context("https://shop.example/", ""), n * 1_000_000), true);
        }
        assert_eq!(touches.latest.len(), MAX_TOUCHES);
        assert_eq!(touches.last_non_direct().map(|touch| touch.at), Some(1));
        assert!(touches.latest.last().is_some_and(Touchpoint::is_direct));
    }

    #[test]
    fn a_reload_is_no_second_touch_but_a_new_session_is() {
        let mut touches = Touches::default();
        let touch = |at| Touchpoint::of(&context("https://shop.example/?utm_source=x", ""), at).unwrap();
        touches.record(touch(1), true);
        touches.record(touch(2), false);
        assert_eq!(touches.latest.len(), 1);
        touches.record(touch(3), true);
        assert_eq!(touches.latest.len(), 2);
        assert_eq!(touches.first.map(|t| t.at), Some(1));
    }

    #[test]
    fn an_arrival_replaces_a_beginning_without_origin_up_to_its_limit_and_is_first_only_if_earlier() {
        let campaign = |at| Touchpoint::of(&context("https://shop.example/?gclid=1", ""), at).unwrap();
        for (late, kept) in [(10_000, 1), (10_001, 2)] {
            let mut touches = Touches::default();
            touches.record(Touchpoint::direct(&context("", ""), 1000), true);
            touches.record(campaign(1000 + late), false);
            assert_eq!(touches.latest.len(), kept, "{late} ms after the beginning");
        }
        let mut touches = Touches::default();
        touches.record(Touchpoint::direct(&context("https://shop.example/", ""), 1000), true);
        touches.record(campaign(1000), true);
        assert!(touches.first.as_ref().is_some_and(Touchpoint::is_direct), "the first stays the first");
        touches.record(campaign(999), true);
        assert_eq!(touches.first.map(|touch| touch.at), Some(999));
    }
}
