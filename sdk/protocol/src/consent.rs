//! Consent per purpose.

/// What the visitor agreed to. A purpose that is absent is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Consent {
    /// Measuring what visitors do.
    pub analytics: bool,
    /// Fitting pop-ups and recommendations to the visitor.
    pub personalization: bool,
    /// Messages after the visit, such as web push.
    pub marketing: bool,
}

impl Consent {
    /// Every purpose granted.
    pub const GRANTED: Self = Self { analytics: true, personalization: true, marketing: true };
    /// Every purpose refused.
    pub const DENIED: Self = Self { analytics: false, personalization: false, marketing: false };

    /// The purposes as bits 0 to 2, for compact storage.
    #[must_use]
    pub fn bits(self) -> u8 {
        u8::from(self.analytics) | u8::from(self.personalization) << 1 | u8::from(self.marketing) << 2
    }

    /// The consent of [`Consent::bits`]; other bits are ignored.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        Self { analytics: bits & 1 != 0, personalization: bits & 2 != 0, marketing: bits & 4 != 0 }
    }

    /// The stricter of two consents: only what both grant.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self::from_bits(self.bits() & other.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_round_trip_and_the_stricter_wins() {
        for bits in 0..8 {
            assert_eq!(Consent::from_bits(bits).bits(), bits);
        }
        assert_eq!(Consent::GRANTED.stricter(Consent::DENIED), Consent::DENIED);
    }
}
