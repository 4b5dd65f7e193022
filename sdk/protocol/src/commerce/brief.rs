//! The part of an e-commerce event that changes a visitor's behaviour, as the page reads it: without a word on what is odd, and
//! with amounts that are plain numbers. The edge reads every event again; the next decision brings what it made of it.

use super::event::{Commerce, DEFAULT_CURRENCY, Line, Order};
use crate::limits::{LINES, QUANTITY};
use crate::money::{parse_currency, to_minor};
use crate::{CategoryId, Money, ProductId, Props};

/// Reads an event of the page by name. None for one that changes no behaviour.
pub fn parse_brief<P: Props>(name: &str, props: &P) -> Option<Commerce> {
    Some(match name {
        "Product Viewed" => Commerce::Viewed(single(props)?),
        "Product Added" => Commerce::Added(single(props)?),
        "Product Removed" => Commerce::Removed(single(props)?),
        "Cart Viewed" => Commerce::CartViewed(cart(props)),
        "Order Completed" => Commerce::Ordered(order(lines(props))),
        _ => return None,
    })
}

/// The order of these products; number and total are the edge's to read.
fn order(lines: Vec<Line>) -> Order {
    Order {
        lines,
        #[cfg(feature = "serde")]
        order_id: String::new(),
        #[cfg(feature = "serde")]
        revenue: None,
        #[cfg(feature = "serde")]
        currency: DEFAULT_CURRENCY,
    }
}

/// The product of an event about one.
pub(super) fn single<P: Props>(props: &P) -> Option<Line> {
    let line = line(props, DEFAULT_CURRENCY)?;
    Some(Line { quantity: line.quantity.max(1), ..line })
}

/// The cart, where the event lists one.
pub(super) fn cart<P: Props>(props: &P) -> Option<Vec<Line>> {
    (!props.items("products").is_empty()).then(|| lines(props))
}

/// The products of a list of which there is at least a part.
pub(super) fn lines<P: Props>(props: &P) -> Vec<Line> {
    let currency = currency(props, DEFAULT_CURRENCY);
    let mut lines = Vec::new();
    for item in &props.items("products") {
        lines.extend(line(item, currency).filter(|line| line.quantity > 0));
    }
    lines.truncate(LINES);
    lines
}

fn currency<P: Props>(props: &P, otherwise: [u8; 3]) -> [u8; 3] {
    props.text("currency").and_then(|text| parse_currency(&text)).unwrap_or(otherwise)
}

fn line<P: Props>(props: &P, otherwise: [u8; 3]) -> Option<Line> {
    let currency = currency(props, otherwise);
    Some(Line {
        product: ProductId::parse(&props.text("product_id")?).ok()?,
        category: props.text("category").and_then(|text| CategoryId::parse(&text).ok()),
        quantity: props.number("quantity").map_or(1, |number| (number as u32).min(QUANTITY)),
        price: props.number("price").and_then(|major| to_minor(major, currency)).map(|minor| Money { minor, currency }),
    })
}
