//! What was repaired in data from outside, so that one odd member never costs an event.
//!
//! Only the edge says so: it reads every event of a page again, and answers with what it repaired.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::touch::cut;

/// The stable code of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairCode {
    /// A member could not be used and was left out.
    FieldDropped,
    /// A text or list was over its bound and was cut.
    FieldCut,
    /// A member had another form than it should, and was read as what it stands for.
    FieldRead,
    /// An identifier was missing or unusable, and one was made.
    IdMade,
    /// A time could not be read; the time of receipt counts.
    TimeUnreadable,
    /// A user ID could not be one; the event is kept without it.
    UserDropped,
    /// A currency was a sign or a spelling, and was read as its code.
    CurrencyRead,
    /// A currency could not be read; that of the items or of the shop counts.
    CurrencyAssumed,
    /// An amount could be read in two ways; the decimals of its currency decided.
    AmountAmbiguous,
    /// An amount stood among other words; the first number counts.
    AmountLoose,
    /// An amount could not be read and was left out.
    AmountDropped,
    /// An amount is negative; it counts as it is.
    AmountNegative,
    /// A quantity was no whole number of at least 1.
    QuantityRepaired,
    /// A product has no ID: its price counts, and it teaches nothing about products.
    ProductUnnamed,
    /// No total was given, and not all lines could be added up.
    TotalIncomplete,
}

/// One repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// What was done.
    pub code: RepairCode,
    /// Path of the member, such as `properties.products[3].price`.
    pub path: String,
    /// What was wrong and what was done instead, one sentence without a final stop.
    pub message: String,
}

/// The repairs of one event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repairs {
    /// The repairs, in the order in which they were made.
    pub list: Vec<Repair>,
}

/// Most repairs of one event that are told; an event can hold thousands of odd members.
const TOLD: usize = 20;

impl Repairs {
    /// Notes a repair; `text` makes its path and its message.
    pub fn note(&mut self, code: RepairCode, text: impl FnOnce() -> (String, String)) {
        if self.list.len() < TOLD {
            let (path, message) = text();
            let repair = Repair { code, path, message };
            if !self.list.contains(&repair) {
                self.list.push(repair);
            }
        }
    }

    /// A text of at most `most` bytes. What is over is cut, and noted at `path`.
    pub fn cut<'t>(&mut self, path: impl Display, text: &'t str, most: usize) -> &'t str {
        let kept = cut(text, most);
        if kept.len() < text.len() {
            self.note(RepairCode::FieldCut, || {
                (path.to_string(), format!("must be at most {most} bytes: it is cut there"))
            });
        }
        kept
    }

    /// Takes in repairs of the same level, behind those that are there.
    pub fn take(&mut self, others: Self) {
        for Repair { code, path, message } in others.list {
            self.note(code, || (path, message));
        }
    }

    /// Takes repairs in that were made one level further in, below `parent`.
    pub fn take_under(&mut self, parent: &str, inner: Self) {
        for Repair { code, path, message } in inner.list {
            let error = crate::FieldError::new(path, message).under(parent);
            self.note(code, || (error.path, error.message));
        }
    }
}

impl RepairCode {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::FieldDropped,
        Self::FieldCut,
        Self::FieldRead,
        Self::IdMade,
        Self::TimeUnreadable,
        Self::UserDropped,
        Self::CurrencyRead,
        Self::CurrencyAssumed,
        Self::AmountAmbiguous,
        Self::AmountLoose,
        Self::AmountDropped,
        Self::AmountNegative,
        Self::QuantityRepaired,
        Self::ProductUnnamed,
        Self::TotalIncomplete,
    ];
}
