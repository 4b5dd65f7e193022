//! The groups of every lifecycle model, at one day.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::lifecycle::{Config, DAY_MS, GapHistogram, NAPL_DAYS, Napl, Nes, Orders, Stage, stage_at};
use crate::rfm::{RfmCounts, RfmValues, SecondAxis};
use crate::value::{PurchaseDay, PurchaseDays};

/// Gaps without which the usual cycle of 30 days is taken.
const LEAST_GAPS: usize = 100;

/// The orders of one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerOrders {
    /// When each order was placed, in milliseconds since 1970, and what was paid, in minor units.
    pub orders: Vec<(i64, i64)>,
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
    pub napl: BTreeMap<String, usize>,
    /// NES, by each customer's own cycle.
    pub nes: BTreeMap<String, usize>,
    /// NASLD, by each customer's own cycle.
    pub nasld: BTreeMap<String, usize>,
    /// The shop's cycle, in days: the median of the days between two order days of a customer.
    pub cycle_days: f64,
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
pub fn stages(customers: &[CustomerOrders], day: i64) -> StageReport {
    let now = day.saturating_mul(DAY_MS);
    let past = |customer: &CustomerOrders| -> Vec<(i64, i64)> {
        customer.orders.iter().copied().filter(|(at, paid)| *at < now && *paid > 0).collect()
    };
    let known: Vec<Vec<(i64, i64)>> = customers.iter().map(past).filter(|orders| !orders.is_empty()).collect();
    let days: Vec<Orders> = known.iter().map(|orders| order_days(orders)).collect();
    let times: Vec<Orders> = known.iter().map(|orders| orders.iter().map(|(at, _)| *at).collect()).collect();
    let cycle = median_gap(&known).unwrap_or(Config::default().default_cycle_ms);
    let config = Config::default();
    // Whole days since the last order day, up to the last day that is over.
    let over = now.saturating_sub(DAY_MS);
    let (scores, groups, by_frequency) = rfm(&known);
    StageReport {
        customers: known.len(),
        rfm_scores: scores,
        rfm: groups,
        rfm_by_frequency: by_frequency,
        napl: counted(times.iter().filter_map(|orders| Napl::of(orders, NAPL_DAYS * DAY_MS, now))),
        nes: counted(days.iter().filter_map(|orders| Nes::of(orders, config.cycle_of(orders, cycle), over))),
        nasld: nasld(&known, &times, &config, now),
        cycle_days: cycle as f64 / DAY_MS as f64,
    }
}

/// The days on which somebody ordered, as orders at their beginning.
fn order_days(orders: &[(i64, i64)]) -> Orders {
    days_of(orders).until(i64::MAX).iter().map(|day| day.day.saturating_mul(DAY_MS)).collect()
}

fn days_of(orders: &[(i64, i64)]) -> PurchaseDays {
    orders.iter().map(|(at, amount)| PurchaseDay { day: at.div_euclid(DAY_MS), amount: *amount }).collect()
}

/// The median of all gaps between order days, in milliseconds; None while there are too few.
fn median_gap(known: &[Vec<(i64, i64)>]) -> Option<i64> {
    let mut gaps: Vec<i64> = Vec::new();
    for orders in known {
        let days = days_of(orders);
        gaps.extend(days.until(i64::MAX).windows(2).filter_map(|pair| match pair {
            [before, after] => Some(after.day.saturating_sub(before.day)),
            _ => None,
        }));
    }
    gaps.sort_unstable();
    let median = gaps.get(gaps.len().saturating_sub(1) / 2).filter(|_| gaps.len() >= LEAST_GAPS)?;
    Some(median.saturating_mul(DAY_MS))
}

type Groups = BTreeMap<&'static str, usize>;

fn rfm(known: &[Vec<(i64, i64)>]) -> (RfmScores, Groups, Groups) {
    let values = |orders: &Vec<(i64, i64)>| RfmValues {
        last_day: orders.iter().map(|(at, _)| at.div_euclid(DAY_MS)).max().unwrap_or_default(),
        orders: u32::try_from(orders.len()).unwrap_or(u32::MAX),
        spent: orders.iter().fold(0, |sum: i64, (_, amount)| sum.saturating_add(*amount)),
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

/// The stages as the edge works them out: times to the millisecond, and the shop's cycle from its histogram.
fn nasld(known: &[Vec<(i64, i64)>], times: &[Orders], config: &Config, now: i64) -> BTreeMap<String, usize> {
    let mut gaps = GapHistogram::default();
    for orders in known {
        let mut at: Vec<i64> = orders.iter().map(|(at, _)| *at).collect();
        at.sort_unstable();
        at.windows(2).for_each(|pair| {
            if let [before, after] = pair {
                gaps.record(after.saturating_sub(*before));
            }
        });
    }
    let cycle = gaps.cycle_ms(config);
    let stage = |orders: &Orders| -> Stage { stage_at(orders, &config.bounds_of(orders, cycle), now) };
    counted(times.iter().map(stage))
}

fn counted<T: std::fmt::Debug>(groups: impl Iterator<Item = T>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for group in groups {
        *counts.entry(format!("{group:?}")).or_default() += 1;
    }
    counts
}
