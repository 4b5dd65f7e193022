//! What the regression knows of a customer: ten figures of their order days, all from the past.

use crate::value::{PurchaseDay, PurchaseDays};

/// Figures there are.
pub const FEATURES: usize = 10;

/// Spans that count orders of late, in days.
const SPANS: [i64; 3] = [14, 30, 90];
/// The gap that is assumed of somebody who bought once, in days; it counts as one gap of everybody's.
const PRIOR_GAP: f64 = 60.0;

/// The figures of a customer as of the end of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseFeatures([f64; FEATURES]);

impl PurchaseFeatures {
    /// The figures. None for a customer without an order by that day.
    #[must_use]
    pub fn of(customer: &PurchaseDays, today: i64) -> Option<Self> {
        let days = customer.until(today);
        let (first, last) = (days.first()?, days.last()?);
        let count = days.len() as f64;
        let since = |day: i64| today.saturating_sub(day) as f64;
        let (recency, tenure) = (since(last.day), since(first.day));
        let spent: f64 = days.iter().filter_map(|day| day.amount).map(|amount| amount.max(0) as f64).sum();
        let gap = (tenure - recency + PRIOR_GAP) / count;
        let lately = |span: i64| customer.count_between(today.saturating_sub(span), today) as f64;
        let [fortnight, month, quarter] = SPANS.map(lately);
        let log = libm::log1p;
        Some(Self([
            -log(recency),
            log(count - 1.0),
            log(spent / count),
            log(tenure),
            log(fortnight),
            log(month),
            log(quarter),
            -log(gap),
            -log(recency / gap),
            -log(last_gap(days).unwrap_or(PRIOR_GAP) / PRIOR_GAP),
        ]))
    }

    /// The figures in a fixed order.
    #[must_use]
    pub fn figures(&self) -> &[f64; FEATURES] {
        &self.0
    }

    /// The recency of the last order, greater for a later one: the score that this one has to beat.
    #[must_use]
    pub fn recency(&self) -> f64 {
        let [recency, ..] = self.0;
        recency
    }
}

/// Days between the last two orders.
fn last_gap(days: &[PurchaseDay]) -> Option<f64> {
    let [.., before, last] = days else { return None };
    Some(last.day.saturating_sub(before.day) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(orders: &[(i64, i64)]) -> PurchaseDays {
        orders.iter().map(|(day, amount)| PurchaseDay { day: *day, amount: Some(*amount) }).collect()
    }

    #[test]
    fn what_comes_later_changes_nothing() {
        let (past, all) = (customer(&[(10, 500), (40, 700)]), customer(&[(10, 500), (40, 700), (61, 900)]));
        assert_eq!(PurchaseFeatures::of(&past, 60), PurchaseFeatures::of(&all, 60));
        assert_ne!(PurchaseFeatures::of(&past, 61), PurchaseFeatures::of(&all, 61));
        assert_eq!(PurchaseFeatures::of(&past, 9), None);
    }

    #[test]
    fn figures_are_numbers_whatever_was_paid() {
        for orders in [vec![(0, 0)], vec![(0, -900), (1, i64::MAX)], vec![(i64::MIN, 5)]] {
            let found = PurchaseFeatures::of(&customer(&orders), 30).unwrap();
            assert!(found.figures().iter().all(|figure| figure.is_finite()), "{found:?}");
        }
    }

    #[test]
    fn who_bought_later_has_more_recency() {
        let of = |day: i64| PurchaseFeatures::of(&customer(&[(day, 500)]), 60).unwrap().recency();
        assert!(of(50) > of(40));
    }
}
