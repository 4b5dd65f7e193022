//! How e-commerce events are read and repaired.

use super::brief;
use super::{Commerce, Line, Order, parse};
use crate::Money;
use crate::limits::QUANTITY;
use crate::money::MAX_MINOR;
use crate::repair::RepairCode;
use crate::repair::Repairs;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(name: &str, props: &Value) -> (Option<Commerce>, Vec<RepairCode>) {
    let mut repairs = Repairs::default();
    let commerce = parse(name, props, *b"EUR", &mut repairs).unwrap();
    (commerce, repairs.list.iter().map(|repair| repair.code).collect())
}

fn order(props: &Value) -> (Order, Vec<RepairCode>) {
    match read("Order Completed", props) {
        (Some(Commerce::Ordered(order)), codes) => (order, codes),
        other => panic!("{other:?}"),
    }
}

fn revenue(props: &Value) -> (String, i64, Vec<RepairCode>) {
    let (order, codes) = order(props);
    let revenue = order.revenue.unwrap();
    (String::from_utf8_lossy(&revenue.currency).into_owned(), revenue.minor, codes)
}

fn added(props: &Value) -> (Option<Line>, Vec<RepairCode>) {
    match read("Product Added", props) {
        (Some(Commerce::Added(line)), codes) => (Some(line), codes),
        (None, codes) => (None, codes),
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_an_order_with_its_lines() {
    let props = json!({"order_id": 17, "revenue": "30.50", "currency": "usd",
        "products": [{"product_id": "p1", "category": "shoes", "price": 12.25, "quantity": 2}]});
    let (order, codes) = order(&props);
    assert_eq!(order.order_id, "17");
    assert_eq!(order.revenue, Some(Money { minor: 3050, currency: *b"USD" }));
    assert_eq!(order.lines[0].quantity, 2);
    assert_eq!(order.lines[0].price, Some(Money { minor: 1225, currency: *b"USD" }));
    assert_eq!(codes, []);
}

#[test]
fn an_order_without_revenue_sums_its_lines() {
    let props = json!({"order_id": "o", "products": [{"product_id": "a", "price": 1.5, "quantity": 3}]});
    assert_eq!(revenue(&props), ("EUR".to_owned(), 450, Vec::new()));
}

#[test]
fn odd_lines_count_in_the_total_as_they_are() {
    use RepairCode::{AmountNegative, ProductUnnamed, QuantityRepaired};
    let with = |line: Value| json!({"order_id": "o", "products": [{"product_id": "a", "price": 10}, line]});
    for (line, minor, units, codes) in [
        (json!({"product_id": "b", "price": 3, "quantity": 0.5}), 1150, 2, vec![QuantityRepaired]),
        (json!({"product_id": "b", "price": 3, "quantity": 0}), 1000, 1, vec![QuantityRepaired]),
        (json!({"product_id": "b", "price": 3, "quantity": -1}), 700, 1, vec![QuantityRepaired]),
        (json!({"product_id": "b", "price": 3, "quantity": "1,5"}), 1450, 3, vec![QuantityRepaired]),
        (json!({"product_id": "b", "price": 3, "quantity": "1.000"}), 1300, 2, Vec::new()),
        (json!({"product_id": "b", "price": 3, "quantity": "many"}), 1300, 2, vec![QuantityRepaired]),
        (json!({"product_id": "b", "price": -3}), 700, 2, vec![AmountNegative]),
        (json!({"name": "Gift wrap", "price": 3}), 1300, 1, vec![ProductUnnamed]),
        (json!({"product_id": "", "sku": "S1", "price": 3}), 1300, 2, Vec::new()),
        (json!({"product_id": " ", "item_id": 7, "price": 3}), 1300, 2, Vec::new()),
        (json!(null), 1000, 1, vec![ProductUnnamed, RepairCode::TotalIncomplete]),
    ] {
        let (order, noted) = order(&with(line.clone()));
        let bought: u32 = order.lines.iter().map(|line| line.quantity).sum();
        assert_eq!((order.revenue.map(|r| r.minor), bought, noted), (Some(minor), units, codes), "{line}");
    }
}

#[test]
fn more_lines_than_are_kept_still_count() {
    let lines: Vec<Value> = (0..101).map(|n| json!({"product_id": n, "price": 1})).collect();
    let (order, codes) = order(&json!({"order_id": "o", "products": lines}));
    assert_eq!((order.lines.len(), order.revenue.map(|r| r.minor)), (100, Some(10_100)));
    assert_eq!(codes, [RepairCode::FieldCut]);
}

#[test]
fn products_come_in_other_forms_than_a_list() {
    for products in [
        json!({"0": {"product_id": "a", "price": 4}, "1": {"product_id": "b", "price": 5}}),
        json!([{"product_id": "a", "price": 4}, {"product_id": "b", "price": 5}]),
    ] {
        let (order, codes) = order(&json!({"order_id": "o", "products": products}));
        let ids: Vec<&str> = order.lines.iter().map(|line| line.product.as_str()).collect();
        assert_eq!((ids, order.revenue.map(|r| r.minor), codes), (vec!["a", "b"], Some(900), Vec::new()));
    }
    let (order, _) = order(&json!({"order_id": "o", "products": {"product_id": "a", "price": 4}}));
    assert_eq!((order.lines.len(), order.revenue.map(|r| r.minor)), (1, Some(400)));
}

#[test]
fn a_currency_is_read_as_it_is_meant() {
    use RepairCode::{CurrencyAssumed, CurrencyRead};
    let with = |currency: Value| json!({"order_id": "o", "revenue": 25, "currency": currency});
    for (currency, wanted, codes) in [
        (json!("USD"), "USD", Vec::new()),
        (json!(" USD "), "USD", Vec::new()),
        (json!("usd"), "USD", Vec::new()),
        (json!("£"), "GBP", vec![CurrencyRead]),
        (json!(""), "EUR", vec![CurrencyAssumed]),
        (json!("money"), "EUR", vec![CurrencyAssumed]),
        (json!(null), "EUR", Vec::new()),
    ] {
        assert_eq!(revenue(&with(currency.clone())), (wanted.to_owned(), 2500, codes), "{currency}");
    }
}

#[test]
fn a_currency_of_the_items_or_beside_the_amount_counts_before_the_shops() {
    let items =
        json!({"order_id": "o", "revenue": 25, "products": [{"product_id": "a", "price": 5, "currency": "USD"}]});
    assert_eq!(revenue(&items), ("USD".to_owned(), 2500, Vec::new()));
    let beside = json!({"order_id": "o", "revenue": "NT$1,299"});
    let codes = vec![RepairCode::CurrencyRead, RepairCode::AmountAmbiguous];
    assert_eq!(revenue(&beside), ("TWD".to_owned(), 129_900, codes));
    let lines =
        json!({"order_id": "o", "products": [{"product_id": "a", "price": "$12.00"}, {"product_id": "b", "price": 3}]});
    let (read, codes) = order(&lines);
    assert_eq!(read.revenue, Some(Money { minor: 1500, currency: *b"USD" }));
    assert_eq!(codes, [RepairCode::CurrencyRead]);
    let none = json!({"order_id": "o", "revenue": 1300});
    let mut repairs = Repairs::default();
    let Ok(Some(Commerce::Ordered(yen))) = parse("Order Completed", &none, *b"JPY", &mut repairs) else { panic!() };
    assert_eq!(yen.revenue, Some(Money { minor: 1300, currency: *b"JPY" }));
}

#[test]
fn a_total_is_read_as_a_person_would() {
    for (text, minor) in
        [("25,00", 2500), ("$25.00", 2500), ("1.299,00 €", 129_900), ("1,299.00", 129_900), ("CHF 1'299.–", 129_900)]
    {
        let props =
            json!({"order_id": "o", "currency": "EUR", "revenue": text, "products": [{"product_id": "a", "price": 1}]});
        assert_eq!(revenue(&props), ("EUR".to_owned(), minor, Vec::new()), "{text}");
    }
    for (revenue, codes) in [
        (json!({"amount": 1}), vec![RepairCode::AmountDropped]),
        (json!(true), vec![RepairCode::AmountDropped]),
        (json!("1e300"), vec![RepairCode::AmountDropped]),
        (json!(null), Vec::new()),
        (json!(" "), Vec::new()),
    ] {
        let props = json!({"order_id": "o", "revenue": revenue, "total": 7});
        assert_eq!(self::revenue(&props), ("EUR".to_owned(), 700, codes), "{revenue}");
    }
    let negative = json!({"order_id": "o", "revenue": -5});
    assert_eq!(revenue(&negative), ("EUR".to_owned(), -500, vec![RepairCode::AmountNegative]));
    let unreadable = json!({"order_id": "o", "revenue": "n/a", "total": "30"});
    assert_eq!(revenue(&unreadable), ("EUR".to_owned(), 3000, vec![RepairCode::AmountDropped]));
}

#[test]
fn only_an_order_of_nothing_is_refused() {
    let refused = parse("Order Completed", &json!({"coupon": "x"}), *b"EUR", &mut Repairs::default()).unwrap_err();
    assert_eq!(refused.path, "order_id");
    for some in [json!({"order_id": "o"}), json!({"total": 1}), json!({"products": [{"name": "x"}]})] {
        assert!(parse("Order Completed", &some, *b"EUR", &mut Repairs::default()).is_ok(), "{some}");
    }
}

#[test]
fn an_event_about_no_product_is_kept_and_says_so() {
    assert_eq!(read("Product Viewed", &json!({})), (None, vec![RepairCode::ProductUnnamed]));
    let (line, codes) = added(&json!({"product_id": "a", "quantity": 0}));
    assert_eq!((line.map(|line| line.quantity), codes), (Some(1), vec![RepairCode::QuantityRepaired]));
    let (line, codes) = added(&json!({"product_id": "a", "category": "x".repeat(200), "price": "soon"}));
    assert_eq!(line.map(|line| (line.category, line.price)), Some((None, None)));
    assert_eq!(codes, [RepairCode::FieldDropped, RepairCode::AmountDropped]);
}

#[test]
fn other_names_are_no_commerce() {
    assert_eq!(read("Newsletter Opened", &json!({})), (None, Vec::new()));
}

/// Any JSON, as deep as three levels.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
        "[-0-9.,' €$]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z0-9_]{0,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn quantities_and_prices_stay_in_range(quantity in any::<f64>(), price in any::<f64>()) {
        let (line, _) = added(&json!({"product_id": "a", "quantity": quantity, "price": price}));
        let line = line.unwrap();
        prop_assert!((1..=QUANTITY).contains(&line.quantity));
        prop_assert!(line.price.is_none_or(|price| price.minor.abs() <= MAX_MINOR));
    }

    #[test]
    fn no_member_costs_an_event(
        members in proptest::collection::btree_map(
            "product_id|sku|category|quantity|price|currency|products|revenue|total|value|tax|coupon|query|list_id", any_value(), 0..8),
        name in prop_oneof![
            Just("Product Viewed"), Just("Product Added"), Just("Product Removed"), Just("Cart Viewed"),
            Just("Order Completed"), Just("Products Searched"), Just("Product List Viewed"), Just("Checkout Started")],
    ) {
        let mut props = json!(members);
        props["order_id"] = json!("o");
        let mut repairs = Repairs::default();
        let read = parse(name, &props, *b"EUR", &mut repairs);
        prop_assert!(read.is_ok());
        prop_assert!(repairs.list.iter().all(|repair| !repair.path.is_empty() && !repair.message.is_empty()));
    }

    #[test]
    fn the_page_reads_plain_lines_as_the_edge_does(
        lines in proptest::collection::vec(
            ("[a-z]{1,3}", "[a-z]{1,2}", -2_i32..5, -5.0_f64..500.0, prop_oneof![Just("EUR"), Just("JPY")]), 0..5),
        currency in prop_oneof![Just(json!(null)), Just(json!("KWD"))],
    ) {
        let products: Vec<Value> = lines.iter().map(|(id, category, quantity, price, currency)| {
            json!({"product_id": id, "category": category, "quantity": quantity, "price": price, "currency": currency})
        }).collect();
        let whole = json!({"order_id": "o", "currency": currency, "products": products});
        prop_assert_eq!(brief::lines(&whole), order(&whole).0.lines);
        let Some(Commerce::CartViewed(cart)) = read("Cart Viewed", &whole).0 else { panic!("no cart") };
        prop_assert_eq!(brief::cart(&whole), cart);
        for product in &products {
            prop_assert_eq!(brief::single(product), added(product).0);
        }
    }
}
