//! The tail of the event log: events that wait in their profile's packed row until they leave for the log together.
//!
//! Rows written are the bill, and bytes written the time. A batch changes its profile's row anyway, so its events are written
//! with it, and a row of the log holds those of several batches. Entries are compressed (LZ4 block format, with a dictionary of
//! what events look like) and lie one after the other as they came, so adding one reads none of those before.

use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use serde::{Deserialize, Serialize};

use crate::signal::Signal;

/// Text like that of events, so that the first of them is short too. Part of the format: another one needs a version of its own.
const DICTIONARY: &[u8] = include_bytes!("log_dictionary_v1.txt");
/// Most bytes of an entry before it is compressed. A batch has at most half a megabyte; more is damage.
const ENTRY_BYTES: u32 = 4 * 1024 * 1024;

/// The kept events of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry<'a> {
    /// When they were received.
    pub received_at: UnixMillis,
    /// Their texts, as they were sent.
    pub events: Vec<&'a str>,
    /// When each happened, on the edge's clock. Empty in what versions wrote that did not note it.
    pub times: Vec<UnixMillis>,
    /// What they teach.
    pub signals: Vec<Signal>,
}

/// An entry's content before it is compressed.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    events: Vec<&'a str>,
    signals: Vec<Signal>,
}

/// An entry as it is stored.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    received_at: UnixMillis,
    /// Bytes of the content before it was compressed.
    size: u32,
    content: &'a [u8],
}

/// An entry that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// When its events were received.
    pub received_at: UnixMillis,
    content: Vec<u8>,
}

/// Entries of one fragment that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTail {
    /// When the first of them was received.
    pub since: UnixMillis,
    /// When the last of them was.
    pub last: UnixMillis,
    /// The entries, one after the other.
    #[serde(with = "crate::packed::bytes")]
    pub entries: Vec<u8>,
}

/// Writes behind the content how long before it was received each event happened: a version that does not know it does not look
/// there.
///
/// # Errors
/// Never in practice; the serialiser's own failure is passed on.
pub fn write_times(times: &[UnixMillis], received_at: UnixMillis, content: Vec<u8>) -> postcard::Result<Vec<u8>> {
    let before: Vec<i64> = times.iter().map(|at| received_at.saturating_sub(*at)).collect();
    if before.is_empty() { Ok(content) } else { postcard::to_extend(&before, content) }
}

/// Reads the times behind a content.
///
/// # Errors
/// When they are damaged.
pub fn read_times(bytes: &[u8], received_at: UnixMillis) -> postcard::Result<Vec<UnixMillis>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let before: Vec<i64> = postcard::from_bytes(bytes)?;
    Ok(before.into_iter().map(|before| received_at.saturating_sub(before)).collect())
}

fn damaged(what: impl ToString) -> DomainError {
    DomainError::Internal(what.to_string())
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
        let LogEntry { received_at, events, times, signals } = entry.clone();
        let content = postcard::to_allocvec(&Content { events, signals }).map_err(damaged)?;
        let content = write_times(&times, received_at, content).map_err(damaged)?;
        let size = u32::try_from(content.len()).map_err(damaged)?;
        let content = compress_with_dict(&content, DICTIONARY);
        let entries = std::mem::take(&mut self.entries);
        let packed = Packed { received_at, size, content: &content };
        self.entries = postcard::to_extend(&packed, entries).map_err(damaged)?;
        self.since = self.since.min(received_at);
        self.last = self.last.max(received_at);
        Ok(())
    }
}

impl StoredEntry {
    /// What it holds.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read(&self) -> Result<LogEntry<'_>, DomainError> {
        let (Content { events, signals }, rest) = postcard::take_from_bytes(&self.content).map_err(damaged)?;
        let times = read_times(rest, self.received_at).map_err(damaged)?;
        Ok(LogEntry { received_at: self.received_at, events, times, signals })
    }
}

/// Reads entries that lie one after the other.
///
/// # Errors
/// When they are damaged.
pub fn read_entries(mut bytes: &[u8]) -> Result<Vec<StoredEntry>, DomainError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (packed, rest) = postcard::take_from_bytes::<Packed<'_>>(bytes).map_err(damaged)?;
        if packed.size > ENTRY_BYTES {
            return Err(damaged("an entry of the log is too large"));
        }
        let content = decompress_with_dict(packed.content, packed.size as usize, DICTIONARY).map_err(damaged)?;
        entries.push(StoredEntry { received_at: packed.received_at, content });
        bytes = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(received_at: UnixMillis, events: &[String]) -> LogEntry<'_> {
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let times = events.iter().map(|_| received_at - 3).collect();
        LogEntry { received_at, events, times, signals: vec![Signal::OrderGap(received_at)] }
    }

    proptest! {
        #[test]
        fn entries_come_out_as_they_went_in(
            sent in proptest::collection::vec((0_i64..100, proptest::collection::vec(".{0,40}", 0..4)), 1..8),
        ) {
            let sent: Vec<LogEntry<'_>> = sent.iter().map(|(at, events)| entry(*at, events)).collect();
            let mut tail = LogTail::of(&sent[0]).unwrap();
            sent[1..].iter().for_each(|entry| tail.push(entry).unwrap());
            let stored = read_entries(&tail.entries).unwrap();
            let read: Vec<_> = stored.iter().map(|entry| entry.read().unwrap()).collect();
            prop_assert_eq!(read, sent.clone());
            prop_assert_eq!(tail.last, sent.iter().map(|entry| entry.received_at).max().unwrap());
            prop_assert!(read_entries(&tail.entries[..tail.entries.len() - 1]).is_err());
        }

        #[test]
        fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for entry in read_entries(&bytes).unwrap_or_default() {
                let _ = entry.read();
            }
        }
    }

    #[test]
    fn an_everyday_event_takes_a_third_of_its_text_and_ten_take_less() {
        let event = |n: u64| {
            let random = n.wrapping_add(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let (high, low) = (random >> 48, random & 0xffff_ffff_ffff);
            let page = ["fulmar-parka", "scree-boot", "eider-puffer"][(random % 3) as usize];
            format!(
                "{{\"message_id\":\"01a21f22-af77-7{:03x}-9558-{low:012x}\",\"type\":\"track\",\"name\":\"Product Viewed\",\
                 \"session_id\":\"5b0c8a52-3e1b-4c62-9a57-1f6f0c1d2e3f\",\"timestamp\":17956{n:08},\"context\":{{\"page\":\
                 {{\"url\":\"https://shop.example/p/{page}\",\"path\":\"/p/{page}\",\"title\":\"The {page}\",\
                 \"referrer\":\"https://shop.example/c/jackets\",\"search\":\"\"}},\"locale\":\"en-US\",\"zone\":\
                 \"Europe/Berlin\",\"screen\":{{\"width\":1440,\"height\":900,\"density\":2}},\"library\":{{\"name\":\
                 \"endcap\",\"version\":\"0.1.0\"}}}},\"properties\":{{\"product_id\":\"{page}\",\"name\":\"The {page}\",\
                 \"category\":\"jackets\",\"price\":329,\"currency\":\"EUR\",\"quantity\":1}}}}",
                high & 0xfff
            )
        };
        let events: Vec<String> = (0..10).map(event).collect();
        let one = LogTail::of(&entry(1, &events[..1])).unwrap().entries.len();
        let ten = LogTail::of(&entry(1, &events)).unwrap().entries.len();
        println!("one of {} bytes takes {one}, ten take {ten}", events[0].len());
        assert!(one * 2 < events[0].len() && ten * 5 < events[0].len() * 10);
    }
}
