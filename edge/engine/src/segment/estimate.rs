//! How many people a share of them stands for.

use schemars::JsonSchema;
use serde::Serialize;

/// The standard normal distribution's quantile that 95 % lie within.
const Z: f64 = 1.96;

/// A number of people that was worked out from a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The most likely number.
    pub people: u64,
    /// The least number, of those that are likely at 95 %.
    pub low: u64,
    /// The greatest number, of those that are likely at 95 %.
    pub high: u64,
}

/// How many of `all` people there are of a kind of which `found` are among `looked_at` people who were drawn evenly. The interval is
/// Wilson's score interval (E. B. Wilson, JASA 22, 1927) with the correction for a finite population. None of nobody.
#[must_use]
pub fn estimate(found: u64, looked_at: u64, all: u64) -> Option<Estimate> {
    if looked_at == 0 {
        return None;
    }
    let (sample, population) = (looked_at as f64, all.max(looked_at) as f64);
    let share = found.min(looked_at) as f64 / sample;
    let correction = if population > 1.0 { (population - sample) / (population - 1.0) } else { 0.0 };
    let z2 = Z * Z * correction;
    let centre = (share + z2 / (2.0 * sample)) / (1.0 + z2 / sample);
    let spread = (z2 * (share * (1.0 - share) / sample + z2 / (4.0 * sample * sample))).sqrt() / (1.0 + z2 / sample);
    let people = |share: f64| (share.clamp(0.0, 1.0) * population).round() as u64;
    // Those who were found are there, and those who were looked at and are not of the kind are not.
    let (least, most) = (found, all.max(looked_at) - (looked_at - found.min(looked_at)));
    Some(Estimate {
        people: people(share).clamp(least, most),
        low: people(centre - spread).clamp(least, most),
        high: people(centre + spread).clamp(least, most),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_intervals() {
        // Wilson's interval of 15 of 148 (Agresti and Coull, 1998, table 1, without correction) is 6.2 % to 16.0 %.
        let found = estimate(15, 148, 1_000_000).unwrap();
        assert_eq!((found.people, found.low / 1_000, found.high / 1_000), (101_351, 62, 160));
        assert_eq!(estimate(0, 0, 10), None);
        assert_eq!(estimate(0, 100, 100), Some(Estimate { people: 0, low: 0, high: 0 }));
        assert_eq!(estimate(7, 100, 100), Some(Estimate { people: 7, low: 7, high: 7 }));
        assert_eq!(estimate(1, 1, 1), Some(Estimate { people: 1, low: 1, high: 1 }));
    }

    proptest! {
        #[test]
        fn the_number_lies_in_its_interval(found in 0_u64..500, more in 0_u64..500, rest in 0_u64..100_000) {
            let looked_at = found + more;
            prop_assume!(looked_at > 0);
            let all = looked_at + rest;
            let made = estimate(found, looked_at, all).unwrap();
            prop_assert!(made.low <= made.people && made.people <= made.high && made.high <= all, "{:?}", made);
            prop_assert!(found <= made.low && made.high <= all - more);
        }
    }
}
