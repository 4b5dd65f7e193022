//! Which questions of conditions an event answers, and with what.
//!
//! The names of properties are those of the event as it was sent, and of its products. A few are read as the shop means them,
//! whatever a client calls them: `product`, `category`, `price` (minor units) and `quantity` of a product; `value` (minor units) and
//! `order_id` of an order; `query` of a search; `category` of a list; `campaign`; `slot`; `path` and `name` of a page. Of each event
//! `event_date`, `event_hour` and `event_weekday` say when it happened in the shop's time zone.

use std::borrow::Cow;
use std::cell::OnceCell;

use endcap_events::ingest::event::{Event, Impression, Kind, Reaction};
use endcap_profile::fragment::path;
use endcap_profile::occurrences::{Counts, Keep, Occurrence};
use endcap_protocol::Date;
use endcap_protocol::commerce::{Commerce, Line};
use endcap_protocol::money::Money;
use endcap_targeting::event_query::{
    EventName, EventQuery, EventTime, KnownEvent, Measure, PropertyFilter, PropertyTest, WEEKDAYS,
};
use serde_json::Value;

use crate::shop::locale::ShopLocale;

/// Greatest number that a property counts as, in whole units: a sum of the most that are kept fits.
const MAX_NUMBER: f64 = 1e12;

/// What an accumulator keeps for a question.
#[must_use]
pub fn keep(query: &EventQuery) -> Keep {
    let counts = if matches!(query.measure(), Measure::Distinct(_)) { Counts::Last } else { Counts::First };
    Keep { most: query.keep(), counts }
}

/// Bytes of a property's text that are looked at: nobody asks for longer ones.
const MAX_TEXT: usize = 1_024;

/// An event that is held against questions. Its text is read once, if one of them asks for it.
pub struct MatchedEvent<'a> {
    event: &'a Event,
    known: Option<KnownEvent>,
    properties: OnceCell<Value>,
    date: OnceCell<String>,
    locale: &'a ShopLocale,
}

/// One product of an event; of an event without, the event alone.
#[derive(Clone, Copy)]
struct Item<'a> {
    line: Option<&'a Line>,
    product: Option<&'a Value>,
}

/// What a property is, borrowed: lists and objects are nothing that can be compared.
#[derive(Clone, Copy)]
enum Property<'a> {
    Text(&'a str),
    Number(&'a serde_json::Number),
    Whole(i64),
    Flag(bool),
}

impl<'a> Property<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(start_of(text))),
            Value::Number(number) => Some(Self::Number(number)),
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.to_string().into(),
            Self::Whole(number) => number.to_string().into(),
            Self::Flag(true) => "true".into(),
            Self::Flag(false) => "false".into(),
        }
    }

    /// The number that it is, in thousandths, so that halves compare too.
    fn thousandths(self) -> Option<i64> {
        let number = match self {
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Number(number) => number.as_f64()?,
            Self::Whole(number) => number as f64,
            Self::Flag(_) => return None,
        };
        number.is_finite().then(|| (number.clamp(-MAX_NUMBER, MAX_NUMBER) * 1_000.0).round() as i64)
    }
}

/// The first bytes of a text, whole characters.
fn start_of(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

impl<'a> MatchedEvent<'a> {
    /// An event of a shop: amounts in other currencies than its own are no numbers that can be compared.
    #[must_use]
    pub fn new(event: &'a Event, locale: &'a ShopLocale) -> Self {
        Self { event, known: known(&event.kind), properties: OnceCell::new(), date: OnceCell::new(), locale }
    }

    /// The day on which it happened.
    fn day(&self) -> i64 {
        self.locale.calendar.day(self.event.at)
    }

    /// The same as a date.
    fn date(&self) -> &str {
        self.date.get_or_init(|| Date::from_day(self.day()).to_string())
    }

    /// What it adds to the accumulator of a question.
    #[must_use]
    pub fn answers(&self, query: &EventQuery) -> Vec<Occurrence> {
        let selector = query.selector();
        let is_named = match &selector.name {
            EventName::Known(known) => self.known == Some(*known),
            EventName::Named(name) => self.event.kind.label() == name,
        };
        if !is_named {
            return Vec::new();
        }
        let items = self.items();
        let matching = items.into_iter().filter(|item| selector.filters.iter().all(|filter| self.holds(filter, *item)));
        let matching: Vec<Item<'_>> = matching.collect();
        if matching.is_empty() {
            return Vec::new();
        }
        let one = |thousandths, same| Occurrence { at: self.event.at, thousandths, same };
        match query.measure() {
            Measure::Count => vec![one(0, self.order())],
            Measure::Sum(property) | Measure::Average(property) => {
                let sum = self.sum(property, &matching);
                sum.map(|sum| one(sum, self.order())).into_iter().collect()
            }
            Measure::Distinct(property) => {
                let values = matching.iter().filter_map(|item| self.value(property, *item));
                let mut same: Vec<u64> = values.map(|value| hash(&value.text())).collect();
                same.sort_unstable();
                same.dedup();
                same.into_iter().map(|same| one(0, same)).collect()
            }
        }
    }

    /// The sum of a property over products, or the event's own, in thousandths.
    fn sum(&self, property: &str, items: &[Item<'_>]) -> Option<i64> {
        let of_products = || items.iter().filter_map(|item| self.of_product(property, *item)).collect::<Vec<_>>();
        let values = match self.understood(property) {
            Some(own) => vec![own],
            None => Some(of_products()).filter(|all| !all.is_empty()).unwrap_or_else(|| vec![self.of_event(property)]),
        };
        let numbers: Vec<i64> = values.into_iter().flatten().filter_map(Property::thousandths).collect();
        (!numbers.is_empty()).then(|| numbers.into_iter().fold(0, i64::saturating_add))
    }

    /// What tells an order from others; 0 for other events.
    fn order(&self) -> u64 {
        match &self.event.kind {
            Kind::Track { commerce: Some(Commerce::Ordered(order)), .. } => hash(&order.order_id),
            _ => 0,
        }
    }

    fn items(&self) -> Vec<Item<'_>> {
        let lines: &[Line] = match &self.event.kind {
            Kind::Track { commerce: Some(commerce), .. } => match commerce {
                Commerce::Clicked(line) | Commerce::Viewed(line) | Commerce::Added(line) | Commerce::Removed(line) => {
                    return vec![Item { line: Some(line), product: None }];
                }
                Commerce::CartViewed(Some(lines)) => lines,
                Commerce::Ordered(order) => &order.lines,
                _ => &[],
            },
            _ => &[],
        };
        if lines.is_empty() {
            return vec![Item { line: None, product: None }];
        }
        let sent = ["products", "items"].into_iter().find_map(|name| self.properties().get(name)?.as_array());
        // Of lines that are not as many as were sent, nobody knows which is which.
        let sent = sent.filter(|sent| sent.len() == lines.len());
        let product = |at| sent.and_then(|sent| sent.get(at));
        lines.iter().enumerate().map(|(at, line)| Item { line: Some(line), product: product(at) }).collect()
    }

    fn holds(&self, filter: &PropertyFilter, item: Item<'_>) -> bool {
        let value = self.value(&filter.property, item);
        match &filter.test {
            PropertyTest::Text(test) => test.holds(value.map(Property::text).as_deref()),
            PropertyTest::Number(op, wanted) => {
                value.and_then(Property::thousandths).is_some_and(|found| op.holds(found, wanted.saturating_mul(1_000)))
            }
            PropertyTest::Date(op, wanted) => op.holds(self.day(), wanted.day()),
        }
    }

    fn value<'b>(&'b self, property: &str, item: Item<'b>) -> Option<Property<'b>> {
        match self.understood(property) {
            Some(own) => own,
            None => self.of_product(property, item).unwrap_or_else(|| self.of_event(property)),
        }
    }

    /// What a product says; None where its event may say it. A price in another currency is nothing, whatever number was sent.
    fn of_product<'b>(&self, property: &str, item: Item<'b>) -> Option<Option<Property<'b>>> {
        if let Some(line) = item.line {
            match property {
                "product" => return Some(Some(Property::Text(line.product.as_str()))),
                "price" => return Some(line.price.as_ref().and_then(|price| self.amount(price))),
                "quantity" => return Some(Some(Property::Whole(line.quantity.into()))),
                "category" if line.category.is_some() => {
                    return Some(line.category.as_ref().map(|category| Property::Text(category.as_str())));
                }
                _ => {}
            }
        }
        Property::of(item.product?.get(property)?).map(Some)
    }

    /// An amount in the shop's currency.
    fn amount<'b>(&self, money: &Money) -> Option<Property<'b>> {
        (money.currency == self.locale.currency).then_some(Property::Whole(money.minor))
    }

    /// What an event was understood to say; None where it is to be read from what was sent.
    fn understood(&self, property: &str) -> Option<Option<Property<'_>>> {
        if let Some(time) = EventTime::parse(property) {
            return Some(Some(match time {
                EventTime::Date => Property::Text(self.date()),
                EventTime::Hour => Property::Whole(self.locale.calendar.hour(self.event.at).into()),
                EventTime::Weekday => Property::Text(weekday(self.day())),
            }));
        }
        Some(match (&self.event.kind, property) {
            (Kind::Track { commerce: Some(Commerce::Ordered(order)), .. }, "order_id") => {
                Some(Property::Text(&order.order_id))
            }
            (Kind::Track { commerce: Some(Commerce::Ordered(order)), .. }, "value") => {
                order.revenue.as_ref().and_then(|revenue| self.amount(revenue))
            }
            (Kind::Track { commerce: Some(Commerce::Searched(query)), .. }, "query") => Some(Property::Text(query)),
            (Kind::Track { commerce: Some(Commerce::ListViewed(Some(category))), .. }, "category") => {
                Some(Property::Text(category.as_str()))
            }
            (Kind::Impression(Impression::Campaign(id, _)), "campaign") => Some(Property::Text(id.as_str())),
            (Kind::Impression(Impression::Slot(slot, ..)), "slot") => Some(Property::Text(slot.as_str())),
            (Kind::Impression(Impression::Slot(_, Some(product), _)), "product") => {
                Some(Property::Text(product.as_str()))
            }
            (Kind::Page { name }, "name") => Some(Property::Text(name)),
            (_, "path") => {
                let path = path(&self.event.context.url);
                return (!path.is_empty()).then_some(Some(Property::Text(start_of(path))));
            }
            _ => return None,
        })
    }

    fn of_event(&self, property: &str) -> Option<Property<'_>> {
        Property::of(self.properties().get(property)?)
    }

    /// The properties as they were sent; of a call that the page held, its last object.
    fn properties(&self) -> &Value {
        self.properties.get_or_init(|| {
            let mut sent: Value = serde_json::from_str(&self.event.raw).unwrap_or_default();
            if let Some(properties) = sent.get_mut("properties") {
                return properties.take();
            }
            let call = sent.get_mut("call").and_then(Value::as_array_mut);
            call.and_then(|call| call.pop()).filter(Value::is_object).unwrap_or_default()
        })
    }
}

fn known(kind: &Kind) -> Option<KnownEvent> {
    Some(match kind {
        Kind::Track { commerce, .. } => match commerce.as_ref()? {
            Commerce::Searched(_) => KnownEvent::Searched,
            Commerce::ListViewed(_) => KnownEvent::ListViewed,
            Commerce::Clicked(_) => KnownEvent::Clicked,
            Commerce::Viewed(_) => KnownEvent::Viewed,
            Commerce::Added(_) => KnownEvent::Added,
            Commerce::Removed(_) => KnownEvent::Removed,
            Commerce::CartViewed(_) => KnownEvent::CartViewed,
            Commerce::CheckoutStarted => KnownEvent::CheckoutStarted,
            Commerce::Ordered(_) => KnownEvent::Ordered,
        },
        Kind::Page { .. } => KnownEvent::PageViewed,
        Kind::Impression(Impression::Campaign(_, reaction)) => match reaction {
            Reaction::Shown => KnownEvent::CampaignShown,
            Reaction::Clicked => KnownEvent::CampaignClicked,
            Reaction::Dismissed => KnownEvent::CampaignDismissed,
        },
        Kind::Impression(Impression::Slot(_, _, Reaction::Clicked)) => KnownEvent::SlotClicked,
        Kind::Impression(Impression::Slot(..)) => KnownEvent::SlotShown,
        Kind::Identify { .. } | Kind::Reset => return None,
    })
}

/// The day of the week of a day since 1970-01-01, which was a Thursday.
fn weekday(day: i64) -> &'static str {
    let place = usize::try_from(day.rem_euclid(7)).unwrap_or_default();
    WEEKDAYS.get(place).copied().unwrap_or_default()
}

/// Tells a text from others; never 0.
fn hash(text: &str) -> u64 {
    endcap_targeting::event_query::fnv_1a(text.as_bytes()).max(1)
}

#[cfg(test)]
mod tests {
    use endcap_events::ingest::ingest;
    use endcap_targeting::condition::Condition;
    use endcap_targeting::edge_fact::EdgeFact;
    use endcap_targeting::event_query::EventFact;
    use endcap_targeting::text::parse;
    use serde_json::json;

    use super::*;

    fn event(name: &str, properties: &Value) -> Event {
        let body = json!({"source": "shop", "anonymous_id": "a-1", "currency": "EUR",
            "events": [{"message_id": "m-1", "type": "track", "name": name, "timestamp": 0, "properties": properties}]});
        ingest(body.to_string().as_bytes(), 1_000).unwrap().events.remove(0)
    }

    fn query(text: &str) -> EventQuery {
        let Condition::Edge(EdgeFact::Event(fact)) = parse(text).unwrap() else { panic!("{text}") };
        match *fact {
            EventFact::Compared { query, .. } => query,
            other => panic!("{other:?}"),
        }
    }

    fn euro() -> ShopLocale {
        ShopLocale::default()
    }

    fn matches(event: &Event, text: &str) -> bool {
        !MatchedEvent::new(event, &euro()).answers(&query(text)).is_empty()
    }

    #[test]
    fn an_event_is_matched_by_name_and_by_what_it_says() {
        let seen = event(
            "Product Viewed",
            &json!({"product_id": "p-1", "category": "jackets", "price": 89.5, "brand": "Scree", "is_new": true, "stock": "12"}),
        );
        for (text, expected) in [
            ("viewed", true),
            ("added", false),
            ("event(\"Product Viewed\")", true),
            ("event(\"product viewed\")", false),
            ("viewed(category = \"jackets\")", true),
            ("viewed(category = \"shoes\")", false),
            ("viewed(product = \"p-1\", price >= 8950)", true),
            ("viewed(price > 8950)", false),
            ("viewed(price >= 5000, price < 8950)", false),
            ("viewed(brand starts_with \"Sc\", is_new = \"true\", stock >= 12)", true),
            ("viewed(colour is set)", false),
            ("viewed(brand is set)", true),
        ] {
            assert_eq!(matches(&seen, text), expected, "{text}");
        }
    }

    #[test]
    fn filters_hold_of_one_product_together() {
        let ordered = event(
            "Order Completed",
            &json!({"order_id": "o-1", "revenue": 120, "currency": "EUR", "coupon": "SUMMER", "products": [
                {"product_id": "a", "category": "shoes", "price": 100, "quantity": 1, "colour": "red"},
                {"product_id": "b", "category": "jackets", "price": 20, "quantity": 3, "colour": "blue"},
            ]}),
        );
        for (text, expected) in [
            ("ordered(category = \"shoes\", price >= 5000)", true),
            ("ordered(category = \"jackets\", price >= 5000)", false),
            ("ordered(colour = \"blue\", category = \"jackets\", coupon = \"SUMMER\")", true),
            ("ordered(colour = \"blue\", category = \"shoes\")", false),
            ("ordered(value = 12000, order_id = \"o-1\")", true),
        ] {
            assert_eq!(matches(&ordered, text), expected, "{text}");
        }
        let answers = |text: &str| MatchedEvent::new(&ordered, &euro()).answers(&query(text));
        assert_eq!(answers("sum(ordered, quantity) > 0")[0].thousandths, 4_000);
        assert_eq!(answers("sum(ordered(category = \"jackets\"), quantity) > 0")[0].thousandths, 3_000);
        assert_eq!(answers("sum(ordered, value) > 0")[0].thousandths, 12_000_000);
        assert_eq!(answers("sum(ordered, nothing) > 0"), []);
        assert_eq!(answers("distinct(ordered, category) > 0").len(), 2);
        assert_eq!(answers("ordered").len(), 1);
        assert_ne!(answers("ordered")[0].same, 0, "an order counts once");
    }

    #[test]
    fn what_the_shop_understands_goes_before_what_products_say_and_before_other_currencies() {
        let order = |currency: &str| {
            json!({"order_id": "o-1", "revenue": 500, "currency": currency, "products": [
                {"product_id": "a", "price": 250, "value": 20, "order_id": "no"},
                {"product_id": "b", "price": 250, "value": 20, "order_id": "no"},
            ]})
        };
        let of = |currency: &str, text: &str| {
            let event = event("Order Completed", &order(currency));
            let answers = MatchedEvent::new(&event, &euro()).answers(&query(text));
            answers.into_iter().map(|one| one.thousandths).collect::<Vec<_>>()
        };
        assert_eq!(of("EUR", "sum(ordered, value) > 0"), [50_000_000]);
        assert_eq!(of("EUR", "ordered(order_id = \"o-1\")"), [0]);
        assert_eq!(of("EUR", "sum(ordered(price >= 25000), quantity) > 0"), [2_000]);
        assert_eq!(of("HUF", "sum(ordered, value) > 0"), [] as [i64; 0]);
        assert_eq!(of("HUF", "ordered(price > 0)"), [] as [i64; 0]);
        assert_eq!(of("HUF", "ordered"), [0], "it was ordered all the same");
    }

    #[test]
    fn a_price_in_another_currency_is_none() {
        let seen =
            |currency: &str| event("Product Viewed", &json!({"product_id": "a", "price": 250, "currency": currency}));
        for (text, in_euro) in
            [("viewed(price > 100)", true), ("viewed(price is set)", true), ("sum(viewed, price) > 0", true)]
        {
            assert_eq!((matches(&seen("EUR"), text), matches(&seen("HUF"), text)), (in_euro, false), "{text}");
        }
        assert!(matches(&seen("HUF"), "viewed(product = \"a\")"));
    }

    #[test]
    fn an_event_has_the_day_the_hour_and_the_weekday_of_the_shop() {
        // Made at 00:00 UTC on Thursday, 1970-01-01.
        let seen = event("Quiz", &json!({"date": "2030-01-01"}));
        for (text, expected) in [
            ("event(\"Quiz\", event_date >= \"1970-01-01\", event_date <= \"1970-01-01\")", true),
            ("event(\"Quiz\", event_date > \"1970-01-01\")", false),
            ("event(\"Quiz\", event_date != \"1970-01-01\")", false),
            ("event(\"Quiz\", event_hour < 1, event_weekday = \"Thursday\")", true),
            ("distinct(event(\"Quiz\"), event_date) >= 1", true),
            ("event(\"Quiz\", event_weekday in (\"friday\", \"sunday\"))", false),
            ("event(\"Quiz\", date = \"2030-01-01\")", true),
        ] {
            assert_eq!(matches(&seen, text), expected, "{text}");
        }
        assert_eq!([0, 1, 4, -1].map(weekday), ["thursday", "friday", "monday", "wednesday"]);
    }

    #[test]
    fn lists_objects_and_endless_texts_are_nothing_to_compare() {
        let long = "x".repeat(20_000) + "needle";
        let odd = event("Odd", &json!({"list": ["a"], "object": {"a": 1}, "long": long, "null": null}));
        for (text, expected) in [
            ("event(\"Odd\", list is set)", false),
            ("event(\"Odd\", object is set)", false),
            ("event(\"Odd\", null is set)", false),
            ("event(\"Odd\", long starts_with \"xx\")", true),
            ("event(\"Odd\", long contains \"needle\")", false),
        ] {
            assert_eq!(matches(&odd, text), expected, "{text}");
        }
    }
}
