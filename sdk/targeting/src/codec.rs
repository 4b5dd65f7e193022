//! The compact binary form that behaviour and programs travel in: LEB128 integers and length-prefixed text.
//!
//! Own code rather than a serde format, because every byte of it ships to the page. Readers never panic and never
//! allocate more than the input holds.

/// The input ended early, or holds what no writer of this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

impl core::fmt::Display for Damaged {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("damaged or unknown binary form")
    }
}

impl std::error::Error for Damaged {}

/// Appends values to a byte string.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Appends one byte.
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Appends an unsigned integer (LEB128).
    pub fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Appends a signed integer (zigzag LEB128).
    pub fn signed(&mut self, value: i64) {
        self.unsigned((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    /// Appends text with its length.
    pub fn text(&mut self, value: &str) {
        self.unsigned(value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Appends a count and then each item.
    pub fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.unsigned(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    /// The bytes written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes values off the front of a byte string.
///
/// Where the input ends early or holds what cannot be right, everything from there on is zero or empty, and
/// [`Reader::done`] says so: one check at the end costs the page half of what a check of each value does.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Empty once damage was found.
    rest: &'a [u8],
    damaged: bool,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, damaged: false }
    }

    /// What was read cannot be right.
    pub fn fail(&mut self) {
        *self = Self { rest: &[], damaged: true };
    }

    /// Whether everything up to here could be read.
    ///
    /// # Errors
    /// When something could not.
    pub fn done(&self) -> Result<(), Damaged> {
        if self.damaged { Err(Damaged) } else { Ok(()) }
    }

    /// Takes one byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => {
                self.fail();
                0
            }
        }
    }

    /// Takes an unsigned integer of at most 64 bits.
    pub fn unsigned(&mut self) -> u64 {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return value;
            }
        }
        self.fail();
        0
    }

    /// Takes an unsigned integer of at most 32 bits.
    pub fn small(&mut self) -> u32 {
        u32::try_from(self.unsigned()).unwrap_or_else(|_| {
            self.fail();
            0
        })
    }

    /// Takes a signed integer.
    pub fn signed(&mut self) -> i64 {
        let value = self.unsigned();
        (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
    }

    /// Takes the number of bytes or items that follow: at most as many as there are bytes left.
    pub fn count(&mut self) -> usize {
        let count = self.small() as usize;
        if count > self.rest.len() {
            self.fail();
            return 0;
        }
        count
    }

    /// Takes text as it is, which need not be UTF-8.
    pub fn slice(&mut self) -> &'a [u8] {
        let length = self.count();
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        text
    }

    /// Takes text, which must be UTF-8.
    pub fn str(&mut self) -> &'a str {
        // Of all that the standard library has, this checks UTF-8 in the fewest bytes.
        match self.slice().utf8_chunks().next() {
            None => "",
            Some(chunk) if chunk.invalid().is_empty() => chunk.valid(),
            Some(_) => {
                self.fail();
                ""
            }
        }
    }

    /// Takes text to keep, which must be UTF-8.
    pub fn text(&mut self) -> String {
        self.str().to_owned()
    }

    /// Takes a list of at most as many items as the input has bytes.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        // A plain loop: collecting costs an adapter for each kind of item.
        let mut items = Vec::new();
        for _ in 0..self.count() {
            items.push(read(self));
        }
        items
    }

    /// True when everything was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_round_trip(a in any::<u64>(), b in any::<i64>(), c in any::<String>()) {
            let mut writer = Writer::default();
            writer.unsigned(a);
            writer.signed(b);
            writer.text(&c);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.unsigned(), reader.signed(), reader.text()), (a, b, c));
            prop_assert!(reader.is_empty() && reader.done().is_ok());
            reader.byte();
            prop_assert!(reader.done().is_err());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            let texts = reader.list(Reader::text);
            prop_assert!(texts.len() <= bytes.len());
            reader.signed();
        }
    }
}
