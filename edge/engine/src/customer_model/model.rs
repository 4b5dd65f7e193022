//! The models and the names of their groups.

use endcap_models::lifecycle::{Dciu, Napl, Nes};
use endcap_models::rfm::RfmGroup;
use endcap_targeting::Stage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A model of the customers' life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerModel {
    /// New, Active, Sleep, Lost, Deep: by time since the last order, in repurchase cycles.
    Nasld,
    /// Eleven groups by how lately, how often and for how much somebody bought, each beside all other customers.
    Rfm,
    /// New, active, passive, lapsed: by one window of days.
    Napl,
    /// New, existing, sleeping: by multiples of the repurchase cycle, over days with an order.
    Nes,
    /// Deciding, considering, interested, uninterested: by what they looked at and put into the cart within two weeks.
    Dciu,
}

/// A group of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group(u8);

impl Group {
    /// Who has not bought yet, in every model.
    pub const PROSPECT: Self = Self(0);

    /// The group of a place after that.
    pub(super) fn numbered(place: usize) -> Self {
        Self(u8::try_from(place + 1).unwrap_or(u8::MAX))
    }

    /// The group of a code.
    pub(super) fn of_code(code: usize) -> Option<Self> {
        u8::try_from(code).ok().map(Self)
    }

    /// Its code: its place among the names of its model.
    pub(super) fn code(self) -> usize {
        usize::from(self.0)
    }
}

impl CustomerModel {
    /// Every model.
    pub const ALL: [Self; 5] = [Self::Nasld, Self::Rfm, Self::Napl, Self::Nes, Self::Dciu];

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nasld => "nasld",
            Self::Rfm => "rfm",
            Self::Napl => "napl",
            Self::Nes => "nes",
            Self::Dciu => "dciu",
        }
    }

    /// The model of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.as_str() == name)
    }

    /// Whether its groups are known of now only: what they follow from is not kept for days gone by.
    #[must_use]
    pub fn is_of_now(self) -> bool {
        self == Self::Dciu
    }

    /// What it tells apart, in a sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Nasld => "Lifecycle stages by the time since the last order, in repurchase cycles.",
            Self::Rfm => {
                "Groups by how lately, how often and for how much somebody bought, beside all other customers."
            }
            Self::Napl => "New and repeat buyers, within a window of days or before it.",
            Self::Nes => "New, existing and sleeping customers, by multiples of the repurchase cycle.",
            Self::Dciu => {
                "Deciding, considering, interested and uninterested, by views, searches and carts of two weeks."
            }
        }
    }

    /// The names of its groups, by their codes. The first is of those who have not bought yet.
    #[must_use]
    pub fn groups(self) -> Vec<&'static str> {
        let names: Vec<&'static str> = match self {
            Self::Nasld => return Stage::ALL.map(Stage::as_str).to_vec(),
            Self::Rfm => RfmGroup::ALL.map(RfmGroup::as_str).to_vec(),
            Self::Napl => Napl::ALL.map(Napl::as_str).to_vec(),
            Self::Nes => Nes::ALL.map(Nes::as_str).to_vec(),
            Self::Dciu => Dciu::ALL.map(Dciu::as_str).to_vec(),
        };
        [Stage::Prospect.as_str()].into_iter().chain(names).collect()
    }
}

impl From<Stage> for Group {
    fn from(stage: Stage) -> Self {
        Self(stage.code())
    }
}

/// Codes of the others follow the one of those who have not bought.
fn after_prospect<T: PartialEq>(all: &[T], group: &T) -> Group {
    let place = all.iter().position(|one| one == group).unwrap_or_default();
    Group(u8::try_from(place + 1).unwrap_or(u8::MAX))
}

impl From<RfmGroup> for Group {
    fn from(group: RfmGroup) -> Self {
        after_prospect(&RfmGroup::ALL, &group)
    }
}

impl From<Napl> for Group {
    fn from(group: Napl) -> Self {
        after_prospect(&Napl::ALL, &group)
    }
}

impl From<Dciu> for Group {
    fn from(group: Dciu) -> Self {
        after_prospect(&Dciu::ALL, &group)
    }
}

impl From<Nes> for Group {
    fn from(group: Nes) -> Self {
        after_prospect(&Nes::ALL, &group)
    }
}
