//! The NASLD lifecycle stages as conditions name them (beBit TECH's model: New, Active, Sleep, Lost, Deep).

/// Where a customer stands in their life with the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Stage {
    /// Has not bought yet.
    #[default]
    Prospect,
    /// Bought once, at most one repurchase cycle ago.
    New,
    /// Bought twice or more, last at most one cycle ago.
    Active,
    /// Last bought one to two cycles ago.
    Sleep,
    /// Last bought over two cycles ago.
    Lost,
    /// Last bought over three cycles, and over 180 days, ago.
    Deep,
}

impl Stage {
    /// Every stage, in the order of their codes.
    pub const ALL: [Self; 6] = [Self::Prospect, Self::New, Self::Active, Self::Sleep, Self::Lost, Self::Deep];

    /// The code used in binary forms, 0 to 5.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The names of the stages whose bits are set (bit = code).
    #[cfg(feature = "serde")]
    pub(crate) fn names_of(bits: u8) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|stage| stage.is_in(bits)).map(Self::as_str).collect()
    }

    /// Whether its bit is set.
    pub(crate) fn is_in(self, bits: u8) -> bool {
        bits >> self.code() & 1 == 1
    }

    /// The stage of a code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prospect => "prospect",
            Self::New => "new",
            Self::Active => "active",
            Self::Sleep => "sleep",
            Self::Lost => "lost",
            Self::Deep => "deep",
        }
    }

    /// The stage of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_round_trip() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_code(stage.code()), Some(stage));
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        }
        assert_eq!(Stage::from_code(6), None);
    }
}
