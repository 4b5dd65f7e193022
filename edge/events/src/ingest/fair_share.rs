//! Who keeps how much of a room that all share, and who loses first when it is full: the greediest.
//!
//! Shares are compared by source, then by client address within it, then by browser within that. So whoever sends most
//! loses their own first, whatever they call themselves, and what few others sent stays.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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

/// Members of one level, the one with the largest share last.
type Ranks<T> = BTreeSet<(u64, T)>;

/// Moves a member of a level to where its new share belongs.
fn rank<T: Ord>(ranks: &mut Ranks<T>, member: T, before: u64, after: u64) {
    let mut entry = (before, member);
    ranks.remove(&entry);
    entry.0 = after;
    ranks.insert(entry);
}

/// Who has the largest share on each of the three levels. Levels above hold sums.
#[derive(Default)]
struct Greed<'a> {
    sources: Ranks<&'a str>,
    clients: BTreeMap<&'a str, Ranks<u32>>,
    browsers: BTreeMap<(&'a str, u32), Ranks<i64>>,
}

/// Shares on the way from a source to one of its browsers.
struct Greediest<'a> {
    source: (u64, &'a str),
    client: (u64, u32),
    browser: (u64, i64),
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
        let senders: Vec<Sender> = self.kept.keys().cloned().collect();
        let mut greed = Greed::of(senders.iter().zip(self.kept.values()));
        while self.total > most {
            let Some(greediest) = greed.greediest() else { break };
            let sender = greediest.sender();
            let Some(items) = self.kept.get_mut(&sender) else { break };
            let Some(item) = items.pop_front() else { break };
            if items.is_empty() {
                self.kept.remove(&sender);
            }
            gone.push(item.seq);
            self.total = self.total.saturating_sub(item.weight);
            greed.take(&greediest, item.weight);
        }
        gone
    }
}

impl Greediest<'_> {
    fn sender(&self) -> Sender {
        Sender { source: self.source.1.to_owned(), client: self.client.1, browser: self.browser.1 }
    }
}

impl<'a> Greed<'a> {
    fn of<'b>(kept: impl Iterator<Item = (&'a Sender, &'b VecDeque<Kept>)>) -> Self {
        let (mut greed, mut sources) = (Self::default(), BTreeMap::<&str, u64>::new());
        let mut clients = BTreeMap::<(&str, u32), u64>::new();
        for (Sender { source, client, browser }, items) in kept {
            let weight = items.iter().fold(0, |sum: u64, item| sum.saturating_add(item.weight));
            *sources.entry(source).or_default() += weight;
            *clients.entry((source, *client)).or_default() += weight;
            greed.browsers.entry((source, *client)).or_default().insert((weight, *browser));
        }
        for ((source, client), sum) in clients {
            greed.clients.entry(source).or_default().insert((sum, client));
        }
        greed.sources = sources.into_iter().map(|(source, sum)| (sum, source)).collect();
        greed
    }

    /// The browser with the largest share of the client with the largest share of the source with the largest share.
    fn greediest(&self) -> Option<Greediest<'a>> {
        let source = *self.sources.last()?;
        let client = *self.clients.get(source.1)?.last()?;
        let browser = *self.browsers.get(&(source.1, client.1))?.last()?;
        Some(Greediest { source, client, browser })
    }

    /// Notes that a sender has so much less.
    fn take(&mut self, from: &Greediest<'a>, weight: u64) {
        let less = |share: u64| share.saturating_sub(weight);
        let Greediest { source, client, browser } = from;
        rank(&mut self.sources, source.1, source.0, less(source.0));
        if let Some(clients) = self.clients.get_mut(source.1) {
            rank(clients, client.1, client.0, less(client.0));
        }
        if let Some(browsers) = self.browsers.get_mut(&(source.1, client.1)) {
            rank(browsers, browser.1, browser.0, less(browser.0));
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
