//! The moment in the page at which a campaign may open.

use crate::codec::{Reader, Writer};

/// What has to happen in the page, once the condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// Nothing: as soon as the condition holds.
    #[default]
    Immediately,
    /// So many seconds on the page, 1 to 3600.
    Dwell(u32),
    /// So many per cent of the page scrolled into view, 1 to 100.
    Scroll(u32),
    /// The pointer leaves the page at its top; on touch screens, a fast scroll back up.
    ExitIntent,
}

impl Trigger {
    pub(crate) fn write(self, out: &mut Writer) {
        let (code, value) = match self {
            Self::Immediately => (0, 0),
            Self::Dwell(seconds) => (1, seconds),
            Self::Scroll(percent) => (2, percent),
            Self::ExitIntent => (3, 0),
        };
        out.byte(code);
        out.unsigned(value.into());
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Self {
        let (code, value) = (input.byte(), input.small());
        match code {
            1 => Self::Dwell(value),
            2 => Self::Scroll(value),
            3 => Self::ExitIntent,
            other => {
                if other != 0 {
                    input.fail();
                }
                Self::Immediately
            }
        }
    }
}
