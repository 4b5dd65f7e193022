//! The room that an answer has left: what does not fit is left out and counted.

use std::io::{self, Write};

use serde::Serialize;

/// Bytes that are left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room(pub(crate) usize);

impl Room {
    /// Takes so many bytes, if there are as many.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    /// Takes the bytes of a value and a comma.
    pub(crate) fn take_json(&mut self, value: &impl Serialize) -> bool {
        self.take(json_bytes(value).saturating_add(1))
    }
}

/// Bytes of a value as JSON.
pub(crate) fn json_bytes(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail, and what is no JSON has no room.
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let mut room = Room(10);
        assert!(!room.take_json(&"12345678") && room.take_json(&"\n23456") && room.0 == 0);
        assert!(room.take(0) && !room.take(1));
    }
}
