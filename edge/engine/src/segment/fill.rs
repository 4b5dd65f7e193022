//! How far a shard is with holding everybody against segments that are new or changed.

use serde::{Deserialize, Serialize};

/// How far a shard is. People are looked at in the order of their profiles' IDs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fill {
    /// Version of the segments that everybody was held against.
    pub complete: u64,
    /// Version that people are being held against; None where nothing is to be done.
    pub running: Option<u64>,
    /// The last profile that was looked at for it.
    pub after: String,
    /// People who were looked at for it.
    pub looked_at: u64,
    /// Profiles that could not be read.
    pub unreadable: u64,
    /// Whether people came of whom nobody knows whether they were looked at.
    pub has_newcomers: bool,
    /// Whether some of them came since the people that are looked at now began to be.
    pub again: bool,
}

/// The same as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FillState {
    /// Version of the segments that everybody was held against.
    pub complete: u64,
    /// People who were looked at for a newer one.
    pub looked_at: u64,
    /// People there are, as last counted; 0 before that.
    pub of: u64,
    /// Profiles that could not be read.
    pub unreadable: u64,
}

impl Fill {
    /// What begins for a version of the segments; None where that was begun already.
    #[must_use]
    pub fn begun_for(&self, version: u64) -> Option<Self> {
        let is_newer = self.version() < version;
        let Self { complete, has_newcomers, .. } = *self;
        is_newer.then(|| Self { complete, running: Some(version), has_newcomers, ..Self::default() })
    }

    /// What it is where people came of whom nobody knows whether they were looked at: everybody is looked at again, once those who are
    /// looked at now are through. None in a shop without segments.
    #[must_use]
    pub fn with_newcomers(&self) -> Option<Self> {
        if self.running.is_some() {
            return Some(Self { has_newcomers: true, again: true, ..self.clone() });
        }
        Some(self.again_from_the_beginning()).filter(|_| self.complete > 0)
    }

    /// What it is where everybody is known to have been looked at and has to be again, as after a fit of the models: it says what it said.
    /// None in a shop without segments.
    #[must_use]
    pub fn once_more(&self) -> Option<Self> {
        if self.running.is_some() {
            return Some(Self { again: true, ..self.clone() });
        }
        let Self { complete, has_newcomers, .. } = *self;
        Some(Self { complete, running: Some(complete), has_newcomers, ..Self::default() }).filter(|_| complete > 0)
    }

    fn again_from_the_beginning(&self) -> Self {
        Self { complete: self.complete, running: Some(self.complete), has_newcomers: true, ..Self::default() }
    }

    /// What it is after some more people, of whom the last is named where there may be others.
    #[must_use]
    pub fn after(mut self, looked_at: u64, unreadable: u64, last: Option<String>) -> Self {
        self.looked_at += looked_at;
        self.unreadable += unreadable;
        if let Some(last) = last {
            self.after = last;
            return self;
        }
        let complete = self.running.unwrap_or(self.complete);
        if self.again {
            let has_newcomers = self.has_newcomers;
            return Self { has_newcomers, ..Self { complete, ..self }.again_from_the_beginning() };
        }
        Self { complete, running: None, after: String::new(), has_newcomers: false, ..self }
    }

    /// Version of the segments that it is about.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.running.unwrap_or(self.complete)
    }

    /// Version of the segments that a profile is known to have been held against.
    #[must_use]
    pub fn judged(&self, profile_id: &str) -> u64 {
        self.running.filter(|_| profile_id <= self.after.as_str()).unwrap_or(self.complete)
    }

    /// As it is told, of so many profiles.
    #[must_use]
    pub fn state(&self, profiles: u64) -> FillState {
        let Self { looked_at, unreadable, .. } = *self;
        let complete = if self.has_newcomers { 0 } else { self.complete };
        FillState { complete, looked_at, of: profiles.max(looked_at), unreadable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_from_name_to_name_and_ends() {
        let begun = Fill { complete: 2, ..Fill::default() }.begun_for(5).unwrap();
        assert_eq!((begun.begun_for(5), begun.judged("a")), (None, 2));
        let half = begun.after(50, 1, Some("m".to_owned()));
        assert_eq!((half.judged("a"), half.judged("m"), half.judged("n")), (5, 5, 2));
        assert_eq!(half.state(80), FillState { complete: 2, looked_at: 50, of: 80, unreadable: 1 });
        let done = half.clone().after(7, 0, None);
        assert_eq!((done.complete, done.running, done.looked_at, done.judged("z")), (5, None, 57, 5));
        assert_eq!(done.begun_for(5), None);
        let newer = half.begun_for(6).unwrap();
        assert_eq!((newer.complete, newer.running, newer.after.as_str(), newer.looked_at), (2, Some(6), "", 0));
    }

    #[test]
    fn everybody_is_looked_at_again_where_people_came() {
        let done = Fill { complete: 5, ..Fill::default() };
        let begun = done.with_newcomers().unwrap();
        assert_eq!((begun.running, begun.judged("a"), begun.state(9).complete), (Some(5), 5, 0));
        assert_eq!(Fill::default().with_newcomers(), None);
        // Those who come in the middle of it have to wait for one more round, and not for one each.
        let half = begun.after(50, 0, Some("m".to_owned()));
        let more = half.with_newcomers().and_then(|fill| fill.with_newcomers()).unwrap();
        assert_eq!((more.after.as_str(), more.again), ("m", true));
        let second = more.after(3, 0, None);
        assert_eq!((second.running, second.after.as_str(), second.again), (Some(5), "", false));
        let done = second.after(60, 0, None);
        assert_eq!((done.running, done.state(9).complete, done.after.as_str()), (None, 5, ""));
    }
}
