//! Erasing a person: the API asks the identity graph, the graph asks every shard.

use std::collections::BTreeSet;

use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};
use crate::platform::error::EdgeError;

/// Asks the graph to erase a person everywhere. It answers 202 when something has to be tried again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ErasePerson {
    /// The profile, or one that moved to it.
    pub(crate) profile_id: ProfileId,
}

impl Message for ErasePerson {
    const PATH: &'static str = "/erase";
    type Reply = serde_json::Value;
}

/// Tells a part of the graph to hear nothing of some fragments from now on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Entomb(pub(crate) BTreeSet<FragmentId>);

impl Message for Entomb {
    const PATH: &'static str = "/entomb";
    type Reply = Done;
}

/// Asks a shard for what names a person's fragments hold.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NamesAsk {
    /// The fragments; the profile is named like one of them.
    pub(crate) fragments: BTreeSet<FragmentId>,
}

impl Message for NamesAsk {
    const PATH: &'static str = "/erase/look";
    type Reply = KnownNames;
}

/// What a shard knows of a person.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct KnownNames {
    /// Their fragments that are here.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// All texts that name them.
    pub(crate) names: BTreeSet<String>,
}

/// Asks a shard to take out what it has of a person, as much as one request can.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EraseStep {
    /// The person's fragments.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// All texts that name them, in lower case.
    pub(crate) names: BTreeSet<String>,
    /// The profile after which to look for pointers; empty at first.
    pub(crate) after: String,
}

impl Message for EraseStep {
    const PATH: &'static str = "/erase";
    type Reply = EraseStepDone;
}

/// How far a shard came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct EraseStepDone {
    /// What was erased.
    pub(crate) sums: ErasedRows,
    /// The profile after which to go on; None when all was looked through.
    pub(crate) next: Option<String>,
    /// Something has to be waited for: another person's fragment is about to leave a row that bears an erased name, or
    /// something could not be read.
    pub(crate) busy: bool,
}

impl EraseStepDone {
    /// Notes that a part failed: the erasure is tried again, and the other parts go on.
    pub(crate) fn wait_for(&mut self, part: &str, erased: Result<(), EdgeError>) {
        if let Err(error) = erased {
            worker::console_error!("erasing in {part}: {error}");
            self.busy = true;
        }
    }
}

/// What was erased: rows by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErasedRows {
    /// Profiles that held something of them.
    pub(crate) profiles: u64,
    /// Stored batches of events.
    pub(crate) batches: u64,
    /// Push subscriptions.
    pub(crate) subscriptions: u64,
    /// Timers.
    pub(crate) timers: u64,
    /// Jobs of the outbox.
    #[serde(rename = "errands")]
    pub(crate) outbox_jobs: u64,
    /// Refused events.
    pub(crate) refused: u64,
}

impl ErasedRows {
    /// Adds other sums.
    pub(crate) fn add(&mut self, other: Self) {
        self.profiles += other.profiles;
        self.batches += other.batches;
        self.subscriptions += other.subscriptions;
        self.timers += other.timers;
        self.outbox_jobs += other.outbox_jobs;
        self.refused += other.refused;
    }
}
