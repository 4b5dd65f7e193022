//! What one visitor did, as far as conditions and recommendations ask.
//!
//! Role in the flow of one event: the edge applies it to the fragment's behaviour and sends the result; the page applies
//! the same acts on top for what the edge has not seen yet. Everything is bounded, so it stays a few hundred bytes.

use endcap_protocol::commerce::{Commerce, Line, Order};
use endcap_protocol::{Consent, UnixMillis};

use crate::act::{Act, category_of};
use crate::cart::Cart;
use crate::codec::{Damaged, Reader, Writer};
use crate::frequency::Seen;
use crate::stage::Stage;
use crate::table::{Table, sort_small};

/// Categories remembered; the one touched longest ago is forgotten first.
pub const CATEGORIES: usize = 24;
/// Distinct products remembered per category, the latest.
pub const VIEWED: usize = 16;
/// Categories remembered of a person of several browsers; the one touched longest ago is forgotten first.
pub const PERSON_CATEGORIES: usize = 96;
/// Products viewed remembered in order, the latest first.
pub const RECENT: usize = 10;
/// Version of the binary form.
const VERSION: u8 = 1;

/// What a visitor did in one category.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CategoryFacts {
    /// Distinct products viewed, the latest last.
    pub viewed: Vec<String>,
    /// Units put into the cart so far.
    pub added: u32,
    /// Units bought.
    pub bought: u32,
    /// When it was last touched.
    pub last_at: UnixMillis,
}

/// What one visitor did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behaviour {
    /// Time of the first event; 0 before any.
    pub first_seen: UnixMillis,
    /// Time of the latest event.
    pub last_seen: UnixMillis,
    /// The current session.
    pub session: String,
    /// Number of sessions, the current one included.
    pub sessions: u32,
    /// Pages viewed in the current session.
    pub page_views: u32,
    /// Orders completed.
    pub orders: u32,
    /// Time of the latest order.
    pub last_order: Option<UnixMillis>,
    /// Lifecycle stage, as the edge last worked it out.
    pub stage: Stage,
    /// What was consented to.
    pub consent: Consent,
    /// Whether this browser is subscribed to web push.
    pub push_subscribed: bool,
    /// By category ID; the empty ID stands for products without one.
    pub categories: Table<CategoryFacts>,
    /// The cart.
    pub cart: Cart,
    /// Products viewed, the latest first.
    pub recent: Vec<String>,
    /// Campaigns shown.
    pub seen: Seen,
}

impl Behaviour {
    /// Applies one act that happened at `at`.
    pub fn apply(&mut self, act: &Act, at: UnixMillis) {
        self.seen_at(at);
        match act {
            Act::Session(id) if self.session == id.as_str() => {}
            Act::Session(id) => {
                id.as_str().clone_into(&mut self.session);
                self.sessions = self.sessions.saturating_add(1);
                self.page_views = 0;
            }
            Act::PageViewed => self.page_views = self.page_views.saturating_add(1),
            Act::Commerce(commerce) => self.commerce(commerce, at),
            Act::Consented(consent) => self.consent = *consent,
            Act::Push(subscribed) => self.push_subscribed = *subscribed,
            Act::Shown(campaign) => {
                let session = self.session.clone();
                self.seen.record(campaign, &session, at);
            }
        }
    }

    /// Notes that something happened at `at`.
    pub fn seen_at(&mut self, at: UnixMillis) {
        if self.first_seen == 0 || at < self.first_seen {
            self.first_seen = at;
        }
        self.last_seen = self.last_seen.max(at);
    }

    fn commerce(&mut self, commerce: &Commerce, at: UnixMillis) {
        match commerce {
            Commerce::Viewed(line) => self.viewed(line, at),
            Commerce::Added(line) => {
                let facts = self.category(line, at);
                facts.added = facts.added.saturating_add(line.quantity);
                self.cart.add(line, at);
            }
            Commerce::Removed(line) => self.cart.remove(line, at),
            Commerce::CartViewed(Some(lines)) => self.cart.replace(lines, at),
            Commerce::Ordered(order) => self.ordered(order, at),
            _ => {}
        }
    }

    fn viewed(&mut self, line: &Line, at: UnixMillis) {
        push_latest(&mut self.category(line, at).viewed, line.product.as_str(), VIEWED);
        self.recent.retain(|product| product != line.product.as_str());
        self.recent.insert(0, line.product.as_str().to_owned());
        self.recent.truncate(RECENT);
    }

    fn ordered(&mut self, order: &Order, at: UnixMillis) {
        for line in &order.lines {
            let facts = self.category(line, at);
            facts.bought = facts.bought.saturating_add(line.quantity);
        }
        self.orders = self.orders.saturating_add(1);
        self.last_order = self.last_order.max(Some(at));
        // Right after an order no time has passed, so the stage needs no cycle: the page knows it before the edge.
        self.stage = if self.orders > 1 { Stage::Active } else { Stage::New };
        self.cart = Cart { changed_at: at, lines: Vec::new() };
    }

    fn category(&mut self, line: &Line, at: UnixMillis) -> &mut CategoryFacts {
        let name = category_of(line);
        if self.categories.get(name).is_none() && self.categories.len() >= CATEGORIES {
            self.forget_oldest_category();
        }
        let facts = self.categories.entry(name);
        facts.last_at = facts.last_at.max(at);
        facts
    }

    fn forget_oldest_category(&mut self) {
        let oldest = self.categories.iter().min_by_key(|(_, facts)| facts.last_at).map(|(id, _)| id.clone());
        self.categories.remove(&oldest.unwrap_or_default());
    }

    /// Adds up a number over one category, or over all.
    #[must_use]
    pub fn sum(&self, category: Option<&str>, number: impl Fn(&CategoryFacts) -> i64) -> i64 {
        match category {
            Some(name) => self.categories.get(name).map_or(0, number),
            None => self.categories.values().map(number).sum(),
        }
    }

    /// Named categories, the one touched last first; ties in the order of their names.
    #[must_use]
    pub fn categories_by_recency(&self) -> Vec<&str> {
        let mut named: Vec<_> = self.categories.iter().filter(|(name, _)| !name.is_empty()).collect();
        // They come in the order of their names, which the sort keeps among equals.
        sort_small(&mut named, |(_, a), (_, b)| a.last_at > b.last_at);
        named.into_iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Adds what the same person did in another browser. The order of merging does not matter as long as bounds are not
    /// reached; the edge always merges in canonical order.
    pub fn merge(&mut self, other: &Self) {
        if other.last_seen > self.last_seen {
            self.session.clone_from(&other.session);
            self.page_views = other.page_views;
            self.recent = union_latest(&other.recent, &self.recent);
        } else {
            self.recent = union_latest(&self.recent, &other.recent);
        }
        self.first_seen = match (self.first_seen, other.first_seen) {
            (0, seen) | (seen, 0) => seen,
            (a, b) => a.min(b),
        };
        self.last_seen = self.last_seen.max(other.last_seen);
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.orders = self.orders.saturating_add(other.orders);
        self.last_order = self.last_order.max(other.last_order);
        self.push_subscribed |= other.push_subscribed;
        self.consent = self.consent.stricter(other.consent);
        if other.cart.changed_at > self.cart.changed_at {
            self.cart = other.cart.clone();
        }
        self.seen.merge(&other.seen);
        for (name, theirs) in other.categories.iter() {
            self.categories.entry(name).merge(theirs);
        }
        self.keep_categories(PERSON_CATEGORIES);
    }

    /// Keeps so many categories, those touched last.
    pub fn keep_categories(&mut self, most: usize) {
        while self.categories.len() > most {
            self.forget_oldest_category();
        }
    }

    /// Keeps so many products viewed of each category, the latest.
    pub fn keep_viewed(&mut self, most: usize) {
        for facts in self.categories.values_mut() {
            cut(&mut facts.viewed, most);
        }
    }

    /// The binary form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.signed(self.first_seen);
        out.signed(self.last_seen);
        out.text(&self.session);
        for number in [self.sessions, self.page_views, self.orders] {
            out.unsigned(number.into());
        }
        out.signed(self.last_order.unwrap_or(i64::MIN));
        out.byte(self.stage.code());
        out.byte(self.consent.bits() | u8::from(self.push_subscribed) << 3);
        out.list(self.categories.iter(), |out, (name, facts)| {
            out.text(name);
            facts.write(out);
        });
        self.cart.write(&mut out);
        out.list(self.recent.iter(), |out, product| out.text(product));
        self.seen.write(&mut out);
        out.finish()
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// When it is damaged or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut input = Reader::new(bytes);
        if input.byte() != VERSION {
            return Err(Damaged);
        }
        let mut behaviour = Self {
            first_seen: input.signed(),
            last_seen: input.signed(),
            session: input.text(),
            sessions: input.small(),
            page_views: input.small(),
            orders: input.small(),
            ..Self::default()
        };
        behaviour.last_order = Some(input.signed()).filter(|at| *at != i64::MIN);
        behaviour.stage = Stage::from_code(input.byte()).unwrap_or_else(|| {
            input.fail();
            Stage::default()
        });
        let flags = input.byte();
        behaviour.consent = Consent::from_bits(flags);
        behaviour.push_subscribed = flags & 8 != 0;
        behaviour.categories = Table::from_entries(input.list(|input| (input.text(), CategoryFacts::read(input))));
        behaviour.cart = Cart::read(&mut input);
        behaviour.recent = input.list(Reader::text);
        behaviour.seen = Seen::read(&mut input);
        input.done().map(|()| behaviour)
    }
}

impl CategoryFacts {
    fn merge(&mut self, other: &Self) {
        let (older, newer) =
            if other.last_at > self.last_at { (&self.viewed, &other.viewed) } else { (&other.viewed, &self.viewed) };
        let mut viewed = older.clone();
        for product in newer {
            push_latest(&mut viewed, product, VIEWED);
        }
        self.viewed = viewed;
        self.added = self.added.saturating_add(other.added);
        self.bought = self.bought.saturating_add(other.bought);
        self.last_at = self.last_at.max(other.last_at);
    }

    fn write(&self, out: &mut Writer) {
        out.list(self.viewed.iter(), |out, product| out.text(product));
        out.unsigned(self.added.into());
        out.unsigned(self.bought.into());
        out.signed(self.last_at);
    }

    fn read(input: &mut Reader<'_>) -> Self {
        Self { viewed: input.list(Reader::text), added: input.small(), bought: input.small(), last_at: input.signed() }
    }
}

/// Moves or adds `item` to the end and drops from the front what is over `max`.
fn push_latest(list: &mut Vec<String>, item: &str, max: usize) {
    list.retain(|held| held != item);
    list.push(item.to_owned());
    cut(list, max);
}

/// Drops from the front what is over `max`.
fn cut(list: &mut Vec<String>, max: usize) {
    let surplus = list.len().saturating_sub(max);
    list.drain(..surplus);
}

/// `first`, then what only `second` has, cut to [`RECENT`].
fn union_latest(first: &[String], second: &[String]) -> Vec<String> {
    let mut union = first.to_vec();
    union.extend(second.iter().filter(|item| !first.contains(item)).cloned());
    union.truncate(RECENT);
    union
}
