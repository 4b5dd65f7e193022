//! A year of a shop through the engine: what its customers look at and order, with orders that are told twice or late, and browsers that
//! turn out to be the same person's. The stages that come out, live and looked back at, are those of a plain reckoning, to the customer.
//!
//! `ENDCAP_TEST_CUSTOMERS` says how many customers (1,000 unless set). `cargo xtask bench replay` runs 50,000, optimized.

use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::customer_model::customer_orders::CustomerOrders;
use endcap_engine::customer_model::{CustomerModel, GroupTally, Grouping, Moment, NamedModel};
use endcap_engine::shop::Snapshot;
use endcap_engine::visit::refresh;
use endcap_profile::timers::TimerKey;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{DAY_MS, ProfileId, UnixMillis};
use endcap_targeting::Stage;
use serde_json::json;

use crate::support::{batch, first, move_fragment, page, receive, shop, track, viewed, with};

/// When the year begins: 2025-11-23, 00:00 UTC.
const BEGINS: UnixMillis = 20_415 * DAY_MS;
const DAYS: i64 = 365;
/// Days between two looks at everybody's stage.
const LOOKS: i64 = 30;
/// The shop's repurchase cycle.
const CYCLE_MS: i64 = 27 * DAY_MS + DAY_MS / 2;

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: i64) -> i64 {
        (self.next() % most.unsigned_abs().max(1)).cast_signed()
    }

    fn one_in(&mut self, many: i64) -> bool {
        self.below(many) == 0
    }
}

/// An order, as one of a customer's two browsers tells of it.
#[derive(Debug, Clone)]
struct Told {
    at: UnixMillis,
    received: UnixMillis,
    browser: usize,
    order: String,
    revenue_minor: i64,
}

/// What one customer does, and when what is done is received.
#[derive(Debug, Clone, Default)]
struct Script {
    /// Visits without an order.
    visits: Vec<(UnixMillis, usize)>,
    orders: Vec<Told>,
    /// When the second browser turns out to be the same person's.
    joins: Option<UnixMillis>,
}

impl Script {
    fn of(customer: usize) -> Self {
        let mut random = Random(customer as u64);
        let (mut script, ends) = (Self::default(), BEGINS + DAYS * DAY_MS);
        let browsers = if random.one_in(5) { 2 } else { 1 };
        if browsers == 2 {
            script.joins = Some(BEGINS + random.below(DAYS * DAY_MS)).filter(|_| !random.one_in(4));
        }
        // Some order weekly, some once in half a year, some never, and many come no more at some time.
        let pace = [7, 15, 30, 60, 180][random.below(5) as usize] * DAY_MS;
        let mut at = BEGINS + random.below(DAYS * DAY_MS);
        while at < ends {
            let browser = random.below(browsers) as usize;
            for _ in 0..random.below(5) {
                script.visits.push((at, browser));
                at += 60_000 + random.below(3 * DAY_MS);
            }
            if random.one_in(4) {
                break;
            }
            script.order(customer, at, browser, &mut random);
            at += DAY_MS / 24 + random.below(2 * pace);
        }
        script.visits.retain(|(at, _)| *at < ends);
        script.orders.retain(|told| told.received < ends);
        // Nobody can know of a browser that did nothing yet.
        let visited = script.visits.iter().filter(|(_, browser)| *browser == 1).map(|(at, _)| *at);
        let ordered = script.orders.iter().filter(|told| told.browser == 1).map(|told| told.received);
        let seen = visited.chain(ordered).min();
        script.joins = script.joins.filter(|joins| seen.is_some_and(|seen| seen < *joins));
        script
    }

    fn order(&mut self, customer: usize, at: UnixMillis, browser: usize, random: &mut Random) {
        let order = format!("o-{customer}-{}", self.orders.len());
        let revenue_minor = if random.one_in(50) { -500 } else { 500 + random.below(20_000) };
        let late = if random.one_in(20) { random.below(3 * DAY_MS) } else { 0 };
        let told = Told { at, received: at + late, browser, order, revenue_minor };
        if random.one_in(10) {
            let received = told.received + random.below(2 * DAY_MS);
            self.orders.push(Told { received, browser: random.below(2) as usize & browser, ..told.clone() });
        }
        self.orders.push(told);
    }

    /// The orders that are known of a browser's person at a time: by number, with time and amount.
    fn known(&self, browser: usize, until: UnixMillis) -> BTreeMap<&str, (UnixMillis, i64)> {
        let joined = self.joins.is_some_and(|joins| joins < until);
        let is_theirs = |told: &&Told| told.received < until && (joined || told.browser == browser);
        self.orders.iter().filter(is_theirs).map(|told| (told.order.as_str(), (told.at, told.revenue_minor))).collect()
    }
}

/// The stage that somebody with orders at these times is in, reckoned as the documentation says it.
fn plain_stage(mut times: Vec<UnixMillis>, now: UnixMillis) -> &'static str {
    times.sort_unstable();
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return "prospect" };
    let gaps = times.len() as i64 - 1;
    let cycle = if gaps == 0 { CYCLE_MS } else { (last - first + 3 * CYCLE_MS) / (gaps + 3) };
    let age = now - last;
    if age <= cycle {
        return if gaps == 0 { "new" } else { "active" };
    }
    if age <= 2 * cycle {
        return "sleep";
    }
    if age <= 3 * cycle || age <= 180 * DAY_MS { "lost" } else { "deep" }
}

/// A customer's profiles: one of each browser, until the second one's history moves to the first.
struct World {
    shop: Snapshot,
    names: [String; 2],
    rows: Vec<ProfileRow>,
    owner: [usize; 2],
    sent: u64,
}

impl World {
    fn new(shop: &Snapshot, customer: usize) -> Self {
        let names = [format!("c-{customer}"), format!("c-{customer}-b")];
        let rows = names.iter().map(|name| ProfileRow::new(ProfileId::parse(name).unwrap(), BEGINS)).collect();
        Self { shop: shop.clone(), names, rows, owner: [0, 1], sent: 0 }
    }

    /// Runs the timers that are due before a time, each at its own.
    fn pass(&mut self, until: UnixMillis) {
        for row in &mut self.rows {
            while let Some(at) = row.timers.due(&TimerKey::STAGE).filter(|at| *at < until) {
                row.timers.disarm(&TimerKey::STAGE);
                refresh(row, &self.shop, at);
            }
        }
    }

    fn take(&mut self, at: UnixMillis, browser: usize, told: Option<&Told>) {
        self.pass(at);
        self.sent += 1;
        let message = format!("m-{}-{}", self.names[browser], self.sent);
        let events = match told {
            Some(told) => vec![track(
                &message,
                told.at,
                "Order Completed",
                &json!({"order_id": told.order, "revenue": told.revenue_minor as f64 / 100.0, "currency": "EUR"}),
            )],
            None => vec![
                page(&message, at, "https://shop.example/p/boot"),
                viewed(&format!("{message}-v"), at, "boot", "shoes"),
            ],
        };
        let sent = with(batch(&events), "anonymous_id", json!(self.names[browser]));
        let row = &mut self.rows[self.owner[browser]];
        receive(row, &sent, at);
        refresh(row, &self.shop, at);
    }

    fn join(&mut self, at: UnixMillis) {
        self.pass(at);
        if move_fragment(&mut self.rows, (1, 0), &first(&self.names[1]), 2) {
            self.owner[1] = 0;
            self.rows.iter_mut().for_each(|row| drop(refresh(row, &self.shop, at)));
        }
    }

    /// What each profile's stage is, without looking at it again.
    fn check(&mut self, script: &Script, at: UnixMillis) {
        self.pass(at);
        for (browser, row) in self.rows.iter().enumerate().filter(|(_, row)| row.has_fragments()) {
            let times = script.known(browser, at).into_values().map(|(at, _)| at).collect();
            let found = row.stages.current().stage.as_str();
            assert_eq!(found, plain_stage(times, at), "{} at {at}: {script:?}", self.names[browser]);
        }
    }
}

/// Runs one customer's year, and says how many events it had.
fn live(world: &mut World, script: &Script) -> u64 {
    let visits = script.visits.iter().map(|(at, browser)| (*at, 0, *browser, None));
    let orders = script.orders.iter().map(|told| (told.received, 1, told.browser, Some(told)));
    let joins = script.joins.iter().map(|at| (*at, 2, 0, None));
    let looks = (1..=DAYS / LOOKS).map(|look| (BEGINS + look * LOOKS * DAY_MS, 3, 0, None));
    let mut all: Vec<(UnixMillis, u8, usize, Option<&Told>)> = visits.chain(orders).chain(joins).chain(looks).collect();
    all.sort_by_key(|(at, kind, ..)| (*at, *kind));
    let mut events = 0;
    for (at, kind, browser, told) in all {
        match kind {
            2 => world.join(at),
            3 => world.check(script, at),
            _ => {
                events += if told.is_some() { 1 } else { 2 };
                world.take(at, browser, told);
            }
        }
    }
    world.pass(BEGINS + DAYS * DAY_MS);
    events
}

/// Customers, buyers, orders and revenue of a movement, reckoned plainly.
type PlainCells = BTreeMap<(&'static str, &'static str), (u64, u64, u64, i64)>;

/// Adds what the orders of one person make.
fn add_plainly(cells: &mut PlainCells, orders: &BTreeMap<&str, (UnixMillis, i64)>, from: UnixMillis, to: UnixMillis) {
    let by = |moment| orders.values().filter(|(at, _)| *at < moment).map(|(at, _)| *at).collect::<Vec<_>>();
    let (was, is) = (plain_stage(by(from), from), plain_stage(by(to), to));
    if (was, is) == ("prospect", "prospect") {
        return;
    }
    let between: Vec<i64> =
        orders.values().filter(|(at, _)| (from..to).contains(at)).map(|(_, revenue)| *revenue).collect();
    let placed = between.iter().filter(|revenue| **revenue >= 0).count() as u64;
    let cell = cells.entry((was, is)).or_default();
    *cell = (cell.0 + 1, cell.1 + u64::from(placed > 0), cell.2 + placed, cell.3 + between.iter().sum::<i64>());
}

#[test]
fn a_year_of_a_shop_has_the_stages_of_a_plain_reckoning() {
    let customers = std::env::var("ENDCAP_TEST_CUSTOMERS").map_or(1_000, |text| text.parse().unwrap());
    let shop = Snapshot { cycle_ms: CYCLE_MS, ..shop(&[], &json!({})) };
    let days = [40, 100, 101, 250, 365].map(|day| BEGINS / DAY_MS + day);
    let spans: Vec<(i64, i64)> = days.iter().copied().zip(days.iter().copied().skip(1)).collect();
    let moments = |(from, to)| vec![Moment::of_day(from, &shop), Moment::of_day(to, &shop)];
    let groupings: Vec<Grouping> =
        spans.iter().map(|span| Grouping::new(CustomerModel::Nasld, moments(*span), &shop)).collect();
    let mut tallies = vec![GroupTally::default(); spans.len()];
    let mut plain = vec![PlainCells::new(); spans.len()];
    let mut events = 0;
    for customer in 0..customers {
        let script = Script::of(customer);
        let mut world = World::new(&shop, customer);
        events += live(&mut world, &script);
        for (browser, row) in world.rows.iter().enumerate().filter(|(_, row)| row.has_fragments()) {
            let person = Person::of(row);
            let orders = CustomerOrders::new(&person.orders, &shop);
            groupings.iter().zip(&mut tallies).for_each(|(grouping, tally)| tally.add(grouping, &orders));
            let known = script.known(browser, BEGINS + DAYS * DAY_MS);
            for ((from, to), cells) in spans.iter().zip(&mut plain) {
                add_plainly(cells, &known, from * DAY_MS, to * DAY_MS);
            }
        }
    }
    let mut seen = BTreeSet::new();
    let model = NamedModel::from(CustomerModel::Nasld);
    let name = |group| {
        let found = Stage::parse(model.name(group)).unwrap();
        found.as_str()
    };
    for (tally, plain) in tallies.iter().zip(&plain) {
        let found: PlainCells = tally
            .movements()
            .map(|(from, to, of)| ((name(from), name(to)), (of.customers, of.buyers, of.orders, of.revenue_minor)))
            .collect();
        assert_eq!(&found, plain);
        seen.extend(found.into_keys());
    }
    assert!(seen.len() > 20, "the year has most movements: {seen:?}");
    println!("replay: {customers} customers, {events} events");
}
