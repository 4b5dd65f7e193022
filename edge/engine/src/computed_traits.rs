//! Computed traits: what follows from a person's history, for people who look at a profile and for those who write to
//! them.

use std::collections::BTreeMap;

use endcap_profile::person::Person;
use endcap_profile::row::ProfileRow;
use endcap_profile::timeline::TimelineEvent;
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_targeting::Behaviour;
use schemars::JsonSchema;
use serde::Serialize;

use crate::shop::snapshot::Catalogue;

/// Days in which an interest fades to one half.
const HALF_LIFE_DAYS: i64 = 14;
/// Weight of an event of this moment: fixed point, so that the same history gives the same answer everywhere.
const ONE: i64 = 1 << 20;

/// What follows from a person's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Computed {
    /// Time of the first event.
    pub first_seen: UnixMillis,
    /// Time of the latest event.
    pub last_seen: UnixMillis,
    /// Sessions.
    pub sessions: u32,
    /// Orders.
    pub orders: u32,
    /// What the orders brought, in minor units by currency.
    pub revenue: BTreeMap<String, i64>,
    /// What an order brought on average, in minor units by currency, rounded half away from zero.
    pub average_order: BTreeMap<String, i64>,
    /// The category of the greatest interest. A product viewed or clicked counts 1, one put into the cart 3, and half
    /// as much after 14 days. Only the latest 40 events of each browser count.
    pub favourite_category: Option<String>,
    /// The brand of the greatest interest, counted alike, by the catalogue's brands.
    pub favourite_brand: Option<String>,
    /// The hour of the day, in the shop's time zone, in which most of these events happened, faded alike.
    pub typical_hour: Option<u8>,
    /// Number of installations that are known.
    pub devices: u32,
}

/// What computed traits take from the shop.
#[derive(Clone, Copy)]
pub struct Reference<'a> {
    /// The shop's products.
    pub catalogue: &'a Catalogue,
    /// The hour of a moment, 0 to 23, in the shop's time zone: the platform knows the zones.
    pub hour_of: &'a dyn Fn(UnixMillis) -> u8,
}

impl Computed {
    /// What follows from a row whose fold is `person`.
    #[must_use]
    pub fn new(row: &ProfileRow, person: &Person, reference: Reference<'_>) -> Self {
        let behaviour = &person.behaviour;
        let devices: std::collections::BTreeSet<_> =
            row.fragments.values().filter_map(|fragment| fragment.device_id.as_ref()).map(|id| id.as_str()).collect();
        Self {
            first_seen: behaviour.first_seen,
            last_seen: behaviour.last_seen,
            sessions: behaviour.sessions,
            orders: behaviour.orders,
            revenue: person.revenue().into_iter().map(|(code, minor)| (code.to_owned(), minor)).collect(),
            average_order: averages(person),
            favourite_category: favourite(person, |product| category_of(behaviour, product)),
            favourite_brand: favourite(person, |product| reference.catalogue.get(product)?.brand.as_deref()),
            typical_hour: typical_hour(person, reference.hour_of),
            devices: u32::try_from(devices.len()).unwrap_or(u32::MAX),
        }
    }
}

fn averages(person: &Person) -> BTreeMap<String, i64> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for order in &person.orders {
        let count = counts.entry(order.currency.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    let average = |(code, sum): (&str, i64)| {
        let count = counts.get(code).copied().unwrap_or(1).max(1);
        let half = if sum < 0 { -(count / 2) } else { count / 2 };
        (code.to_owned(), sum.saturating_add(half) / count)
    };
    person.revenue().into_iter().map(average).collect()
}

/// What an event weighs that is so old: [`ONE`] halved every 14 days, in a straight line in between.
fn weight(age: UnixMillis) -> i64 {
    let half_life = HALF_LIFE_DAYS.saturating_mul(DAY_MS);
    let age = age.max(0);
    let Ok(halvings) = u32::try_from(age / half_life) else { return 0 };
    let from = ONE.checked_shr(halvings).unwrap_or(0);
    from.saturating_sub((from / 2).saturating_mul(age % half_life) / half_life)
}

/// The category or brand with most of a person's interest; `about` says which one a product has.
fn favourite<'a>(person: &'a Person, about: impl Fn(&'a str) -> Option<&'a str>) -> Option<String> {
    let mut interest: BTreeMap<&str, i64> = BTreeMap::new();
    for event in &person.events {
        let points = match event.name.as_str() {
            "Product Viewed" | "Product Clicked" => 1,
            "Product Added" => 3,
            _ => continue,
        };
        let Some(kind) = about(&event.about) else { continue };
        let sum = interest.entry(kind).or_default();
        *sum = sum.saturating_add(weight(age(person, event)).saturating_mul(points));
    }
    greatest(interest).map(str::to_owned)
}

/// The category of a product, as far as the person's own history says.
fn category_of<'a>(behaviour: &'a Behaviour, product: &str) -> Option<&'a str> {
    let viewed = behaviour.categories.iter().find(|(_, facts)| facts.viewed.iter().any(|id| id == product));
    let viewed = viewed.map(|(category, _)| category.as_str());
    let in_cart = behaviour.cart.lines.iter().find(|line| line.product == product).map(|line| line.category.as_str());
    viewed.or(in_cart).filter(|category| !category.is_empty())
}

fn typical_hour(person: &Person, hour_of: &dyn Fn(UnixMillis) -> u8) -> Option<u8> {
    let mut hours: BTreeMap<u8, i64> = BTreeMap::new();
    for event in &person.events {
        let sum = hours.entry(hour_of(event.at)).or_default();
        *sum = sum.saturating_add(weight(age(person, event)));
    }
    greatest(hours)
}

/// Age of an event at the time of the latest. All weights shrink alike as time goes on, so nothing else is needed.
fn age(person: &Person, event: &TimelineEvent) -> UnixMillis {
    person.behaviour.last_seen.saturating_sub(event.at)
}

/// The first of those with the greatest sum.
fn greatest<K: Ord>(sums: BTreeMap<K, i64>) -> Option<K> {
    let mut best: Option<(K, i64)> = None;
    for (key, sum) in sums {
        if best.as_ref().is_none_or(|(_, held)| sum > *held) {
            best = Some((key, sum));
        }
    }
    best.map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::calendar::utc_hour;

    #[test]
    fn an_interest_fades_by_half_in_fourteen_days_and_never_grows() {
        assert_eq!(weight(0), ONE);
        assert_eq!(weight(14 * DAY_MS), ONE / 2);
        assert_eq!(weight(28 * DAY_MS), ONE / 4);
        assert_eq!(weight(i64::MAX), 0);
        assert!((0..200).all(|day| weight(day * DAY_MS) >= weight((day + 1) * DAY_MS)));
    }

    #[test]
    fn the_favourite_brand_is_the_catalogues_and_the_hour_the_shops() {
        let product = |id: &str, brand: &str| {
            let fields = serde_json::json!({"id": id, "title": id, "url": "/", "image": "/i", "category": "c",
                "brand": brand, "price": {"amount": 1, "currency": "EUR"}});
            serde_json::from_value(fields).unwrap()
        };
        let catalogue =
            Catalogue::new(vec![product("boot", "Odda"), product("coat", "Fjell"), product("bag", "Fjell")]);
        let event = |name: &str, about: &str| TimelineEvent {
            at: 23 * DAY_MS / 24,
            message_id: String::new(),
            name: name.to_owned(),
            about: about.to_owned(),
        };
        let events = vec![
            event("Product Viewed", "coat"),
            event("Product Viewed", "bag"),
            event("Product Added", "boot"),
            event("Product Viewed", "unknown"),
        ];
        let person = Person { events, ..Person::default() };
        let brand = |product: &str| catalogue.get(product)?.brand.as_deref();
        assert_eq!(favourite(&person, brand).as_deref(), Some("Odda"));
        assert_eq!(typical_hour(&person, &utc_hour), Some(23));
        assert_eq!(typical_hour(&person, &|at| (utc_hour(at) + 2) % 24), Some(1));
    }

    #[test]
    fn averages_round_half_away_from_zero() {
        let order = |id: &str, minor| endcap_profile::timeline::OrderRecord {
            at: 0,
            order_id: id.to_owned(),
            revenue_minor: minor,
            currency: "EUR".to_owned(),
            units: 1,
        };
        let of = |orders: Vec<_>| averages(&Person { orders, ..Person::default() }).get("EUR").copied();
        assert_eq!(of(vec![order("a", 10), order("b", 11)]), Some(11));
        assert_eq!(of(vec![order("a", -10), order("b", -11)]), Some(-11));
        assert_eq!(of(Vec::new()), None);
    }
}
