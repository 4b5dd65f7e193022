//! Which warnings there were, by source and code: how many a day, and what the latest ones said.
//!
//! Role in the flow of one event: after it was applied. A shop's mistake can be in every event, so a shard counts in memory and
//! writes now and then ([`WarningLog::may_write`]).

use std::collections::{BTreeMap, BTreeSet};

use endcap_protocol::touch::cut;
use endcap_protocol::{DAY_MS, Date, UnixMillis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::daily_count::{Count, KEPT_DAYS};
use super::warning::{Warning, WarningCode};

/// Most samples of one source and code.
pub const SAMPLES: usize = 20;
/// Writings that a shard may do at once, and the time after which it may do one more, in milliseconds.
const WRITES: u32 = 20;
const WRITE_MS: UnixMillis = 60_000;
/// Warnings of one batch of which samples are made, the last ones.
const NOTED: usize = 200;
/// Longest text of a sample, in bytes.
const TEXT: usize = 300;
/// Length from which a name counts wherever it stands in a sample.
const TELLING: usize = 6;

/// One warning, to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarningSample {
    /// When the event was received.
    pub at: UnixMillis,
    /// Message ID of the event; empty where it is about the batch.
    pub message_id: String,
    /// The event's name.
    pub event: String,
    /// Anonymous ID of the browser, or the name of the history that a server keeps.
    pub subject: String,
    /// Path of the member within the event.
    pub path: String,
    /// What was wrong and what was done instead.
    pub message: String,
}

/// What is known of the warnings of one source and code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Noted {
    /// How many, by day since 1970-01-01.
    pub days: BTreeMap<i64, u64>,
    /// The latest, the earliest of them first.
    pub samples: Vec<WarningSample>,
}

impl Noted {
    /// Adds what came later.
    pub fn add(&mut self, later: Self) {
        for (day, count) in later.days {
            let held = self.days.entry(day).or_default();
            *held = held.saturating_add(count);
        }
        self.samples.extend(later.samples);
        let surplus = self.samples.len().saturating_sub(SAMPLES);
        self.samples.drain(..surplus);
    }

    /// Lets go of what is older than it is kept.
    pub fn trim(&mut self, now: UnixMillis) {
        let first = now / DAY_MS - KEPT_DAYS;
        self.days.retain(|day, _| *day >= first);
        self.samples.retain(|sample| sample.at / DAY_MS >= first);
    }

    /// Takes out samples about somebody with one of these names, which are in lower case. Returns how many.
    pub fn forget(&mut self, names: &BTreeSet<String>) -> usize {
        let before = self.samples.len();
        self.samples.retain(|sample| {
            let text = [&sample.subject, &sample.message_id, &sample.event, &sample.path, &sample.message]
                .map(|text| text.to_ascii_lowercase());
            let is_named = |name: &String| {
                text.first() == Some(name)
                    || (name.len() >= TELLING && text.iter().any(|text| text.contains(name.as_str())))
            };
            !names.iter().any(is_named)
        });
        before - self.samples.len()
    }
}

/// Warnings that wait to be written, by source and code.
#[derive(Debug, Default)]
pub struct WarningLog {
    waiting: BTreeMap<(String, WarningCode), Noted>,
    /// Writings that were done and not yet made up for, and since when they are.
    writes: u32,
    since: UnixMillis,
}

impl WarningLog {
    /// Notes the warnings of a batch.
    pub fn note(&mut self, source: &str, subject: &str, warnings: &[Warning], now: UnixMillis) {
        // Only the latest are shown; a batch may bring thousands.
        let shown = warnings.len().saturating_sub(NOTED);
        for (at, warning) in warnings.iter().enumerate() {
            if at < shown {
                let held = self.waiting.entry((source.to_owned(), warning.code)).or_default();
                held.add(Noted { days: [(now / DAY_MS, 1)].into(), samples: Vec::new() });
                continue;
            }
            let short = |text: &str| cut(text, TEXT).to_owned();
            let sample = WarningSample {
                at: now,
                message_id: short(&warning.message_id),
                event: short(&warning.event),
                subject: short(subject),
                path: short(&warning.path),
                message: short(&warning.message),
            };
            let noted = Noted { days: [(now / DAY_MS, 1)].into(), samples: vec![sample] };
            self.waiting.entry((source.to_owned(), warning.code)).or_default().add(noted);
        }
    }

    /// Whether what waits may be written now: at once while there is little, then once a minute, so that a mistake in every
    /// event costs a shard at most 1,440 writings a day. Counts the writing.
    pub fn may_write(&mut self, now: UnixMillis) -> bool {
        let passed = now.saturating_sub(self.since).max(0) / WRITE_MS;
        self.since = if self.writes == 0 { now } else { self.since.saturating_add(passed.saturating_mul(WRITE_MS)) };
        self.writes = self.writes.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX));
        let may = !self.waiting.is_empty() && self.writes < WRITES;
        self.writes += u32::from(may);
        may
    }

    /// What waits, taken out.
    pub fn take(&mut self) -> BTreeMap<(String, WarningCode), Noted> {
        std::mem::take(&mut self.waiting)
    }

    /// Puts back what could not be written.
    pub fn put_back(&mut self, noted: BTreeMap<(String, WarningCode), Noted>) {
        for (key, mut earlier) in noted {
            let held = self.waiting.entry(key).or_default();
            std::mem::swap(held, &mut earlier);
            held.add(earlier);
        }
    }
}

/// The warnings of one source and code, as the API lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarningGroup {
    /// The source.
    pub source: String,
    /// The stable code.
    pub code: WarningCode,
    /// What the code means.
    pub meaning: String,
    /// How many there were in the last 30 days.
    pub count: u64,
    /// The latest, at most 20, the latest first.
    pub samples: Vec<WarningSample>,
}

/// What several shards noted as one list, the most frequent first.
#[must_use]
pub fn listed(noted: Vec<NotedOf>) -> Vec<WarningGroup> {
    let mut all: BTreeMap<(String, WarningCode), Noted> = BTreeMap::new();
    for NotedOf { source, code, noted } in noted {
        let held = all.entry((source, code)).or_default();
        held.samples.extend(noted.samples);
        held.add(Noted { days: noted.days, samples: Vec::new() });
    }
    let group = |((source, code), mut noted): ((String, WarningCode), Noted)| {
        noted.samples.sort_by_key(|sample| std::cmp::Reverse(sample.at));
        noted.samples.truncate(SAMPLES);
        let count = noted.days.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        WarningGroup { source, code, meaning: code.meaning().to_owned(), count, samples: noted.samples }
    };
    let mut warnings: Vec<WarningGroup> = all.into_iter().map(group).collect();
    warnings.sort_by_key(|group| std::cmp::Reverse(group.count));
    warnings
}

/// What a shard noted of one source and code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotedOf {
    /// The source.
    pub source: String,
    /// The stable code.
    pub code: WarningCode,
    /// What it noted.
    pub noted: Noted,
}

impl NotedOf {
    /// The same as counts by day.
    pub fn counts(&self) -> impl Iterator<Item = Count> {
        self.noted.days.iter().map(|(day, count)| Count {
            day: Date::from_day(*day).to_string(),
            source: self.source.clone(),
            code: self.code.as_str().to_owned(),
            count: *count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(message: &str) -> Warning {
        Warning {
            message_id: message.to_owned(),
            event: "Order Completed".to_owned(),
            code: WarningCode::CurrencyRead,
            path: "properties.currency".to_owned(),
            message: "\"€\" is read as EUR".to_owned(),
        }
    }

    #[test]
    fn counts_all_and_shows_the_latest() {
        let mut log = WarningLog::default();
        for n in 0..30 {
            log.note("shop", "browser-1", &[warning(&format!("m{n}"))], DAY_MS * 100 + n);
        }
        let ((source, code), noted) = log.take().pop_first().unwrap();
        let list = listed(vec![NotedOf { source, code, noted }]);
        let group = &list[0];
        assert_eq!((group.count, group.samples.len(), group.samples[0].message_id.as_str()), (30, 20, "m29"));
    }

    #[test]
    fn writes_at_once_while_there_is_little_and_then_once_a_minute() {
        let mut log = WarningLog::default();
        let mut written = |now: UnixMillis| {
            log.note("shop", "b", &[warning("m")], now);
            let may = log.may_write(now);
            if may {
                log.take();
            }
            usize::from(may)
        };
        assert_eq!((0..1000).map(|n| written(5_000_000 + n)).sum::<usize>(), 20);
        // An hour of ten a second.
        assert_eq!((0..36_000).map(|n| written(5_002_000 + n * 100)).sum::<usize>(), 60);
        // After a rest there is room again.
        assert_eq!((0..50).map(|n| written(90_000_000 + n)).sum::<usize>(), 20);
    }

    #[test]
    fn nothing_that_waits_is_no_reason_to_write() {
        assert!(!WarningLog::default().may_write(5));
    }

    #[test]
    fn what_could_not_be_written_comes_before_what_came_meanwhile() {
        let mut log = WarningLog::default();
        log.note("shop", "b", &[warning("first")], 1);
        let taken = log.take();
        log.note("shop", "b", &[warning("second")], 2);
        log.put_back(taken);
        let (_, noted) = log.take().pop_first().unwrap();
        let ids: Vec<&str> = noted.samples.iter().map(|sample| sample.message_id.as_str()).collect();
        assert_eq!((ids, noted.days[&0]), (vec!["first", "second"], 2));
    }

    #[test]
    fn forgets_an_erased_person_and_what_is_old() {
        let mut log = WarningLog::default();
        log.note("shop", "Browser-1", &[warning("m1")], DAY_MS * 100);
        log.note("shop", "browser-2", &[warning("m2")], DAY_MS * 100);
        let (_, mut noted) = log.take().pop_first().unwrap();
        assert_eq!(noted.forget(&["browser-1".to_owned(), "r".to_owned()].into()), 1);
        assert_eq!((noted.samples.len(), noted.days[&100]), (1, 2));
        noted.trim(DAY_MS * 131);
        assert_eq!(noted, Noted::default());
    }
}
