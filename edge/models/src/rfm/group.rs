//! The eleven named groups.

use serde::{Deserialize, Serialize};

/// What stands beside recency when groups are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondAxis {
    /// The mean of frequency and monetary value, halves rounded up.
    #[default]
    FrequencyAndMonetary,
    /// Frequency alone.
    Frequency,
}

/// A group of customers by RFM, named as is usual in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RfmGroup {
    /// Lately, often, much.
    Champions,
    /// Rather lately and often.
    Loyal,
    /// Lately, and not yet often.
    PotentialLoyalist,
    /// Lately for the first time.
    New,
    /// Rather lately for the first time.
    Promising,
    /// Middling in both.
    NeedAttention,
    /// Some time ago, and seldom.
    AboutToSleep,
    /// Long ago, and rather often.
    AtRisk,
    /// Long ago, and most often.
    CantLose,
    /// Long ago, and seldom.
    Hibernating,
    /// Longest ago, and least often.
    Lost,
}

impl RfmGroup {
    /// Every group.
    pub const ALL: [Self; 11] = [
        Self::Champions,
        Self::Loyal,
        Self::PotentialLoyalist,
        Self::New,
        Self::Promising,
        Self::NeedAttention,
        Self::AboutToSleep,
        Self::AtRisk,
        Self::CantLose,
        Self::Hibernating,
        Self::Lost,
    ];

    /// The group of two scores of 1 to 5.
    #[must_use]
    pub fn of(recency: u8, second: u8) -> Self {
        match (recency, second) {
            (..=1, ..=1) => Self::Lost,
            (..=2, ..=2) => Self::Hibernating,
            (..=2, ..=4) => Self::AtRisk,
            (..=2, _) => Self::CantLose,
            (3, ..=2) => Self::AboutToSleep,
            (3, 3) => Self::NeedAttention,
            (4, ..=1) => Self::Promising,
            (_, ..=1) => Self::New,
            (3 | 4, 4..) => Self::Loyal,
            (_, ..=3) => Self::PotentialLoyalist,
            _ => Self::Champions,
        }
    }

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Champions => "champions",
            Self::Loyal => "loyal",
            Self::PotentialLoyalist => "potential_loyalist",
            Self::New => "new",
            Self::Promising => "promising",
            Self::NeedAttention => "need_attention",
            Self::AboutToSleep => "about_to_sleep",
            Self::AtRisk => "at_risk",
            Self::CantLose => "cant_lose",
            Self::Hibernating => "hibernating",
            Self::Lost => "lost",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_grid_is_named() {
        use RfmGroup::{
            AboutToSleep as Sl, AtRisk as Ri, CantLose as Ca, Champions as Ch, Hibernating as Hi, Lost, Loyal as Lo,
        };
        use RfmGroup::{NeedAttention as Ne, New, PotentialLoyalist as Po, Promising as Pr};
        let grid = [
            [Lost, Hi, Ri, Ri, Ca],
            [Hi, Hi, Ri, Ri, Ca],
            [Sl, Sl, Ne, Lo, Lo],
            [Pr, Po, Po, Lo, Lo],
            [New, Po, Po, Ch, Ch],
        ];
        for (recency, row) in (1..).zip(grid) {
            for (second, group) in (1..).zip(row) {
                assert_eq!(RfmGroup::of(recency, second), group, "{recency}{second}");
            }
        }
    }

    #[test]
    fn the_name_is_the_one_in_json() {
        for group in RfmGroup::ALL {
            assert_eq!(serde_json::to_value(group).unwrap(), group.as_str());
        }
    }
}
