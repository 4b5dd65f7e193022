//! Who keeps how much of a room that all share, and who loses first when it is full: the greediest.
//!
//! Shares are compared by source, then by client address within it, then by browser within that. So whoever sends most
//! loses their own first, whatever they call themselves, and what few others sent stays.

use std::collections::{BTreeMap, VecDeque};

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    /// The source.
    pub source: String,
    /// The number of the client's address; 0 where it is not known.
    pub client: u32,
    /// A hash of the browser, or of whomever else it is about.
    pub browser: i64,
}

/// Something that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    seq: i64,
    weight: u64,
}

/// All that is kept, by sender.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    kept: BTreeMap<Sender, VecDeque<Kept>>,
    total: u64,
}

/// Sums of one level, by what tells its members apart.
#[derive(Default)]
struct Sums<'a> {
    sources: BTreeMap<&'a str, u64>,
    clients: BTreeMap<(&'a str, u32), u64>,
}

impl Shares {
    /// Adds something with its number, which is higher than those before, and how much room it takes.
    pub fn add(&mut self, sender: Sender, seq: i64, weight: u64) {
        self.kept.entry(sender).or_default().push_back(Kept { seq, weight });
        self.total = self.total.saturating_add(weight);
    }

    /// The room that all takes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Takes out what has to go so that at most `most` is left: of the greediest the oldest, again and again. Returns the
    /// numbers.
    pub fn evict(&mut self, most: u64) -> Vec<i64> {
        let mut gone = Vec::new();
        let mut kept = std::mem::take(&mut self.kept);
        let senders: Vec<Sender> = kept.keys().cloned().collect();
        let mut weights: Vec<u64> =
            kept.values().map(|items| items.iter().fold(0, |sum: u64, item| sum.saturating_add(item.weight))).collect();
        let mut sums = Sums::default();
        for (sender, weight) in senders.iter().zip(&weights) {
            *sums.sources.entry(&sender.source).or_default() += weight;
            *sums.clients.entry((&sender.source, sender.client)).or_default() += weight;
        }
        while self.total > most {
            let Some(greediest) = sums.greediest(&senders, &weights) else { break };
            let Some((sender, weight)) = senders.get(greediest).zip(weights.get_mut(greediest)) else { break };
            let Some(item) = kept.get_mut(sender).and_then(VecDeque::pop_front) else { break };
            gone.push(item.seq);
            *weight = weight.saturating_sub(item.weight);
            self.total = self.total.saturating_sub(item.weight);
            sums.take(sender, item.weight);
        }
        kept.retain(|_, items| !items.is_empty());
        self.kept = kept;
        gone
    }
}

impl<'a> Sums<'a> {
    /// The sender with the largest share of the client with the largest share of the source with the largest share.
    fn greediest(&self, senders: &[Sender], weights: &[u64]) -> Option<usize> {
        let (source, _) = self.sources.iter().max_by_key(|(_, sum)| **sum)?;
        let of_source = self.clients.range((*source, 0)..=(*source, u32::MAX));
        let ((_, client), _) = of_source.max_by_key(|(_, sum)| **sum)?;
        let theirs = |sender: &Sender| sender.source == *source && sender.client == *client;
        let all = senders.iter().zip(weights).enumerate();
        let (at, _) = all.filter(|(_, (sender, _))| theirs(sender)).max_by_key(|(_, (_, weight))| **weight)?;
        Some(at)
    }

    fn take(&mut self, sender: &'a Sender, weight: u64) {
        if let Some(sum) = self.sources.get_mut(sender.source.as_str()) {
            *sum = sum.saturating_sub(weight);
        }
        if let Some(sum) = self.clients.get_mut(&(sender.source.as_str(), sender.client)) {
            *sum = sum.saturating_sub(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sender(source: &str, client: u32, browser: i64) -> Sender {
        Sender { source: source.to_owned(), client, browser }
    }

    #[test]
    fn the_greediest_loses_its_oldest_first() {
        let mut shares = Shares::default();
        shares.add(sender("shop", 1, 1), 0, 1);
        (1..=9).for_each(|n| shares.add(sender("shop", 2, n), n, 1));
        (10..=12).for_each(|n| shares.add(sender("app", 3, 1), n, 1));
        shares.add(sender("shop", 2, 4), 13, 1);
        assert_eq!(shares.evict(13), [4], "the browser that has two");
        assert_eq!(shares.evict(9).len(), 4);
        assert_eq!(shares.total(), 9);
        // Down to a third each, the one honest event and those of the other source are there.
        let mut left = shares.clone();
        let gone = left.evict(4);
        assert!(!gone.contains(&0) && gone.len() == 5);
        assert_eq!(left.evict(0).len(), 4);
        assert_eq!((left.total(), left.evict(0)), (0, vec![]));
    }

    #[test]
    fn whoever_takes_many_names_takes_no_more_than_with_one() {
        let mut shares = Shares::default();
        (0..5).for_each(|n| shares.add(sender("shop", 7, 1000 + n), n, 1));
        (5..10_000).for_each(|n| shares.add(sender("shop", 9, n), n, 1));
        let gone = shares.evict(100);
        assert_eq!(gone.len(), 9_900);
        assert!(gone.iter().all(|seq| *seq >= 5), "the other client keeps its five");
    }

    #[test]
    fn what_is_heavy_counts_as_much() {
        let mut shares = Shares::default();
        shares.add(sender("shop", 1, 1), 0, 8);
        (1..=6).for_each(|n| shares.add(sender("shop", 2, 1), n, 1));
        assert_eq!(shares.evict(13), [0]);
        assert_eq!(shares.total(), 6);
    }

    proptest! {
        #[test]
        fn nobody_loses_who_has_no_more_than_anybody_else_is_left(
            all in proptest::collection::vec((0_u32..4, 0_i64..4, 1_u64..5), 1..200), most in 0_u64..300,
        ) {
            let mut shares = Shares::default();
            let mut before: BTreeMap<u32, u64> = BTreeMap::new();
            for (seq, (client, browser, weight)) in (0..).zip(&all) {
                shares.add(sender("shop", *client, *browser), seq, *weight);
                *before.entry(*client).or_default() += weight;
            }
            let total = shares.total();
            let gone = shares.evict(most);
            prop_assert!(shares.total() <= most);
            prop_assert!(total <= most || shares.total() + 5 > most, "no more goes than has to");
            let mut after = before.clone();
            for seq in &gone {
                let (client, _, weight) = all[usize::try_from(*seq).unwrap()];
                *after.get_mut(&client).unwrap() -= weight;
            }
            for (client, weight) in &after {
                if *weight < before[client] {
                    let largest = after.values().max().unwrap();
                    prop_assert!(weight + 5 > *largest, "{client} lost and has {weight}, another {largest}");
                }
            }
        }
    }
}
