//! The tail of the event log: events that wait in their profile's packed row until they leave for the log together.
//!
//! Rows written are the bill. A batch changes its profile's row anyway, so its events are written with it, and a row of the
//! log holds those of several batches. Entries lie one after the other as they came, so adding one reads none of those before.

use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use crate::signal::Signal;

/// The kept events of one batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry<'a> {
    /// When they were received.
    pub received_at: UnixMillis,
    /// Their texts, as they were sent.
    #[serde(borrow)]
    pub events: Vec<&'a str>,
    /// What they teach.
    pub signals: Vec<Signal>,
}

/// Entries of one fragment that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTail {
    /// When the first of them was received.
    pub since: UnixMillis,
    /// When the last of them was.
    pub last: UnixMillis,
    /// The entries (postcard), one after the other.
    #[serde(with = "crate::packed::bytes")]
    pub entries: Vec<u8>,
}

impl LogTail {
    /// A tail that begins with an entry.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn of(entry: &LogEntry<'_>) -> Result<Self, DomainError> {
        let mut tail = Self { since: entry.received_at, last: entry.received_at, entries: Vec::new() };
        tail.push(entry)?;
        Ok(tail)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn push(&mut self, entry: &LogEntry<'_>) -> Result<(), DomainError> {
        let entries = std::mem::take(&mut self.entries);
        self.entries = postcard::to_extend(entry, entries).map_err(|error| DomainError::Internal(error.to_string()))?;
        self.last = self.last.max(entry.received_at);
        Ok(())
    }
}

/// Reads entries that lie one after the other.
///
/// # Errors
/// When they are damaged.
pub fn read_entries(mut bytes: &[u8]) -> Result<Vec<LogEntry<'_>>, DomainError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (entry, rest) =
            postcard::take_from_bytes(bytes).map_err(|error| DomainError::Internal(error.to_string()))?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_come_out_as_they_went_in(
            sent in proptest::collection::vec((0_i64..100, proptest::collection::vec(".{0,20}", 0..4)), 1..8),
        ) {
            let entry = |(received_at, events): &(i64, Vec<String>)| -> LogEntry<'static> {
                let events = events.iter().map(|text| &*text.clone().leak()).collect();
                LogEntry { received_at: *received_at, events, signals: vec![Signal::OrderGap(*received_at)] }
            };
            let sent: Vec<LogEntry<'_>> = sent.iter().map(entry).collect();
            let mut tail = LogTail::of(&sent[0]).unwrap();
            sent[1..].iter().for_each(|entry| tail.push(entry).unwrap());
            prop_assert_eq!(read_entries(&tail.entries).unwrap(), sent.clone());
            prop_assert_eq!(tail.last, sent.iter().map(|entry| entry.received_at).max().unwrap());
            prop_assert!(read_entries(&tail.entries[..tail.entries.len() - 1]).is_err());
        }
    }
}
