//! The groups of every lifecycle model, at one day.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::lifecycle::{Config, DAY_MS, GapHistogram, NAPL_DAYS, Napl, Nes, Orders, stage_at};
use crate::rfm::{RfmCounts, RfmValues, SecondAxis};
use crate::value::{PurchaseDay, PurchaseDays};

/// One order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedOrder {
    /// When it was placed, in milliseconds since 1970.
    pub at: i64,
    /// What was paid, in minor units.
    pub amount: i64,
}

/// How many customers are in each group of each model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageReport {
    /// Customers who had bought by the day.
    pub customers: usize,
    /// RFM's scores, 1 to 5.
    pub rfm_scores: RfmScores,
    /// RFM's named groups, by recency and the mean of frequency and monetary value.
    pub rfm: BTreeMap<&'static str, usize>,
    /// The same by recency and frequency alone.
    pub rfm_by_frequency: BTreeMap<&'static str, usize>,
    /// NAPL, over 90 days.
    pub napl: BTreeMap<&'static str, usize>,
    /// NES, by each customer's own cycle.
    pub nes: BTreeMap<&'static str, usize>,
    /// NASLD, by each customer's own cycle.
    pub nasld: BTreeMap<&'static str, usize>,
    /// The shop's cycle for NES, in days: the median of the days between two order days of a customer.
    pub nes_cycle_days: f64,
    /// That for NASLD: the median of the time between two orders of a customer, from the edge's histogram.
    pub nasld_cycle_days: f64,
}

/// How many customers have each score.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RfmScores {
    /// By how lately.
    pub recency: BTreeMap<u8, usize>,
    /// By how often.
    pub frequency: BTreeMap<u8, usize>,
    /// By how much.
    pub monetary: BTreeMap<u8, usize>,
}

/// Puts customers into groups as of the beginning of a day: the day itself has not been. Orders of nothing are left out.
#[must_use]
pub fn stages(customers: &[Vec<PlacedOrder>], day: i64) -> StageReport {
    let now = day.saturating_mul(DAY_MS);
    let past = |customer: &Vec<PlacedOrder>| -> Vec<PlacedOrder> {
        customer.iter().copied().filter(|order| order.at < now && order.amount > 0).collect()
    };
    let known: Vec<Vec<PlacedOrder>> = customers.iter().map(past).filter(|orders| !orders.is_empty()).collect();
    let days: Vec<Orders> = known.iter().map(|orders| order_days(orders)).collect();
    let times: Vec<Orders> = known.iter().map(|orders| orders.iter().map(|order| order.at).collect()).collect();
    let cycle = median_gap(&known).unwrap_or(Config::default().default_cycle_ms);
    let config = Config::default();
    // Whole days since the last order day, up to the last day that is over.
    let over = now.saturating_sub(DAY_MS);
    let usual = usual_cycle(&known, &config);
    let stage = |orders: &Orders| stage_at(orders, &config.bounds_of(orders, usual), now).as_str();
    let (scores, groups, by_frequency) = rfm(&known);
    StageReport {
        customers: known.len(),
        rfm_scores: scores,
        rfm: groups,
        rfm_by_frequency: by_frequency,
        napl: counted(times.iter().filter_map(|orders| Some(Napl::of(orders, NAPL_DAYS * DAY_MS, now)?.as_str()))),
        nes: counted(
            days.iter().filter_map(|orders| Some(Nes::of(orders, config.cycle_of(orders, cycle), over)?.as_str())),
        ),
        nasld: counted(times.iter().map(stage)),
        nes_cycle_days: cycle as f64 / DAY_MS as f64,
        nasld_cycle_days: usual as f64 / DAY_MS as f64,
    }
}

/// The days on which somebody ordered, as orders at their beginning.
fn order_days(orders: &[PlacedOrder]) -> Orders {
    days_of(orders).until(i64::MAX).iter().map(|day| day.day.saturating_mul(DAY_MS)).collect()
}

fn days_of(orders: &[PlacedOrder]) -> PurchaseDays {
    orders.iter().map(|order| PurchaseDay { day: order.at.div_euclid(DAY_MS), amount: Some(order.amount) }).collect()
}

/// The median of all gaps between order days, in milliseconds; None while there are too few.
fn median_gap(known: &[Vec<PlacedOrder>]) -> Option<i64> {
    let mut gaps: Vec<i64> = Vec::new();
    for orders in known {
        let days = days_of(orders);
        gaps.extend(days.until(i64::MAX).windows(2).filter_map(|pair| match pair {
            [before, after] => Some(after.day.saturating_sub(before.day)),
            _ => None,
        }));
    }
    gaps.sort_unstable();
    let median =
        gaps.get(gaps.len().saturating_sub(1) / 2).filter(|_| gaps.len() as u64 >= Config::default().least_gaps)?;
    Some(median.saturating_mul(DAY_MS))
}

type Groups = BTreeMap<&'static str, usize>;

fn rfm(known: &[Vec<PlacedOrder>]) -> (RfmScores, Groups, Groups) {
    let values = |orders: &Vec<PlacedOrder>| RfmValues {
        last_day: orders.iter().map(|order| order.at.div_euclid(DAY_MS)).max().unwrap_or_default(),
        orders: u32::try_from(orders.len()).unwrap_or(u32::MAX),
        spent: orders.iter().fold(0, |sum: i64, order| sum.saturating_add(order.amount)),
    };
    let values: Vec<RfmValues> = known.iter().map(values).collect();
    let mut counts = RfmCounts::default();
    values.iter().for_each(|customer| counts.add(customer));
    let cuts = counts.cuts();
    let (mut scores, mut groups, mut by_frequency) = (RfmScores::default(), Groups::new(), Groups::new());
    for score in values.iter().map(|customer| cuts.score(customer)) {
        *scores.recency.entry(score.recency).or_default() += 1;
        *scores.frequency.entry(score.frequency).or_default() += 1;
        *scores.monetary.entry(score.monetary).or_default() += 1;
        *groups.entry(score.group(SecondAxis::FrequencyAndMonetary).as_str()).or_default() += 1;
        *by_frequency.entry(score.group(SecondAxis::Frequency).as_str()).or_default() += 1;
    }
    (scores, groups, by_frequency)
}

/// The shop's cycle as the edge works it out: times to the millisecond, and the median from a histogram.
fn usual_cycle(known: &[Vec<PlacedOrder>], config: &Config) -> i64 {
    let mut gaps = GapHistogram::default();
    for orders in known {
        let mut at: Vec<i64> = orders.iter().map(|order| order.at).collect();
        at.sort_unstable();
        at.windows(2).for_each(|pair| {
            if let [before, after] = pair {
                gaps.record(after.saturating_sub(*before));
            }
        });
    }
    gaps.cycle_ms(config)
}

fn counted(groups: impl Iterator<Item = &'static str>) -> Groups {
    let mut counts = Groups::new();
    for group in groups {
        *counts.entry(group).or_default() += 1;
    }
    counts
}
