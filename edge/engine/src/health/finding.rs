//! What of an object's figures needs a person, in words that say what to do.

use std::fmt;

use endcap_identity::IdentityRules;
use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objects::{GraphHealth, ShardHealth};

/// A timer or a job that is due for longer is late, in milliseconds. Alarms may be a minute late by themselves.
const LATE_MS: UnixMillis = 5 * 60_000;
/// What happened once is worth a look for so long, in milliseconds.
const RECENT_MS: UnixMillis = 86_400_000;
/// Runs after which an erasure that still waits is late: at first it may wait for a bucket that moves.
const ERASURE_TRIES: u64 = 5;
/// Refused events of one hour and shard from which the quarantine counts as growing.
const GROWING: u64 = 20;
/// Failed runs of a fit that need a person: one or two may be a deployment.
const FAILED_FITS: u64 = 3;
/// Size from which a shard is nearly full, of the 10 GB that Cloudflare allows.
const NEARLY_FULL: u64 = 8_000_000_000;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// Timers fail, and are tried again.
    TimerFailing,
    /// Timers are due and do not run.
    TimerLate,
    /// Jobs of the outbox fail, and are tried again.
    JobFailing,
    /// Jobs of the outbox failed too often and are tried no more.
    JobsParked,
    /// Many events were refused within the last hour.
    QuarantineGrowing,
    /// Refused events were dropped for want of room.
    QuarantineFull,
    /// The shop has not learned what happened.
    LearningBehind,
    /// Fits of the scores fail, and are tried again.
    ScoresFailing,
    /// Rows of the log cannot be read.
    LogUnreadable,
    /// The database is nearly as large as the platform allows.
    NearlyFull,
    /// A person's browsers were not told where they belong.
    ReassignmentFailing,
    /// Somebody asked to be forgotten, and is not yet.
    ErasureLate,
    /// Claims at a source count like facts, as the settings say.
    ClaimsTrusted,
    /// An object did not answer.
    Unreachable,
    /// A variable of the deployment that matters is not set.
    VariableMissing,
    /// A variable of the deployment cannot be read, and counts for nothing.
    VariableUnreadable,
}

/// The object that it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A shard, by its number.
    Shard(u16),
    /// A part of the identity graph, by its number.
    IdentityGraph(u16),
    /// The shop's object.
    Shop,
    /// The object that fits the scores.
    Models,
    /// The registry, which knows where buckets are.
    Registry,
    /// The deployment's own variables.
    Deployment,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(number) => write!(f, "shard {number}"),
            Self::IdentityGraph(part) => write!(f, "identity graph {part}"),
            Self::Shop => f.write_str("shop"),
            Self::Models => f.write_str("models"),
            Self::Registry => f.write_str("registry"),
            Self::Deployment => f.write_str("deployment"),
        }
    }
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is, for programs.
    pub code: FindingCode,
    /// Where it is.
    pub place: Place,
    /// What it is and what to do, for people.
    pub message: String,
}

/// Collects what is found in one place.
struct Findings {
    place: Place,
    found: Vec<Finding>,
}

impl Findings {
    /// Adds a finding if something holds.
    fn when(&mut self, holds: bool, code: FindingCode, message: impl FnOnce() -> String) {
        if holds {
            self.found.push(Finding { code, place: self.place, message: format!("{}: {}", self.place, message()) });
        }
    }
}

/// What of a shard needs a person.
#[must_use]
pub fn of_shard(shard: &ShardHealth, now: UnixMillis) -> Vec<Finding> {
    let mut findings = Findings { place: Place::Shard(shard.shard), found: Vec::new() };
    let ShardHealth { timers, outbox, quarantine, learning, .. } = shard;
    findings.when(timers.failing > 0, FindingCode::TimerFailing, || {
        format!("{} timers fail and are tried again; the worker's log names each and why", timers.failing)
    });
    findings.when(is_late(timers.oldest_due, now), FindingCode::TimerLate, || {
        "timers are due and did not run; look into the worker's log for its alarm".to_owned()
    });
    findings.when(outbox.failing > 0 || is_late(outbox.oldest_due, now), FindingCode::JobFailing, || {
        let (waiting, failing, tries) = (outbox.waiting, outbox.failing, outbox.most_attempts);
        format!("of {waiting} jobs {failing} fail, one of them {tries} times, and are tried again; the worker's log says why")
    });
    findings.when(outbox.parked > 0, FindingCode::JobsParked, || {
        let count = outbox.parked;
        format!(
            "{count} jobs failed too often and are tried no more; GET /api/jobs/parked says why, and once that is mended \
             POST /api/jobs/retry has them tried again"
        )
    });
    findings.when(quarantine.kept_last_hour >= GROWING, FindingCode::QuarantineGrowing, || {
        let count = quarantine.kept_last_hour;
        format!("{count} events were refused within an hour; GET /api/quarantine lists them and why")
    });
    findings.when(is_recent(quarantine.last_dropped, now), FindingCode::QuarantineFull, || {
        let count = quarantine.dropped;
        format!("{count} refused events made room for later ones and cannot be replayed; mend what sends them")
    });
    let behind = learning.oldest.is_some_and(|at| now.saturating_sub(at) > learning.patience_ms);
    findings.when(behind, FindingCode::LearningBehind, || {
        let rows = learning.rows_behind;
        format!("{rows} batches were not learned of; recommendations are old. Look into the worker's log for its alarm")
    });
    findings.when(is_recent(learning.last_unreadable, now), FindingCode::LogUnreadable, || {
        let rows = learning.unreadable_rows;
        format!("{rows} rows of the log could not be read; was a newer version rolled back?")
    });
    findings.when(shard.bytes >= NEARLY_FULL, FindingCode::NearlyFull, || {
        "its database nears the 10 GB that the platform allows; ask for more shards, or keep the log for fewer days"
            .to_owned()
    });
    findings.found
}

/// What of a part of the identity graph needs a person.
#[must_use]
pub fn of_graph(part: &GraphHealth, now: UnixMillis) -> Vec<Finding> {
    let mut findings = Findings { place: Place::IdentityGraph(part.part), found: Vec::new() };
    let reassignments = &part.reassignments;
    let untold = reassignments.failing > 0 || is_late(reassignments.oldest_due, now);
    findings.when(untold, FindingCode::ReassignmentFailing, || {
        format!("{} browsers could not be told where they belong yet; it is tried again", reassignments.waiting)
    });
    let erasures = &part.erasures;
    let unfinished = erasures.most_attempts >= ERASURE_TRIES || is_late(erasures.oldest_due, now);
    findings.when(unfinished, FindingCode::ErasureLate, || {
        format!("{} people are not erased everywhere yet; it is tried again", erasures.waiting)
    });
    findings.when(part.bytes >= NEARLY_FULL, FindingCode::NearlyFull, || {
        "its database nears the 10 GB that the platform allows".to_owned()
    });
    findings.found
}

/// What of the scores needs a person, where so many runs of the fit failed one after the other.
#[must_use]
pub fn of_scores(failed_runs: u64) -> Vec<Finding> {
    let mut findings = Findings { place: Place::Models, found: Vec::new() };
    findings.when(failed_runs >= FAILED_FITS, FindingCode::ScoresFailing, || {
        format!("{failed_runs} runs of a fit of the scores failed one after the other; scores stay as they are, and it is tried \
                 again. The worker's log says why")
    });
    findings.found
}

/// What of the shop's rules of identity somebody should know of.
#[must_use]
pub fn of_rules(rules: &IdentityRules) -> Vec<Finding> {
    let mut findings = Findings { place: Place::Shop, found: Vec::new() };
    for source in rules.trusted_sources() {
        findings.when(true, FindingCode::ClaimsTrusted, || {
            format!(
                "identity.claims trusts the source {source}: whoever sends to it can pose as any user who never proved a \
                 browser, and read and change what that user is shown"
            )
        });
    }
    findings.found
}

/// An object that did not answer when it was asked how it is.
#[must_use]
pub fn unreachable(place: Place) -> Finding {
    let message = format!("{place}: it did not answer; a deployment may be under way, else look into the worker's log");
    Finding { code: FindingCode::Unreachable, place, message }
}

fn is_recent(at: Option<UnixMillis>, now: UnixMillis) -> bool {
    at.is_some_and(|at| now.saturating_sub(at) < RECENT_MS)
}

fn is_late(due: Option<UnixMillis>, now: UnixMillis) -> bool {
    due.is_some_and(|due| now.saturating_sub(due) > LATE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::objects::{LearningHealth, OutboxHealth, QuarantineHealth, TimerHealth};

    const NOW: UnixMillis = 1_800_000_000_000;

    fn codes(shard: &ShardHealth) -> Vec<FindingCode> {
        of_shard(shard, NOW).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_healthy_shard_needs_nobody() {
        let timers = TimerHealth { oldest_due: Some(NOW - LATE_MS), failing: 0, failed_runs: 7 };
        let long_ago = Some(NOW - RECENT_MS);
        let quarantine = QuarantineHealth {
            kept: 9_000,
            kept_last_hour: GROWING - 1,
            dropped: 5,
            last_dropped: long_ago,
            oldest: None,
        };
        let learning = LearningHealth {
            rows_behind: 9,
            oldest: Some(NOW - 10),
            patience_ms: 10,
            unreadable_rows: 3,
            last_unreadable: long_ago,
        };
        let shard = ShardHealth { timers, quarantine, learning, bytes: NEARLY_FULL - 1, ..ShardHealth::default() };
        assert_eq!(codes(&shard), []);
        assert_eq!(of_graph(&GraphHealth::default(), NOW), []);
    }

    #[test]
    fn each_trouble_is_found_and_says_where_it_is() {
        let shard = ShardHealth {
            shard: 3,
            bytes: NEARLY_FULL,
            timers: TimerHealth { oldest_due: Some(NOW - LATE_MS - 1), failing: 1, failed_runs: 1 },
            outbox: OutboxHealth { waiting: 2, failing: 2, parked: 1, most_attempts: 5, oldest_due: None },
            quarantine: QuarantineHealth {
                kept: 9,
                kept_last_hour: GROWING,
                dropped: 1,
                last_dropped: Some(NOW),
                oldest: None,
            },
            learning: LearningHealth {
                rows_behind: 1,
                oldest: Some(NOW - 11),
                patience_ms: 10,
                unreadable_rows: 1,
                last_unreadable: Some(NOW),
            },
            ..ShardHealth::default()
        };
        let all = [
            FindingCode::TimerFailing,
            FindingCode::TimerLate,
            FindingCode::JobFailing,
            FindingCode::JobsParked,
            FindingCode::QuarantineGrowing,
            FindingCode::QuarantineFull,
            FindingCode::LearningBehind,
            FindingCode::LogUnreadable,
            FindingCode::NearlyFull,
        ];
        assert_eq!(codes(&shard), all);
        assert!(of_shard(&shard, NOW).iter().all(|finding| finding.message.starts_with("shard 3: ")));
    }

    #[test]
    fn a_source_whose_claims_are_trusted_is_named() {
        assert_eq!(of_rules(&IdentityRules::default()), []);
        let rules: IdentityRules = serde_json::from_str(r#"{"claims":{"app":"trust","shop":"list"}}"#).unwrap();
        let [finding] = of_rules(&rules).try_into().unwrap();
        assert_eq!((finding.code, finding.place), (FindingCode::ClaimsTrusted, Place::Shop));
        assert!(finding.message.contains("the source app"));
    }

    #[test]
    fn what_the_identity_graph_owes_is_found() {
        let failing =
            OutboxHealth { waiting: 1, failing: 1, most_attempts: 3, oldest_due: Some(NOW), ..OutboxHealth::default() };
        let late = OutboxHealth { waiting: 1, oldest_due: Some(NOW - LATE_MS - 1), ..OutboxHealth::default() };
        let part = GraphHealth { part: 1, bytes: 0, reassignments: failing, erasures: late };
        let found: Vec<_> = of_graph(&part, NOW).into_iter().map(|finding| (finding.code, finding.place)).collect();
        let place = Place::IdentityGraph(1);
        let begun = OutboxHealth { most_attempts: ERASURE_TRIES - 1, ..failing };
        assert_eq!(of_graph(&GraphHealth { erasures: begun, ..GraphHealth::default() }, NOW), []);
        assert_eq!(found, [(FindingCode::ReassignmentFailing, place), (FindingCode::ErasureLate, place)]);
    }

    #[test]
    fn fits_that_go_on_failing_are_named() {
        assert_eq!(of_scores(FAILED_FITS - 1), []);
        let [finding] = of_scores(7).try_into().unwrap();
        assert_eq!((finding.code, finding.place), (FindingCode::ScoresFailing, Place::Models));
        assert!(finding.message.starts_with("models: 7 runs"), "{}", finding.message);
    }
}
