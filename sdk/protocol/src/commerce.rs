//! E-commerce events, by the names of Segment's E-commerce spec v2.
//!
//! Role in the flow of one event: right after the envelope is known, in the page and at the edge alike. What comes out
//! is typed and bounded; what cannot be understood is refused with the field's path.

use crate::error::FieldError;
use crate::limits::{LINES, QUANTITY};
use crate::money::{exponent, parse_currency, to_minor};
use crate::{CategoryId, Money, ProductId, Props};

/// One product of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which product.
    pub product: ProductId,
    /// Its category, where the shop names one.
    pub category: Option<CategoryId>,
    /// How many, at least 1.
    pub quantity: u32,
    /// Price of one, where given.
    pub price: Option<Money>,
}

/// A finished order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The shop's order number.
    #[cfg(feature = "serde")]
    pub order_id: String,
    /// What was bought.
    pub lines: Vec<Line>,
    /// What it brought: `revenue`, else `total`, else the sum of the lines.
    #[cfg(feature = "serde")]
    pub revenue: Option<Money>,
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

/// The currency of a shop whose events name none.
pub const DEFAULT_CURRENCY: [u8; 3] = *b"EUR";

/// Reads an event by name. `Ok(None)`: not an e-commerce event, or in the page, one that changes no behaviour.
///
/// # Errors
/// A required field is missing or out of range; the path is relative to the properties.
pub fn parse<P: Props>(name: &str, props: &P) -> Result<Option<Commerce>, FieldError> {
    Ok(Some(match name {
        #[cfg(feature = "serde")]
        "Products Searched" => Commerce::Searched(props.text("query").unwrap_or_default()),
        #[cfg(feature = "serde")]
        "Product List Viewed" => Commerce::ListViewed(category(props)?),
        #[cfg(feature = "serde")]
        "Product Clicked" => Commerce::Clicked(line(props, None)?),
        "Product Viewed" => Commerce::Viewed(line(props, None)?),
        "Product Added" => Commerce::Added(line(props, None)?),
        "Product Removed" => Commerce::Removed(line(props, None)?),
        "Cart Viewed" => Commerce::CartViewed(optional_lines(props)?),
        #[cfg(feature = "serde")]
        "Checkout Started" => Commerce::CheckoutStarted,
        "Order Completed" => Commerce::Ordered(order(props)?),
        _ => return Ok(None),
    }))
}

fn currency<P: Props>(props: &P) -> Result<Option<[u8; 3]>, FieldError> {
    let Some(text) = props.text("currency") else { return Ok(None) };
    let code = parse_currency(&text).ok_or_else(|| FieldError::new("currency", "must be an ISO 4217 code"))?;
    Ok(Some(code))
}

fn category<P: Props>(props: &P) -> Result<Option<CategoryId>, FieldError> {
    let text = props.text("category").or_else(|| props.text("list_id")).filter(|text| !text.is_empty());
    text.map(|text| CategoryId::parse(&text)).transpose()
}

fn money<P: Props>(props: &P, key: &'static str, code: [u8; 3]) -> Result<Option<Money>, FieldError> {
    let Some(major) = props.number(key) else { return Ok(None) };
    let minor = to_minor(major, code).filter(|minor| *minor >= 0);
    let minor = minor.ok_or_else(|| FieldError::new(key, "must be an amount of at least 0"))?;
    Ok(Some(Money { minor, currency: code }))
}

fn quantity<P: Props>(props: &P) -> Result<u32, FieldError> {
    let Some(number) = props.number("quantity") else { return Ok(1) };
    let whole = number as u32;
    let right = (1..=QUANTITY).contains(&whole) && f64::from(whole) == number;
    if right { Ok(whole) } else { Err(FieldError::new("quantity", "must be a whole number from 1 to 100000")) }
}

fn line<P: Props>(props: &P, order_currency: Option<[u8; 3]>) -> Result<Line, FieldError> {
    let id = props.text("product_id").or_else(|| props.text("sku"));
    let id = id.ok_or_else(|| FieldError::new("product_id", "is required"))?;
    let code = currency(props)?.or(order_currency).unwrap_or(DEFAULT_CURRENCY);
    Ok(Line {
        product: ProductId::parse(&id)?,
        category: category(props)?,
        quantity: quantity(props)?,
        price: money(props, "price", code)?,
    })
}

fn lines<P: Props>(props: &P) -> Result<Vec<Line>, FieldError> {
    let items = props.items("products", LINES + 1);
    if items.len() > LINES {
        return Err(FieldError::new("products", "must hold at most 100 products"));
    }
    let code = currency(props)?;
    let mut lines = Vec::new();
    for (i, item) in items.iter().enumerate() {
        lines.push(line(item, code).map_err(|e| under_product(e, i))?);
    }
    Ok(lines)
}

/// The error of the product at a place of the list.
#[cfg(feature = "serde")]
fn under_product(error: FieldError, at: usize) -> FieldError {
    error.under(&format!("products[{at}]"))
}

/// In the page errors have no place.
#[cfg(not(feature = "serde"))]
fn under_product(error: FieldError, _: usize) -> FieldError {
    error
}

fn optional_lines<P: Props>(props: &P) -> Result<Option<Vec<Line>>, FieldError> {
    let lines = lines(props)?;
    Ok((!lines.is_empty()).then_some(lines))
}

/// Whether a text can be an order's ID: 1 to 128 bytes.
#[must_use]
pub fn is_order_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128
}

fn order<P: Props>(props: &P) -> Result<Order, FieldError> {
    let order_id = props.text("order_id").filter(|id| is_order_id(id));
    let order_id = order_id.ok_or_else(|| FieldError::new("order_id", "is required, at most 128 bytes"))?;
    let lines = lines(props)?;
    let code = currency(props)?.unwrap_or(DEFAULT_CURRENCY);
    let given = match money(props, "revenue", code)? {
        Some(revenue) => Some(revenue),
        None => money(props, "total", code)?,
    };
    Ok(finish(order_id, lines, given))
}

/// The order with its number and revenue.
#[cfg(feature = "serde")]
fn finish(order_id: String, lines: Vec<Line>, given: Option<Money>) -> Order {
    let revenue = given.or_else(|| sum(&lines));
    Order { order_id, lines, revenue }
}

/// The page reads number and revenue like the edge, because a wrong one spoils the event, but keeps neither.
#[cfg(not(feature = "serde"))]
fn finish(_: String, lines: Vec<Line>, _: Option<Money>) -> Order {
    Order { lines }
}

/// The sum of lines of one currency; None when a price is missing or currencies differ.
#[cfg(feature = "serde")]
fn sum(lines: &[Line]) -> Option<Money> {
    let currency = lines.first()?.price.as_ref()?.currency;
    let mut minor = 0_i64;
    for line in lines {
        let price = line.price.as_ref().filter(|price| price.currency == currency)?;
        minor = minor.checked_add(price.minor.checked_mul(i64::from(line.quantity))?)?;
    }
    Some(Money { minor, currency })
}

/// The amount in major units for display, exact to the currency's places: `1999` EUR is `("19", "99")`.
#[must_use]
pub fn major_parts(money: &Money) -> (i64, i64) {
    let scale = 10_i64.pow(exponent(money.currency));
    (money.minor / scale, (money.minor % scale).abs())
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn reads_an_order_with_its_lines() {
        let props = json!({"order_id": 17, "revenue": "30.50", "currency": "usd",
            "products": [{"product_id": "p1", "category": "shoes", "price": 12.25, "quantity": 2}]});
        let Ok(Some(Commerce::Ordered(order))) = parse("Order Completed", &props) else { panic!("not an order") };
        assert_eq!(order.order_id, "17");
        assert_eq!(order.revenue, Some(Money { minor: 3050, currency: *b"USD" }));
        assert_eq!(order.lines[0].quantity, 2);
        assert_eq!(order.lines[0].price, Some(Money { minor: 1225, currency: *b"USD" }));
    }

    #[test]
    fn an_order_without_revenue_sums_its_lines() {
        let props = json!({"order_id": "o", "products": [{"product_id": "a", "price": 1.5, "quantity": 3}]});
        let Ok(Some(Commerce::Ordered(order))) = parse("Order Completed", &props) else { panic!("not an order") };
        assert_eq!(order.revenue.map(|r| r.minor), Some(450));
    }

    #[test]
    fn says_which_field_is_wrong() {
        let bad = |name, props| parse(name, &props).unwrap_err().to_string();
        assert_eq!(bad("Product Viewed", json!({})), "product_id: is required");
        assert!(bad("Product Added", json!({"product_id": "a", "quantity": -1})).starts_with("quantity:"));
        assert!(bad("Product Added", json!({"product_id": "a", "quantity": 1.5})).starts_with("quantity:"));
        assert!(bad("Product Added", json!({"product_id": "a", "price": -1})).starts_with("price:"));
        let props = json!({"order_id": "o", "products": [{"product_id": "a"}, {"price": 1}]});
        assert_eq!(bad("Order Completed", props), "products[1].product_id: is required");
    }

    #[test]
    fn other_names_are_no_commerce() {
        assert_eq!(parse("Newsletter Opened", &json!({})), Ok(None));
    }

    proptest! {
        #[test]
        fn quantities_and_prices_stay_in_range(quantity in any::<f64>(), price in any::<f64>()) {
            let props = json!({"product_id": "a", "quantity": quantity, "price": price});
            if let Ok(Some(Commerce::Added(line))) = parse("Product Added", &props) {
                prop_assert!((1..=QUANTITY).contains(&line.quantity));
                prop_assert!(line.price.is_none_or(|p| p.minor >= 0));
            }
        }
    }
}
