//! The text form of conditions: it says what JSON says, and names what is wrong.
#![cfg(feature = "serde")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use endcap_protocol::{Date, SegmentId};
use endcap_targeting::compile::condition_of;
use endcap_targeting::condition::{Condition, Fact, MAX_DEPTH, Op, Scope};
use endcap_targeting::condition_json::to_json;
use endcap_targeting::customer_score::{GroupModel, ScoreNumber};
use endcap_targeting::device::DeviceText;
use endcap_targeting::edge_fact::{EdgeFact, PersonFlag, PersonNumber, PersonText, PersonTime, TouchText};
use endcap_targeting::event_query::{
    EventFact, EventName, EventQuery, EventSelector, EventTime, KnownEvent, Measure, PropertyFilter, PropertyTest,
    WEEKDAYS, Which,
};
use endcap_targeting::span::Span;
use endcap_targeting::text::{MAX_TEXT, parse, print};
use endcap_targeting::text_test::TextTest;
use proptest::prelude::*;
use serde_json::json;

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize].clone()
    }

    fn text(&mut self) -> String {
        let letters = ['a', 'Z', '9', ' ', '"', '\\', '/', '*', 'é', '日', '\n', '\u{1}', '(', ')', '$', '🎁'];
        (0..1 + self.below(6)).map(|_| self.of(&letters)).chain(['x']).collect()
    }

    fn number(&mut self) -> i64 {
        let small = self.below(100) as i64;
        self.of(&[0, 1, -1, small, i64::MAX, i64::MIN])
    }

    /// A text without control characters, which no identifier has.
    fn id(&mut self) -> String {
        self.text().replace(char::is_control, "y")
    }

    fn span(&mut self) -> Span {
        if self.below(2) == 0 {
            Span::Minutes(1 + self.below(2879) as u16)
        } else {
            Span::Days(2 + self.below(729) as u16)
        }
    }

    fn edge_fact(&mut self) -> EdgeFact {
        match self.below(14) {
            8 | 9 => EdgeFact::Event(Box::new(self.event_fact())),
            0 => EdgeFact::Segment(SegmentId::parse(&self.id()).unwrap()),
            1 => {
                let (fact, op, value) = (self.of(PersonNumber::ALL), self.of(&Op::ALL), self.number());
                let is_pages = fact == PersonNumber::Orders;
                let within = Some(self.span()).filter(|_| is_pages || self.below(2) == 0);
                EdgeFact::Number { fact, within, op, value }
            }
            2 => EdgeFact::Within(self.of(PersonTime::ALL), self.span()),
            3 => EdgeFact::Before(self.of(PersonTime::ALL), self.span()),
            4 => EdgeFact::Flag(self.of(PersonFlag::ALL)),
            12 => match self.below(3) {
                2 => EdgeFact::Listed(SegmentId::parse(&self.id()).unwrap()),
                0 => EdgeFact::EnteredWithin(SegmentId::parse(&self.id()).unwrap(), self.span()),
                _ => EdgeFact::EnteredBefore(SegmentId::parse(&self.id()).unwrap(), self.span()),
            },
            13 => EdgeFact::Anniversary { name: self.text(), days: 1 + self.below(180) as u16 },
            10 => EdgeFact::Score { fact: self.of(ScoreNumber::ALL), op: self.of(&Op::ALL), value: self.number() },
            11 => {
                let model = self.of(GroupModel::ALL);
                EdgeFact::Group(model, (0..=self.below(3)).map(|_| self.of(model.groups())).collect())
            }
            5 => EdgeFact::CartProduct(self.text()),
            6 => EdgeFact::CartCategory(self.text()),
            7 => match self.below(4) {
                0 => EdgeFact::TraitNumber { name: self.text(), op: self.of(&Op::ALL), value: self.number() },
                1 => EdgeFact::TraitWithin(self.text(), self.span()),
                2 => EdgeFact::TraitBefore(self.text(), self.span()),
                _ => self.device_text(),
            },
            _ => EdgeFact::Text(self.person_text(), self.text_test()),
        }
    }

    fn event_fact(&mut self) -> EventFact {
        match self.below(5) {
            0 => EventFact::Within(self.of(Which::ALL), EventQuery::of_times(self.selector()), self.span()),
            1 => EventFact::Before(self.of(Which::ALL), EventQuery::of_times(self.selector()), self.span()),
            _ => {
                let property = self.property();
                let measure = match self.below(6) {
                    0 => Measure::Sum(property),
                    1 => Measure::Average(property),
                    2 => Measure::Distinct(property),
                    3 => Measure::Distinct(self.of(EventTime::ALL).as_str().to_owned()),
                    _ => Measure::Count,
                };
                let (low, high) = measure.bounds();
                let value = self.number().clamp(low, high);
                EventFact::Compared {
                    query: EventQuery::new(self.selector(), measure, value),
                    within: Some(self.span()).filter(|_| self.below(2) == 0),
                    after: Some(EventQuery::of_times(self.selector())).filter(|_| self.below(2) == 0),
                    op: self.of(&Op::ALL),
                    value,
                }
            }
        }
    }

    fn selector(&mut self) -> EventSelector {
        let name = match self.below(3) {
            0 => EventName::Named(self.text()),
            _ => EventName::Known(self.of(KnownEvent::ALL)),
        };
        let filters = (0..self.below(3)).map(|_| {
            let time = |time: EventTime, test| PropertyFilter { property: time.as_str().to_owned(), test };
            match self.below(6) {
                0 => {
                    let date = self.of(&["2026-11-29", "2024-02-29"].map(|date| Date::parse(date).unwrap()));
                    time(EventTime::Date, PropertyTest::Date(self.of(&Op::ALL), date))
                }
                1 => time(EventTime::Hour, PropertyTest::Number(self.of(&Op::ALL), self.below(24) as i64)),
                2 => {
                    let days = (0..=self.below(3)).map(|_| self.of(&WEEKDAYS).to_owned()).collect();
                    time(EventTime::Weekday, PropertyTest::Text(TextTest::OneOf(days)))
                }
                3 => PropertyFilter {
                    property: self.property(),
                    test: PropertyTest::Number(self.of(&Op::ALL), self.number()),
                },
                _ => PropertyFilter { property: self.property(), test: PropertyTest::Text(self.text_test()) },
            }
        });
        EventSelector { name, filters: filters.collect() }
    }

    fn property(&mut self) -> String {
        let other = self.text();
        self.of(&["category".to_owned(), "Größe_2".to_owned(), "in".to_owned(), "set".to_owned(), other])
    }

    fn person_text(&mut self) -> PersonText {
        match self.below(4) {
            0 => PersonText::Trait(self.text()),
            1 => PersonText::First(self.of(TouchText::ALL)),
            2 => PersonText::Last(self.of(TouchText::ALL)),
            _ => PersonText::TimeZone,
        }
    }

    fn device_text(&mut self) -> EdgeFact {
        let (what, texts): (DeviceText, &[&str]) = self.of(&[
            (DeviceText::Device, &["mobile", "tablet", "tv"]),
            (DeviceText::Browser, &["chrome", "samsung_internet"]),
            (DeviceText::System, &["ios", "windows"]),
            (DeviceText::Language, &["de", "en"]),
            (DeviceText::Locale, &["de-AT", "zh-Hant-TW"]),
            (DeviceText::Country, &["DE", "JP"]),
            (DeviceText::Region, &["DE-BY", "GB-ENG"]),
            (DeviceText::City, &["Munich", "Tokyo"]),
        ]);
        let test = match self.text_test() {
            TextTest::OneOf(all) => TextTest::OneOf(all.iter().map(|_| self.of(texts).to_owned()).collect()),
            other => other,
        };
        EdgeFact::Text(PersonText::Device(what), test)
    }

    fn text_test(&mut self) -> TextTest {
        match self.below(4) {
            0 => TextTest::OneOf((0..=self.below(3)).map(|_| self.text()).collect()),
            1 => TextTest::Contains(self.text()),
            2 => TextTest::StartsWith(self.text()),
            _ => TextTest::Set,
        }
    }

    fn comparison(&mut self, is_bound: bool) -> Condition {
        let fact = self.of(&Fact::ALL);
        let scope = match self.below(3) {
            0 if fact.takes_category() && is_bound => Scope::Bound,
            1 if fact.takes_category() => Scope::Named(self.text()),
            _ => Scope::All,
        };
        Condition::Compare(fact, scope, self.of(&Op::ALL), self.number())
    }

    fn condition(&mut self, depth: usize, is_bound: bool) -> Condition {
        let parts = |random: &mut Self| {
            let count = random.below(4);
            (0..count).map(|_| random.condition(depth - 1, is_bound)).collect()
        };
        match self.below(if depth > 1 { 11 } else { 3 }) {
            9 => Condition::Edge(self.edge_fact()),
            10 => {
                let count = 2 + self.below(3);
                let parts = (0..count).map(|_| self.condition(depth - 1, is_bound)).collect();
                Condition::AtLeast(1 + self.below(count) as usize, parts)
            }
            0 => Condition::StageIn(1 + self.below(63) as u8),
            1 => Condition::Path(self.text()),
            3 | 4 => Condition::All(parts(self)),
            5 | 6 => Condition::Any(parts(self)),
            7 => Condition::Not(Box::new(self.condition(depth - 1, is_bound))),
            8 if !is_bound => Condition::SomeCategory(Box::new(self.condition(depth - 1, true))),
            _ => self.comparison(is_bound),
        }
    }
}

#[test]
fn a_hundred_thousand_conditions_go_to_text_and_json_and_back_without_loss() {
    let mut random = Random(1);
    for _ in 0..100_000 {
        let depth = 1 + random.below(6) as usize;
        let condition = random.condition(depth, false);
        let text = print(&condition);
        assert_eq!(parse(&text).as_ref(), Ok(&condition), "{text}");
        let json = to_json(&condition);
        assert_eq!(condition_of(&json).as_ref(), Ok(&condition), "{json}");
    }
}

#[test]
fn a_text_says_what_json_says() {
    let cases = [
        ("orders>=2", json!({"fact": "orders", "op": ">=", "value": 2})),
        (
            "orders >= 2 and days_since_last_order > 90 and products_viewed(category = \"jackets\") >= 3",
            json!({"all": [
                {"fact": "orders", "op": ">=", "value": 2},
                {"fact": "days_since_last_order", "op": ">", "value": 90},
                {"fact": "products_viewed", "category": "jackets", "op": ">=", "value": 3},
            ]}),
        ),
        (
            "viewed(category = \"jackets\", price >= 5000) >= 3 in 14 days",
            json!({"fact": "viewed", "where": [
                {"property": "category", "in": ["jackets"]}, {"property": "price", "op": ">=", "value": 5000},
            ], "op": ">=", "value": 3, "in": {"days": 14}}),
        ),
        (
            "last(viewed) before 2 hours ago and not ordered after viewed",
            json!({"all": [
                {"fact": "viewed", "time": "last", "before": {"hours": 2}},
                {"not": {"fact": "ordered", "op": ">=", "value": 1, "after": {"fact": "viewed"}}},
            ]}),
        ),
        (
            "EVENT(\"Quiz Finished\", \"skin type\" is set) or distinct(added(), product) > 5",
            json!({"any": [
                {"fact": "event", "name": "Quiz Finished", "where": [{"property": "skin type", "set": true}],
                    "op": ">=", "value": 1},
                {"fact": "added", "distinct": "product", "op": ">", "value": 5},
            ]}),
        ),
        (
            "stage in (new, active) or stage = deep and NOT (cart_units == 0)",
            json!({"any": [
                {"fact": "stage", "in": ["new", "active"]},
                {"all": [{"fact": "stage", "in": ["deep"]}, {"not": {"fact": "cart_units", "op": "=", "value": 0}}]},
            ]}),
        ),
        (
            "some_category(products_viewed(category = $) >= 2 and units_bought(category = $) = 0)",
            json!({"some_category": {"all": [
                {"fact": "products_viewed", "category": "$", "op": ">=", "value": 2},
                {"fact": "units_bought", "category": "$", "op": "=", "value": 0},
            ]}}),
        ),
        ("url_path matches \"/c/*\"", json!({"fact": "url_path", "matches": "/c/*"})),
        (
            "push_subscribed and not consent_marketing",
            json!({"all": [{"fact": "push_subscribed", "op": "=", "value": 1},
                {"not": {"fact": "consent_marketing", "op": "=", "value": 1}}]}),
        ),
        ("segment(\"vip\")", json!({"fact": "segment", "id": "vip"})),
        (
            "orders >= 2 in 30 days and revenue > 10000 in 36 hours and average_order < 5000",
            json!({"all": [
                {"fact": "orders", "op": ">=", "value": 2, "in": {"days": 30}},
                {"fact": "revenue", "op": ">", "value": 10000, "in": {"hours": 36}},
                {"fact": "average_order", "op": "<", "value": 5000},
            ]}),
        ),
        ("last_order before 90 days ago", json!({"fact": "last_order", "before": {"days": 90}})),
        ("last_seen within 1 day", json!({"fact": "last_seen", "within": {"hours": 24}})),
        (
            "not known and consent_analytics",
            json!({"all": [{"not": {"fact": "known"}}, {"fact": "consent_analytics"}]}),
        ),
        ("trait(\"city\") in (\"Paris\", \"Lyon\")", json!({"fact": "trait", "name": "city", "in": ["Paris", "Lyon"]})),
        ("trait(\"city\") != \"Paris\"", json!({"not": {"fact": "trait", "name": "city", "in": ["Paris"]}})),
        ("trait(\"phone\") is set", json!({"fact": "trait", "name": "phone", "set": true})),
        ("first_source = \"google\"", json!({"fact": "first_source", "in": ["google"]})),
        ("last_landing_page starts_with \"/sale\"", json!({"fact": "last_landing_page", "starts_with": "/sale"})),
        ("cart_has(category = \"shoes\")", json!({"fact": "cart_has", "category": "shoes"})),
        ("all()", json!({"all": []})),
        ("any(orders = 1)", json!({"any": [{"fact": "orders", "op": "=", "value": 1}]})),
        ("((orders = 1))", json!({"fact": "orders", "op": "=", "value": 1})),
    ];
    for (text, json) in cases {
        assert_eq!(parse(text), Ok(condition_of(&json).unwrap()), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_word_that_was_meant() {
    let cases = [
        ("ordrs >= 2", 1, "did you mean `orders`"),
        ("orders >= 2 adn orders < 5", 13, "write `and`"),
        ("orders >= 2 orders < 5", 13, "`and` or `or`"),
        ("stage = actve", 9, "did you mean `active`"),
        ("stage is new", 7, "`=` or `in`"),
        ("stage in new", 10, "`(`"),
        ("orders", 7, "ends where a comparison"),
        ("orders >=", 10, "whole number"),
        ("orders >= many", 11, "whole number"),
        ("orders(category = \"x\") = 1", 8, "does not apply to orders"),
        ("products_viewed(categroy = \"x\") = 1", 17, "`category`"),
        ("products_viewed(category = $) = 1", 28, "enclosing some_category"),
        ("some_category(some_category(orders = 1))", 15, "another some_category"),
        ("url_path matches \"\"", 18, "1 to 200 bytes"),
        ("segment(vip)", 9, "double quotes"),
        ("orders >= 2 in 3 weeks", 16, "is no span"),
        ("orders >= 2 in many days", 16, "as 14 days"),
        ("revenue >= 5 in 731 days", 17, "1 to 730 days"),
        ("sessions >= 2 in 3 days", 15, "`and` or `or`"),
        ("last_order before 90 days", 26, "`ago`"),
        ("last_order = 3", 12, "`within` or `before`"),
        ("last_ordr within 3 days", 1, "did you mean `last_order`"),
        ("trait(city) = 1", 7, "double quotes"),
        ("trait(\"city\") = Paris", 17, "double quotes"),
        ("trait(\"city\") like \"P\"", 15, "contains"),
        ("cart_has(brand = \"x\")", 10, "`product` or `category`"),
        ("segment(\"\")", 9, "1 to 64 bytes"),
        ("segmnt(\"vip\")", 1, "did you mean `segment`"),
        ("birthday = 1", 1, "use not, all"),
        ("(orders = 1", 12, "`)`"),
        ("", 1, "a condition"),
        ("not", 4, "a condition"),
        ("= 1", 1, "a condition is expected"),
        ("orders >= 1 and\nordrs >= 2", 17, "did you mean `orders`"),
    ];
    for (text, at, word) in cases {
        let error = parse(text).expect_err(text);
        assert_eq!(error.at + 1, at, "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
}

#[test]
fn json_that_says_more_than_it_means_is_refused() {
    for (json, path) in [
        (json!({"fact": "consent_analytics", "op": "=", "value": 0}), "op"),
        (json!({"fact": "cart_value", "op": ">=", "value": 5, "in": {"days": 7}}), "in"),
        (json!({"fact": "revenue", "op": ">=", "value": 5, "within": {"days": 7}}), "within"),
        (json!({"fact": "trait", "name": "city", "in": ["Paris"], "contains": "x"}), "in"),
        (json!({"fact": "trait", "in": ["Paris"]}), "name"),
        (json!({"fact": "last_order", "within": {"days": 7}, "before": {"days": 3}}), "within"),
        (json!({"fact": "last_order", "within": {"days": 7, "hours": 3}}), "within"),
        (json!({"fact": "cart_has", "product": "x", "category": "y"}), "product"),
        (json!({"fact": "segment", "id": "x", "since": 3}), "since"),
        (json!({"fact": "first_source", "set": false}), ""),
    ] {
        assert_eq!(condition_of(&json).expect_err(&json.to_string()).path, path, "{json}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let nots = |count: usize| format!("{}orders = 1", "not ".repeat(count));
    assert!(parse(&nots(MAX_DEPTH - 1)).is_ok());
    assert!(parse(&nots(MAX_DEPTH)).unwrap_err().message.contains("too deeply"));
    let deep = format!("{}orders = 1{}", "(".repeat(9_000), ")".repeat(9_000));
    assert!(parse(&deep).unwrap_err().message.contains("too deeply"));
    let joined = |count: usize| vec!["orders = 1"; count].join(" or ");
    assert!(parse(&joined(50)).is_ok());
    assert!(parse(&joined(51)).unwrap_err().message.contains("more than 50"));
    assert!(parse(&" ".repeat(MAX_TEXT + 1)).unwrap_err().message.contains("longer"));
}

proptest! {
    #[test]
    fn any_text_is_a_condition_or_an_error_within_it(text in "[a-z_() ,=<>!$\"0-9é-]{0,80}") {
        match parse(&text) {
            Ok(condition) => prop_assert_eq!(parse(&print(&condition)), Ok(condition)),
            Err(error) => prop_assert!(error.at <= text.chars().count() && !error.message.is_empty()),
        }
    }
}
