//! Comparisons of numbers.

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Op {
    /// Every comparison, in the order of their codes.
    pub const ALL: [Self; 6] = [Self::Equal, Self::NotEqual, Self::Above, Self::AtLeast, Self::Below, Self::AtMost];

    /// The sign in JSON.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// The comparison of a sign.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn parse(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == sign)
    }

    /// Whether `left op right` holds.
    #[must_use]
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
        }
    }
}
