//! Evaluation of the lifecycle stages on UCI Online Retail: what share of each stage buys within the next 60 days.
//! Prints the table (`cargo test --release --test lifecycle -- --nocapture`) and fails if a later stage buys more
//! often than an earlier one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use endcap_models::lifecycle::Config;
use endcap_models::lifecycle::DAY_MS;
use endcap_models::lifecycle::GapHistogram;
use endcap_models::lifecycle::Orders;
use endcap_models::lifecycle::{Stage, stage_at};

mod data;

/// Order times of each customer, ascending: one order for each invoice that is not a cancellation.
fn orders(text: &str) -> Vec<Vec<i64>> {
    let mut customers: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let invoice = line.split(',').next().unwrap();
        // The description may hold commas, the columns after it never do.
        let mut from_end = line.rsplit(',');
        let (_country, customer, _price, date) =
            (from_end.next().unwrap(), from_end.next().unwrap(), from_end.next().unwrap(), from_end.next().unwrap());
        if !customer.is_empty() && !invoice.starts_with('C') {
            customers.entry(customer).or_default().entry(invoice).or_insert_with(|| time(date));
        }
    }
    let sorted = |invoices: BTreeMap<&str, i64>| {
        let mut times: Vec<i64> = invoices.into_values().collect();
        times.sort_unstable();
        times
    };
    customers.into_values().map(sorted).collect()
}

/// Reads `2010-12-01 08:26:00`, for the dates of this data set.
fn time(text: &str) -> i64 {
    const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let numbers: Vec<i64> = text.split(['-', ' ', ':']).map(|part| part.parse().unwrap()).collect();
    let [year, month, day, hour, minute, second] = numbers[..] else { panic!("{text} is no time") };
    assert!((2010..=2011).contains(&year), "no leap year up to here but 1972 to 2008");
    let days = (year - 1970) * 365 + 10 + DAYS_BEFORE[usize::try_from(month - 1).unwrap()] + day - 1;
    days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000
}

#[test]
fn earlier_stages_buy_again_more_often() {
    let Some(text) = data::read("customers/uci_online_retail.csv.gz") else { return };
    let customers = orders(&text);
    assert_eq!(customers.len(), 4339, "customers with at least one order");
    let cut = time("2011-10-10 00:00:00");
    let config = Config::default();
    let past: Vec<Vec<i64>> =
        customers.iter().map(|times| times.iter().copied().filter(|at| *at < cut).collect()).collect();
    let mut gaps = GapHistogram::default();
    past.iter().for_each(|times| times.windows(2).for_each(|pair| gaps.record(pair[1] - pair[0])));
    let cycle = gaps.cycle_ms(&config);
    eprintln!("cycle {:.1} days from {} gaps", cycle as f64 / DAY_MS as f64, gaps.total());

    let mut stages: BTreeMap<Stage, (u32, u32)> = BTreeMap::new();
    for (all, before) in customers.iter().zip(&past).filter(|(_, before)| !before.is_empty()) {
        let orders = Orders::from_iter(before.iter().copied());
        let (people, buyers) = stages.entry(stage_at(&orders, &config.bounds_of(&orders, cycle), cut)).or_default();
        *people += 1;
        *buyers += u32::from(all.iter().any(|at| (cut..cut + 60 * DAY_MS).contains(at)));
    }
    let share = |stage: Stage| {
        let (people, buyers) = stages[&stage];
        f64::from(buyers) / f64::from(people)
    };
    for (stage, (people, _)) in &stages {
        eprintln!("{:>8} {people:5} people, {:4.1} % buy within 60 days", stage.as_str(), 100.0 * share(*stage));
    }
    let falling = [Stage::Active, Stage::Sleep, Stage::Lost, Stage::Deep].map(share);
    assert!(falling.windows(2).all(|pair| pair[0] > pair[1]), "{falling:?}");
    assert!(share(Stage::New) < share(Stage::Active));
    assert_eq!(stages.keys().copied().collect::<BTreeSet<_>>().len(), 5, "everyone here has bought");
}
