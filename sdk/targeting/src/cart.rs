//! The visitor's cart, as the events tell it.

use endcap_protocol::UnixMillis;
use endcap_protocol::commerce::Line;
use endcap_protocol::limits::{LINES, QUANTITY};

use crate::act::category_of;
use crate::codec::{Reader, Writer};

/// One product in the cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    /// Product ID.
    pub product: String,
    /// Category ID, empty where the shop names none.
    pub category: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// Price of one in minor units; 0 when unknown.
    pub price: i64,
}

/// What lies in the cart. At most [`LINES`] lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cart {
    /// When it last changed; 0 when it never did.
    pub changed_at: UnixMillis,
    /// Its lines, in the order they came in.
    pub lines: Vec<CartLine>,
}

impl Cart {
    /// Number of units in the cart.
    #[must_use]
    pub fn units(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.quantity)).sum()
    }

    /// Value of the cart in minor units.
    #[must_use]
    pub fn value(&self) -> i64 {
        // One line never overflows: the door lets 10^12 minor units and 10^5 pieces in.
        let values = self.lines.iter().map(|line| line.price.wrapping_mul(line.quantity.into()));
        values.fold(0, i64::saturating_add)
    }

    pub(crate) fn add(&mut self, line: &Line, at: UnixMillis) {
        self.changed_at = at;
        if let Some(held) = self.lines.iter_mut().find(|held| held.product == line.product.as_str()) {
            held.quantity = held.quantity.saturating_add(line.quantity).min(QUANTITY);
        } else if self.lines.len() < LINES {
            self.lines.push(held(line));
        }
    }

    pub(crate) fn remove(&mut self, line: &Line, at: UnixMillis) {
        self.changed_at = at;
        self.lines.retain_mut(|held| {
            if held.product == line.product.as_str() {
                held.quantity = held.quantity.saturating_sub(line.quantity);
            }
            held.quantity > 0
        });
    }

    pub(crate) fn replace(&mut self, lines: &[Line], at: UnixMillis) {
        let fresh: Vec<_> = lines.iter().take(LINES).map(held).collect();
        // Looking at an unchanged cart is no change: the cart-left clock goes on from the last real one.
        if fresh != self.lines {
            *self = Self { changed_at: at, lines: fresh };
        }
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.signed(self.changed_at);
        out.list(self.lines.iter(), |out, line| {
            out.text(&line.product);
            out.text(&line.category);
            out.unsigned(line.quantity.into());
            out.signed(line.price);
        });
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Self {
        let changed_at = input.signed();
        let lines = input.list(|input| CartLine {
            product: input.text(),
            category: input.text(),
            quantity: input.small(),
            price: input.signed(),
        });
        Self { changed_at, lines }
    }
}

fn held(line: &Line) -> CartLine {
    CartLine {
        product: line.product.as_str().to_owned(),
        category: category_of(line).to_owned(),
        quantity: line.quantity,
        price: line.price.as_ref().map_or(0, |price| price.minor),
    }
}
