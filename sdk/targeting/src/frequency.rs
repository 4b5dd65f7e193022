//! Frequency caps: how often a campaign may be shown to one visitor.

use endcap_protocol::{DAY_MS, UnixMillis};

use crate::codec::{Reader, Writer};
use crate::table::{Table, sort_small};

/// Showings remembered per campaign; caps can count no further.
pub const REMEMBERED: usize = 16;
/// Campaigns remembered per visitor; the one shown longest ago is forgotten first.
pub const CAMPAIGNS: usize = 32;

/// A cap. Absent parts allow any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frequency {
    /// At most so many showings in one session.
    pub per_session: Option<u32>,
    /// At most so many showings (first) in so many days (second).
    pub per_days: Option<(u32, u32)>,
}

impl Frequency {
    pub(crate) fn write(self, out: &mut Writer) {
        // Zero stands for "no cap"; a cap of zero is refused when the campaign is compiled.
        out.unsigned(self.per_session.unwrap_or(0).into());
        let (count, days) = self.per_days.unwrap_or((0, 0));
        out.unsigned(count.into());
        out.unsigned(days.into());
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Self {
        let (session, count, days) = (input.small(), input.small(), input.small());
        Self { per_session: (session > 0).then_some(session), per_days: (count > 0).then_some((count, days)) }
    }
}

/// When one campaign was shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Showings {
    session: String,
    in_session: u32,
    times: Vec<UnixMillis>,
}

/// What a visitor was shown so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    campaigns: Table<Showings>,
}

impl Seen {
    /// Whether `frequency` allows one more showing of `campaign` in `session` at `now`.
    #[must_use]
    pub fn allows(&self, frequency: &Frequency, campaign: &str, session: &str, now: UnixMillis) -> bool {
        let Some(showings) = self.campaigns.get(campaign) else { return true };
        let in_session = if showings.session == session { showings.in_session } else { 0 };
        let session_ok = frequency.per_session.is_none_or(|cap| in_session < cap);
        let days_ok = frequency.per_days.is_none_or(|(cap, days)| {
            let since = now.saturating_sub(i64::from(days) * DAY_MS);
            showings.times.iter().filter(|at| **at > since).count() < cap as usize
        });
        session_ok && days_ok
    }

    /// Records a showing.
    pub fn record(&mut self, campaign: &str, session: &str, at: UnixMillis) {
        let showings = self.campaigns.entry(campaign);
        if showings.session != session {
            session.clone_into(&mut showings.session);
            showings.in_session = 0;
        }
        showings.in_session = showings.in_session.saturating_add(1);
        showings.times.push(at);
        showings.keep_latest();
        self.bound();
    }

    /// Adds what was seen in another browser of the same person.
    pub fn merge(&mut self, other: &Self) {
        for (campaign, theirs) in other.campaigns.iter() {
            let ours = self.campaigns.entry(campaign);
            if theirs.times.last() > ours.times.last() {
                ours.session.clone_from(&theirs.session);
                ours.in_session = theirs.in_session;
            }
            ours.times.extend_from_slice(&theirs.times);
            ours.keep_latest();
        }
        self.bound();
    }

    fn bound(&mut self) {
        self.keep(CAMPAIGNS);
    }

    /// Keeps so many campaigns, those shown last.
    pub fn keep(&mut self, most: usize) {
        while self.campaigns.len() > most {
            let oldest = self.campaigns.iter().min_by_key(|(id, s)| (s.times.last().copied(), (*id).clone()));
            let Some(id) = oldest.map(|(id, _)| id.clone()) else { return };
            self.campaigns.remove(&id);
        }
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.list(self.campaigns.iter(), |out, (id, showings)| {
            out.text(id);
            out.text(&showings.session);
            out.unsigned(showings.in_session.into());
            out.list(showings.times.iter(), |out, at| out.signed(*at));
        });
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Self {
        let campaigns = input.list(|input| {
            let id = input.text();
            (id, Showings { session: input.text(), in_session: input.small(), times: input.list(Reader::signed) })
        });
        Self { campaigns: Table::from_entries(campaigns) }
    }
}

impl Showings {
    fn keep_latest(&mut self) {
        sort_small(&mut self.times, |a, b| a < b);
        let surplus = self.times.len().saturating_sub(REMEMBERED);
        self.times.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_per_session_and_per_days() {
        let cap = Frequency { per_session: Some(1), per_days: Some((2, 7)) };
        let mut seen = Seen::default();
        assert!(seen.allows(&cap, "c", "s1", 0));
        seen.record("c", "s1", 0);
        assert!(!seen.allows(&cap, "c", "s1", 1));
        assert!(seen.allows(&cap, "c", "s2", 1));
        seen.record("c", "s2", 1);
        assert!(!seen.allows(&cap, "c", "s3", 2));
        assert!(seen.allows(&cap, "c", "s3", 7 * DAY_MS));
        assert!(seen.allows(&cap, "other", "s2", 2));
    }

    #[test]
    fn merging_is_free_of_order() {
        let (mut a, mut b) = (Seen::default(), Seen::default());
        a.record("c", "s1", 5);
        b.record("c", "s2", 9);
        b.record("d", "s2", 3);
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(ab, ba);
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen = Seen::default();
        for n in 0..1000 {
            seen.record(&format!("c{n}"), "s", n);
            seen.record("c999", "s", n);
        }
        assert_eq!(seen.campaigns.len(), CAMPAIGNS);
        assert!(seen.campaigns.values().all(|s| s.times.len() <= REMEMBERED));
    }
}
