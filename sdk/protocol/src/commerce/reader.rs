//! Reads the properties of an e-commerce event at the edge, and notes what it repairs.

use super::event::{Commerce, Line, Order};
use crate::amount;
use crate::amount::Reading;
use crate::error::FieldError;
use crate::limits::{LINES, QUANTITY};
use crate::money::{MAX_MINOR, exponent, round, to_minor};
use crate::repair::{RepairCode, Repairs};
use crate::touch::cut;
use crate::{CategoryId, Money, ProductId, Props};

/// By which names an order's number goes.
const ORDER_IDS: [&str; 5] = ["order_id", "orderId", "transaction_id", "order_number", "id"];
/// By which names a product's ID goes; the first that can be one counts.
const PRODUCT_IDS: [&str; 5] = ["product_id", "sku", "productId", "item_id", "id"];

/// By which names an order's total goes; the first that is an amount counts.
const TOTALS: [&str; 3] = ["revenue", "total", "value"];

/// Reads an event by name. `shop` is the currency of events that name none. `Ok(None)`: not an e-commerce event, or one that
/// says nothing about a product.
///
/// # Errors
/// An order that names neither a number nor a product nor a total; the path is relative to the properties.
pub fn parse<P: Props>(
    name: &str,
    props: &P,
    shop: [u8; 3],
    repairs: &mut Repairs,
) -> Result<Option<Commerce>, FieldError> {
    let mut reader = Reader { shop, repairs };
    Ok(match name {
        "Products Searched" => Some(Commerce::Searched(props.text("query").unwrap_or_default())),
        "Product List Viewed" => Some(Commerce::ListViewed(reader.category(props, Place::Whole))),
        "Product Clicked" => reader.single(props).map(Commerce::Clicked),
        "Product Viewed" => reader.single(props).map(Commerce::Viewed),
        "Product Added" => reader.single(props).map(Commerce::Added),
        "Product Removed" => reader.single(props).map(Commerce::Removed),
        "Cart Viewed" => Some(Commerce::CartViewed(reader.cart(props))),
        "Checkout Started" => Some(Commerce::CheckoutStarted),
        "Order Completed" => Some(Commerce::Ordered(reader.order(props)?)),
        _ => None,
    })
}

/// The order number that properties name; none where there is none.
#[must_use]
pub fn order_number<P: Props>(props: &P) -> Option<String> {
    let filled = |key: &&str| props.text(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    ORDER_IDS.iter().find_map(filled)
}

/// Bytes of an amount's text that are read.
const AMOUNT_BYTES: usize = 100;
/// Longest text that a message repeats, in bytes.
const QUOTED_BYTES: usize = 40;

/// Where a member stands.
#[derive(Clone, Copy)]
enum Place {
    /// Beside the event's own.
    Whole,
    /// In the product at this place of the list.
    Product(usize),
}

impl Place {
    fn path(self, key: &str) -> String {
        match self {
            Self::Whole => key.to_owned(),
            Self::Product(at) => format!("products[{at}].{key}"),
        }
    }
}

/// A quantity.
struct Quantity {
    /// In thousandths, as it was given.
    thousandths: i64,
    /// Whole units, a part counting as one; 0 for nothing and for less.
    units: u32,
}

impl Quantity {
    /// What no quantity means.
    const ONE: Self = Self { thousandths: 1000, units: 1 };
}

/// A product of a list.
struct Item {
    product: Option<ProductId>,
    category: Option<CategoryId>,
    quantity: Quantity,
    price: Option<Money>,
}

impl Item {
    /// The line that it makes: none without a product, or where nothing of it is meant.
    fn line(self) -> Option<Line> {
        let quantity = Some(self.quantity.units).filter(|units| *units > 0)?;
        Some(Line { product: self.product?, category: self.category, quantity, price: self.price })
    }

    /// What it comes to, rounded half away from zero.
    fn subtotal(&self) -> Option<Money> {
        let price = self.price.as_ref()?;
        let exact = i128::from(price.minor) * i128::from(self.quantity.thousandths);
        let half = if exact < 0 { -500 } else { 500 };
        let minor = i64::try_from((exact + half) / 1000).ok()?;
        Some(Money { minor, currency: price.currency })
    }
}

/// Reads properties and notes what it repairs.
struct Reader<'a> {
    /// The currency of events that name none.
    shop: [u8; 3],
    /// What was repaired so far.
    repairs: &'a mut Repairs,
}

impl Reader<'_> {
    /// Notes a repair of the member at a place.
    fn note(&mut self, code: RepairCode, place: Place, key: &str, message: impl FnOnce() -> String) {
        self.repairs.note(code, || (place.path(key), message()));
    }

    /// The product of an event about one.
    fn single<P: Props>(&mut self, props: &P) -> Option<Line> {
        let currency = self
            .currency(props, Place::Whole)
            .or_else(|| self.beside(props, Place::Whole, &["price"]))
            .unwrap_or(self.shop);
        let item = self.item(props, Place::Whole, currency);
        // One was meant, whatever the number says.
        let quantity = Quantity { units: item.quantity.units.max(1), ..item.quantity };
        Item { quantity, ..item }.line()
    }

    fn cart<P: Props>(&mut self, props: &P) -> Option<Vec<Line>> {
        let list = self.list(props);
        let (items, _) = self.items(props, &list);
        let named = items.len();
        let mut lines: Vec<Line> = items.into_iter().filter_map(Item::line).collect();
        self.cut(&mut lines);
        // A list of nothing that can be read is no empty cart.
        (named > 0).then_some(lines)
    }

    fn order<P: Props>(&mut self, props: &P) -> Result<Order, FieldError> {
        let list = self.list(props);
        let (items, currency) = self.items(props, &list);
        let total = TOTALS.iter().find_map(|key| self.amount(props, Place::Whole, key, currency));
        let order_id = order_number(props).unwrap_or_default();
        if order_id.is_empty() && items.is_empty() && total.is_none() {
            return Err(FieldError::new("order_id", "an order needs a number, a product or a total"));
        }
        let revenue = total.or_else(|| self.sum(&items, currency));
        let mut lines: Vec<Line> = items.into_iter().filter_map(Item::line).collect();
        self.cut(&mut lines);
        Ok(Order { lines, order_id, revenue, currency })
    }

    fn list<P: Props>(&mut self, props: &P) -> Vec<P> {
        let list = props.items("products");
        if list.is_empty() && (props.is_other("products") || props.text("products").is_some()) {
            self.note(RepairCode::FieldDropped, Place::Whole, "products", || "holds no products".to_owned());
        }
        list
    }

    /// The products of a list, and the currency of what names none: the event's own, that of the first product which has one, the
    /// one beside a total, the one beside a price, the shop's.
    fn items<P: Props>(&mut self, props: &P, list: &[P]) -> (Vec<Item>, [u8; 3]) {
        let whole = self.currency(props, Place::Whole);
        let placed = || list.iter().enumerate().map(|(at, item)| (item, Place::Product(at)));
        let named: Vec<_> = placed().map(|(item, place)| self.currency(item, place)).collect();
        let whole = whole.or_else(|| named.iter().copied().flatten().next());
        let whole = whole.or_else(|| self.beside(props, Place::Whole, &TOTALS));
        let mut own = Vec::with_capacity(list.len());
        for ((item, place), named) in placed().zip(named) {
            own.push(named.or_else(|| self.beside(item, place, &["price"])));
        }
        let currency = whole.or_else(|| own.iter().copied().flatten().next()).unwrap_or(self.shop);
        let items = placed().zip(own).map(|((item, place), own)| self.item(item, place, own.unwrap_or(currency)));
        (items.collect(), currency)
    }

    fn item<P: Props>(&mut self, props: &P, place: Place, currency: [u8; 3]) -> Item {
        Item {
            product: self.product(props, place),
            category: self.category(props, place),
            quantity: self.quantity(props, place),
            price: self.amount(props, place, "price", currency),
        }
    }

    /// Keeps as many lines as a profile takes.
    fn cut(&mut self, lines: &mut Vec<Line>) {
        if lines.len() > LINES {
            let count = lines.len();
            self.note(RepairCode::FieldCut, Place::Whole, "products", || {
                format!("holds {count} products: the first {LINES} are kept, and all count in the total")
            });
            lines.truncate(LINES);
        }
    }

    fn product<P: Props>(&mut self, props: &P, place: Place) -> Option<ProductId> {
        let found = PRODUCT_IDS.iter().find_map(|key| ProductId::parse(props.text(key)?.trim()).ok());
        if found.is_none() {
            self.note(RepairCode::ProductUnnamed, place, "product_id", || {
                "is missing or no product ID: the price counts, and nothing is learned about a product".to_owned()
            });
        }
        found
    }

    fn category<P: Props>(&mut self, props: &P, place: Place) -> Option<CategoryId> {
        let given = ["category", "list_id"].iter().find_map(|key| {
            let text = props.text(key)?;
            (!text.trim().is_empty()).then_some((*key, text))
        });
        if given.is_none() && props.is_other("category") {
            self.note(RepairCode::FieldDropped, place, "category", || "is no text: it is left out".to_owned());
        }
        let (key, text) = given?;
        let found = CategoryId::parse(text.trim()).ok();
        if found.is_none() {
            self.note(RepairCode::FieldDropped, place, key, || {
                "is no category: it must have at most 128 bytes and no control characters".to_owned()
            });
        }
        found
    }

    fn quantity<P: Props>(&mut self, props: &P, place: Place) -> Quantity {
        const MOST: f64 = QUANTITY as f64 * 1000.0;
        let given = match props.number("quantity") {
            Some(number) => Some(round((number * 1000.0).clamp(-MOST, MOST))),
            None => match props.text("quantity").filter(|text| !text.trim().is_empty()) {
                None if props.is_other("quantity") => None,
                None => return Quantity::ONE,
                // Three decimals are usual for quantities, and thousands of a thing are not.
                Some(text) => {
                    amount::read(cut(&text, AMOUNT_BYTES), 3).map(|read| read.scaled.clamp(-(MOST as i64), MOST as i64))
                }
            },
        };
        let Some(thousandths) = given else {
            self.note(RepairCode::QuantityRepaired, place, "quantity", || "is no number: it counts as 1".to_owned());
            return Quantity::ONE;
        };
        let units = (thousandths.max(0) + 999) / 1000;
        if thousandths < 1 || thousandths % 1000 != 0 {
            self.note(RepairCode::QuantityRepaired, place, "quantity", || {
                format!("is no whole number of at least 1: it counts as it is in a total, and as {units} in units")
            });
        }
        Quantity { thousandths, units: units as u32 }
    }

    /// An amount; none where there is none, or it cannot be read.
    fn amount<P: Props>(&mut self, props: &P, place: Place, key: &str, currency: [u8; 3]) -> Option<Money> {
        let text = props.text(key).filter(|text| !text.trim().is_empty());
        let minor = match (props.number(key).or_else(|| scientific(text.as_deref())), text) {
            (Some(major), _) => to_minor(major, currency),
            (None, None) if props.is_other(key) => None,
            (None, text) => {
                let text = text?;
                let read = amount::read(cut(&text, AMOUNT_BYTES), exponent(currency))
                    .filter(|read| read.scaled.abs() <= MAX_MINOR);
                self.note_reading(place, key, &text, read.map(|read| read.reading));
                read.map(|read| read.scaled)
            }
        };
        if minor.is_none() {
            self.note(RepairCode::AmountDropped, place, key, || "is no amount of money: it is left out".to_owned());
        }
        if minor.is_some_and(|minor| minor < 0) {
            self.note(RepairCode::AmountNegative, place, key, || "is negative, and counts as it is".to_owned());
        }
        Some(Money { minor: minor?, currency })
    }

    fn note_reading(&mut self, place: Place, key: &str, text: &str, reading: Option<Reading>) {
        match reading {
            Some(Reading::Ambiguous) => self.note(RepairCode::AmountAmbiguous, place, key, || {
                format!(
                    "{} can be read in two ways: its last digits and the decimals of its currency decide",
                    quoted(text)
                )
            }),
            Some(Reading::Loose) => self.note(RepairCode::AmountLoose, place, key, || {
                format!("{} holds more than one number: the first counts", quoted(text))
            }),
            Some(Reading::Plain) | None => {}
        }
    }

    /// The currency that properties name.
    fn currency<P: Props>(&mut self, props: &P, place: Place) -> Option<[u8; 3]> {
        use crate::currency::{Written, read};
        if props.is_other("currency") {
            self.note(RepairCode::CurrencyAssumed, place, "currency", || {
                "is no text: that of the products, else the shop's own counts".to_owned()
            });
        }
        let text = props.text("currency")?;
        let found = read(&text, self.shop);
        match found {
            Some(Written::Code(code)) => return Some(code),
            Some(Written::Sign(code)) => {
                self.note(RepairCode::CurrencyRead, place, "currency", || {
                    format!("{} is read as {}", quoted(&text), String::from_utf8_lossy(&code))
                });
                return Some(code);
            }
            None => {}
        }
        self.note(RepairCode::CurrencyAssumed, place, "currency", || {
            format!("{} is no currency: that of the products, else the shop's own counts", quoted(&text))
        });
        None
    }

    /// The currency that stands beside one of these amounts.
    fn beside<P: Props>(&mut self, props: &P, place: Place, keys: &[&str]) -> Option<[u8; 3]> {
        let (key, code) = keys
            .iter()
            .find_map(|key| Some((*key, crate::currency::beside(cut(&props.text(key)?, AMOUNT_BYTES), self.shop)?)))?;
        if code != self.shop {
            self.note(RepairCode::CurrencyRead, place, key, || {
                format!("names the currency {}, and nothing else does", String::from_utf8_lossy(&code))
            });
        }
        Some(code)
    }

    /// What lines of one currency come to.
    fn sum(&mut self, items: &[Item], currency: [u8; 3]) -> Option<Money> {
        let (mut minor, mut added) = (0_i64, 0_usize);
        for subtotal in items.iter().filter_map(Item::subtotal).filter(|subtotal| subtotal.currency == currency) {
            minor = minor.saturating_add(subtotal.minor).clamp(-MAX_MINOR, MAX_MINOR);
            added += 1;
        }
        if added < items.len() {
            let left = items.len() - added;
            self.note(RepairCode::TotalIncomplete, Place::Whole, "revenue", || {
                format!("is missing, and {left} of the products have no price in the order's currency: the others are added up")
            });
        }
        (added > 0).then_some(Money { minor, currency })
    }
}

/// A number in a form that only programs write, such as `1e-7`.
fn scientific(text: Option<&str>) -> Option<f64> {
    let text = text?.trim();
    let written = text.contains(['e', 'E']) && text.starts_with(|mark: char| mark == '-' || mark.is_ascii_digit());
    text.parse().ok().filter(|_| written)
}

/// A text for a message. One that does not fit is not told: a part of it could still name somebody.
fn quoted(text: &str) -> String {
    if text.len() <= QUOTED_BYTES { format!("{text:?}") } else { "a long text".to_owned() }
}
