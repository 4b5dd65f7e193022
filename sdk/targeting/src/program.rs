//! A campaign's rules, compiled: what travels from the edge to the page.

use crate::codec::{Damaged, Reader, Writer};
use crate::condition::{Condition, MAX_DEPTH};
use crate::frequency::Frequency;
use crate::pattern::matches;
use crate::trigger::Trigger;

/// Version of the binary form. Readers refuse others, and the page then leaves the campaign out.
pub(crate) const VERSION: u8 = 1;

/// When, to whom, where and how often a campaign is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// To whom.
    pub condition: Condition,
    /// When.
    pub trigger: Trigger,
    /// How often.
    pub frequency: Frequency,
    /// Path patterns of the pages it is shown on; none means every page.
    pub include: Vec<String>,
    /// Path patterns of pages it is never shown on.
    pub exclude: Vec<String>,
}

impl Program {
    /// Whether the campaign may be shown on the page at `path`.
    #[must_use]
    pub fn shows_on(&self, path: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern.as_bytes(), path.as_bytes()));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// The binary form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        self.condition.write(&mut out);
        self.trigger.write(&mut out);
        self.frequency.write(&mut out);
        for patterns in [&self.include, &self.exclude] {
            out.list(patterns.iter(), |out, pattern| out.text(pattern));
        }
        out.finish()
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// When it is damaged, nested too deeply, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut input = Reader::new(bytes);
        if input.byte() != VERSION {
            return Err(Damaged);
        }
        let program = Self {
            condition: Condition::read(&mut input, MAX_DEPTH + 1, false),
            trigger: Trigger::read(&mut input),
            frequency: Frequency::read(&mut input),
            include: input.list(Reader::text),
            exclude: input.list(Reader::text),
        };
        input.done().map(|()| program)
    }
}
