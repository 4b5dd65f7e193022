//! Conditions over behaviour and page.

use crate::codec::{Reader, Writer};
#[cfg(feature = "serde")]
use crate::edge_fact::EdgeFact;
pub use crate::op::Op;

/// Deepest nesting of a condition.
pub const MAX_DEPTH: usize = 12;
/// Most parts of one list.
#[cfg(feature = "serde")]
pub const MAX_PARTS: usize = 50;
/// Most parts of which so many have to hold: a page gets each choice of them.
#[cfg(feature = "serde")]
pub const MAX_COUNTED: usize = 10;
/// Longest category, in bytes.
#[cfg(feature = "serde")]
pub const MAX_CATEGORY: usize = 128;
/// Longest path pattern, in bytes.
#[cfg(feature = "serde")]
pub const MAX_PATTERN: usize = 200;

/// A fact that is a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// Distinct products viewed, in one category or all.
    ProductsViewed,
    /// Units bought, in one category or all.
    UnitsBought,
    /// Units put into the cart so far, in one category or all.
    UnitsAdded,
    /// Units in the cart now.
    CartUnits,
    /// Value of the cart in minor units.
    CartValue,
    /// Orders completed.
    Orders,
    /// Sessions so far, this one included.
    Sessions,
    /// Pages viewed in this session.
    PageViews,
    /// Whole days since the last order; never true in a comparison while there is none.
    DaysSinceLastOrder,
    /// Whole days since the first event.
    DaysSinceFirstSeen,
    /// 1 where marketing is consented to.
    ConsentMarketing,
    /// 1 where the browser is subscribed to web push.
    PushSubscribed,
}

impl Fact {
    /// Every fact, in the order of their codes.
    pub const ALL: [Self; 12] = [
        Self::ProductsViewed,
        Self::UnitsBought,
        Self::UnitsAdded,
        Self::CartUnits,
        Self::CartValue,
        Self::Orders,
        Self::Sessions,
        Self::PageViews,
        Self::DaysSinceLastOrder,
        Self::DaysSinceFirstSeen,
        Self::ConsentMarketing,
        Self::PushSubscribed,
    ];

    /// The name in JSON.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProductsViewed => "products_viewed",
            Self::UnitsBought => "units_bought",
            Self::UnitsAdded => "units_added",
            Self::CartUnits => "cart_units",
            Self::CartValue => "cart_value",
            Self::Orders => "orders",
            Self::Sessions => "sessions",
            Self::PageViews => "page_views",
            Self::DaysSinceLastOrder => "days_since_last_order",
            Self::DaysSinceFirstSeen => "days_since_first_seen",
            Self::ConsentMarketing => "consent_marketing",
            Self::PushSubscribed => "push_subscribed",
        }
    }

    /// Whether the fact only says whether something is so.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn is_flag(self) -> bool {
        matches!(self, Self::ConsentMarketing | Self::PushSubscribed)
    }

    /// Whether the fact can be asked of one category.
    #[must_use]
    pub fn takes_category(self) -> bool {
        matches!(self, Self::ProductsViewed | Self::UnitsBought | Self::UnitsAdded)
    }
}

/// Which category a fact is asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// The one that the enclosing [`Condition::SomeCategory`] tries.
    Bound,
    /// This one.
    Named(String),
}

impl Scope {
    /// The category that it stands for where `bound` is tried; None for all.
    pub(crate) fn category<'a>(&'a self, bound: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::Bound => bound,
            Self::Named(name) => Some(name),
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Every part holds; an empty list holds.
    All(Vec<Condition>),
    /// Some part holds; an empty list does not.
    Any(Vec<Condition>),
    /// So many parts hold, of two at least. Pages get it taken apart ([`decided`](crate::decided::decided)).
    #[cfg(feature = "serde")]
    AtLeast(usize, Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// The part holds for some category that the visitor met, tried from the most recent.
    SomeCategory(Box<Condition>),
    /// A number compares so.
    Compare(Fact, Scope, Op, i64),
    /// The lifecycle stage is among these (bit = code).
    StageIn(u8),
    /// The page's path matches the pattern.
    Path(String),
    /// Something that only the edge knows. Pages get conditions in which it is decided
    /// ([`decided`](crate::decided::decided)).
    #[cfg(feature = "serde")]
    Edge(EdgeFact),
}

#[cfg(feature = "serde")]
impl Condition {
    /// What it joins; nothing for a leaf.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => parts,
            Self::Not(part) | Self::SomeCategory(part) => std::slice::from_ref(part),
            Self::Compare(..) | Self::StageIn(_) | Self::Path(_) | Self::Edge(_) => &[],
        }
    }

    /// Whether something is so of it, or of anything below it.
    #[must_use]
    pub fn some(&self, is_so: &dyn Fn(&Self) -> bool) -> bool {
        is_so(self) || self.parts().iter().any(|part| part.some(is_so))
    }
}

impl Condition {
    pub(crate) fn write(&self, out: &mut Writer) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                out.byte(if matches!(self, Self::All(_)) { 0 } else { 1 });
                out.list(parts.iter(), |out, part| part.write(out));
            }
            Self::Not(part) | Self::SomeCategory(part) => {
                out.byte(if matches!(self, Self::Not(_)) { 2 } else { 3 });
                part.write(out);
            }
            Self::Compare(fact, scope, op, value) => write_comparison(out, *fact, scope, *op, *value),
            Self::StageIn(bits) => {
                out.byte(5);
                out.byte(*bits);
            }
            Self::Path(pattern) => {
                out.byte(6);
                out.text(pattern);
            }
            // Nobody decided it, so it does not hold.
            #[cfg(feature = "serde")]
            Self::Edge(_) | Self::AtLeast(..) => Self::Any(Vec::new()).write(out),
        }
    }

    /// Reads a condition that may be nested `depth` levels deep; a `bound` one stands inside a [`Self::SomeCategory`],
    /// where no other may be: each would try every category for each of the outer ones.
    pub(crate) fn read(input: &mut Reader<'_>, depth: usize, bound: bool) -> Self {
        let Some(depth) = depth.checked_sub(1) else {
            input.fail();
            return Self::All(Vec::new());
        };
        let code = input.byte();
        if code < 4 && depth == 0 || code == 3 && bound {
            input.fail();
        }
        match code {
            0 => Self::All(input.list(|input| Self::read(input, depth, bound))),
            1 => Self::Any(input.list(|input| Self::read(input, depth, bound))),
            2 => Self::Not(Box::new(Self::read(input, depth, bound))),
            3 => Self::SomeCategory(Box::new(Self::read(input, depth, true))),
            4 => read_comparison(input),
            5 => Self::StageIn(input.byte()),
            6 => Self::Path(input.text()),
            _ => {
                input.fail();
                Self::All(Vec::new())
            }
        }
    }
}

fn write_comparison(out: &mut Writer, fact: Fact, scope: &Scope, op: Op, value: i64) {
    out.byte(4);
    out.byte(fact as u8);
    out.byte(op as u8);
    match scope {
        Scope::All => out.byte(0),
        Scope::Bound => out.byte(1),
        Scope::Named(category) => {
            out.byte(2);
            out.text(category);
        }
    }
    out.signed(value);
}

fn read_comparison(input: &mut Reader<'_>) -> Condition {
    let (fact, op) = (read_fact(input), read_op(input));
    let scope = read_scope(input);
    Condition::Compare(fact, scope, op, input.signed())
}

pub(crate) fn read_fact(input: &mut Reader<'_>) -> Fact {
    let code = usize::from(input.byte());
    Fact::ALL.get(code).copied().unwrap_or_else(|| or_fail(input, Fact::ProductsViewed))
}

pub(crate) fn read_op(input: &mut Reader<'_>) -> Op {
    let code = usize::from(input.byte());
    Op::ALL.get(code).copied().unwrap_or_else(|| or_fail(input, Op::Equal))
}

fn read_scope(input: &mut Reader<'_>) -> Scope {
    match input.byte() {
        0 => Scope::All,
        1 => Scope::Bound,
        2 => Scope::Named(input.text()),
        _ => or_fail(input, Scope::All),
    }
}

/// Reads a [`Scope`] as the category that it stands for where `bound` is tried; None for all.
pub(crate) fn read_category<'a>(input: &mut Reader<'a>, bound: Option<&'a str>) -> Option<&'a str> {
    match input.byte() {
        0 => None,
        1 => bound,
        2 => Some(input.str()),
        _ => or_fail(input, None),
    }
}

/// What stands for something that cannot be read.
fn or_fail<T>(input: &mut Reader<'_>, instead: T) -> T {
    input.fail();
    instead
}
