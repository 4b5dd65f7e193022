//! What e-commerce events say.

use crate::money::exponent;
use crate::{CategoryId, Money, ProductId};

/// One product of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which product.
    pub product: ProductId,
    /// Its category, where the shop names one.
    pub category: Option<CategoryId>,
    /// How many, at least 1; a part of a unit counts as one.
    pub quantity: u32,
    /// Price of one, where given. A discount may have a negative one.
    pub price: Option<Money>,
}

/// A finished order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The shop's order number; empty where it gave none.
    #[cfg(feature = "serde")]
    pub order_id: String,
    /// The products that were bought, at most [`LINES`](crate::limits::LINES).
    pub lines: Vec<Line>,
    /// What it brought: `revenue`, else `total`, else `value`, else the sum of the lines.
    #[cfg(feature = "serde")]
    pub revenue: Option<Money>,
    /// Its currency: its own, else that of its products, else the shop's.
    #[cfg(feature = "serde")]
    pub currency: [u8; 3],
}

/// What a visitor did in the shop's terms. The page knows only what changes a visitor's behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commerce {
    /// `Products Searched`: the query.
    #[cfg(feature = "serde")]
    Searched(String),
    /// `Product List Viewed`: the category.
    #[cfg(feature = "serde")]
    ListViewed(Option<CategoryId>),
    /// `Product Clicked`.
    #[cfg(feature = "serde")]
    Clicked(Line),
    /// `Product Viewed`.
    Viewed(Line),
    /// `Product Added`.
    Added(Line),
    /// `Product Removed`.
    Removed(Line),
    /// `Cart Viewed`: the whole cart; absent where the shop sends no `products`.
    CartViewed(Option<Vec<Line>>),
    /// `Checkout Started`.
    #[cfg(feature = "serde")]
    CheckoutStarted,
    /// `Order Completed`.
    Ordered(Order),
}

/// The currency of a shop that set none.
pub const DEFAULT_CURRENCY: [u8; 3] = *b"EUR";

/// Whether a text can be an order's ID: 1 to 128 bytes.
#[must_use]
pub fn is_order_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128
}

/// The amount in major units for display, exact to the currency's places: `1999` EUR is `("19", "99")`.
#[must_use]
pub fn major_parts(money: &Money) -> (i64, i64) {
    let scale = 10_i64.pow(exponent(money.currency));
    (money.minor / scale, (money.minor % scale).abs())
}
