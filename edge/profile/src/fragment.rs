//! A fragment: what one browser did between two resets, or between two people's logins.

use std::collections::BTreeMap;

use endcap_events::ingest::consent::ConsentSource;
use endcap_events::ingest::event::{Event, Impression, Kind, Reaction};
use endcap_events::traits::{MAX_TRAITS, Trait};
use endcap_identity::server_fragment::is_derived;
use endcap_identity::{Evidence, FragmentId, LinkStrength, Namespace, StatedLink};
use endcap_models::recommend::VisitContext;
use endcap_protocol::commerce::{Commerce, Order};
use endcap_protocol::{AnonymousId, Consent, DeviceId, SessionId, UnixMillis, UserId};
use endcap_targeting::{Act, Behaviour};
use endcap_validation::{DomainError, Trust};
use serde::{Deserialize, Serialize};

use crate::bounded::keep_latest;
use crate::consents;
use crate::consents::ConsentRecord;
use crate::dedupe::{Accepted, Block};
use crate::evidence_policy::EvidencePolicy;
use crate::push_record::PushRecord;
use crate::sessions::Sessions;
use crate::signal::Signal;
use crate::timeline::{ImpressionRecord, MAX_EVENTS, MAX_IMPRESSIONS, MAX_ORDERS, OrderRecord, TimelineEvent};
use crate::touchpoint::{Touches, Touchpoint};

/// Somebody said who the visitor is, without the shop's proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The user ID claimed.
    pub user_id: UserId,
    /// When.
    pub at: UnixMillis,
}

/// Whom a fragment is said to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The user.
    pub user_id: UserId,
    /// How far that is believed.
    pub trust: Trust,
    /// Since when.
    pub at: UnixMillis,
}

/// What one browser did between two resets, or between two people's logins. Its history is only ever added to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Fragment {
    /// The installation, once the browser said.
    pub device_id: Option<DeviceId>,
    /// What conditions ask about.
    #[serde(with = "crate::packed::behaviour")]
    pub behaviour: Behaviour,
    /// When the consent was last given or changed.
    pub consent_at: Option<UnixMillis>,
    /// The page's own clock then.
    pub consent_said_at: Option<UnixMillis>,
    /// IANA time zone of the browser, empty when unknown.
    pub zone: String,
    /// Sessions met lately.
    pub sessions: Sessions,
    /// Arrivals.
    pub touches: Touches,
    /// Traits with the time each was set.
    pub traits: BTreeMap<String, (UnixMillis, Trait)>,
    /// Unproved identifies, at most 8.
    pub claims: Vec<Claim>,
    /// Orders.
    pub orders: Vec<OrderRecord>,
    /// Impressions.
    pub impressions: Vec<ImpressionRecord>,
    /// Recent events.
    pub events: Vec<TimelineEvent>,
    /// Events accepted in all.
    pub accepted: u64,
    /// Products viewed in the current session.
    pub visit_context: VisitContext,
    /// Message IDs accepted within the dedupe window.
    pub messages: Accepted,
    /// How consent changed, the earliest first.
    pub consents: Vec<ConsentRecord>,
    /// When it was begun, on the edge's clock.
    pub since: UnixMillis,
    /// The browser; None for what a server keeps of somebody.
    pub browser: Option<AnonymousId>,
    /// Whom it is said to be.
    pub user: Option<Named>,
    /// Evidence about whose it is, the earliest first. The graph has it or will get it.
    pub said: Vec<Evidence>,
    /// The fragment that took over when somebody else logged in: this one is closed.
    pub successor: Option<FragmentId>,
    /// What links it to its profile.
    #[serde(rename = "standing")]
    pub link_strength: LinkStrength,
    /// Version of the assignment that put it there.
    #[serde(rename = "seat_version")]
    pub assignment_version: u64,
    /// Push messages that were decided for its browser, the latest last.
    pub pushes: Vec<PushRecord>,
}

/// Most claims that a fragment keeps as evidence, and as many proofs.
const MAX_SAID: usize = 32;

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// The fragment knew it already; nothing changed.
    Duplicate,
    /// It was applied; this is what it teaches.
    Accepted(Vec<Signal>),
}

impl Fragment {
    /// A fragment that begins.
    #[must_use]
    pub fn begun(browser: &AnonymousId, at: UnixMillis) -> Self {
        let browser = (!is_derived(browser)).then(|| browser.clone());
        Self { since: at, browser, ..Self::default() }
    }

    /// Reads a fragment that another object sent.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, DomainError> {
        postcard::from_bytes(bytes).map_err(|error| DomainError::Internal(error.to_string()))
    }

    /// Whether an event names another user than the fragment has: then the fragment closes and a successor begins. An
    /// event from before that user was named, or one that gives that user as its previous ID, does not count. A proof goes
    /// before a claim, whenever it was made: nobody takes a proved user from a browser by a claim, nor keeps one away.
    #[must_use]
    pub fn is_anothers(&self, user: &UserId, trust: Trust, event: &Event) -> bool {
        let other = self.user.as_ref().filter(|named| named.user_id != *user && trust >= named.trust);
        other.is_some_and(|named| {
            let counts = event.at >= named.at || trust > named.trust;
            counts && event.previous_id.as_ref() != Some(&named.user_id)
        })
    }

    /// Whether an earlier version joined it to its person by a claim, or a source that the shop trusts no more. It counts for
    /// nothing there until it went home.
    #[must_use]
    pub fn is_joined_by_claim(&self) -> bool {
        self.link_strength == LinkStrength::Claimed
    }

    /// Whether an event claims to be another user than the one who was proved here. What it says about that user is not about
    /// this one.
    #[must_use]
    pub fn is_claim_against_proof(&self, user: &UserId, trust: Trust) -> bool {
        let proved = self.user.as_ref().filter(|named| named.trust == Trust::Fact);
        trust == Trust::Claim && proved.is_some_and(|named| named.user_id != *user)
    }

    /// Notes an event's evidence, and returns what is new of it. Returns nothing for an event of another user than the
    /// fragment has: it comes late from a person who used the browser before.
    pub fn hear(&mut self, event: &Event, policy: &EvidencePolicy<'_>) -> Vec<Evidence> {
        if let Some((user_id, trust)) = policy.user_of(event) {
            if trust == Trust::Claim {
                self.claim(&user_id, event.at);
            }
            let another = self.user.as_ref().filter(|named| named.user_id != user_id);
            if another.is_some_and(|named| event.previous_id.as_ref() != Some(&named.user_id)) {
                return Vec::new();
            }
            if policy.keeps(trust) {
                self.name(user_id, trust, event.at);
            }
        }
        let mut news = policy.evidence_of(event);
        // The shop may have begun to trust this source since it heard the same; then the graph has to hear it again.
        let again = self.link_strength == LinkStrength::Own && policy.rules.trusts_claims(policy.source);
        // Claims leave room for proofs.
        let room = |trust| MAX_SAID.saturating_sub(self.said.iter().filter(|held| held.trust == trust).count());
        let mut rooms = [(Trust::Claim, room(Trust::Claim)), (Trust::Fact, room(Trust::Fact))];
        news.retain(|evidence| {
            let known = |held: &Evidence| policy.is_known(held, evidence);
            let left = rooms.iter_mut().find(|(trust, left)| *trust == evidence.trust && *left > 0);
            let new = again || !self.said.iter().any(known);
            left.filter(|_| new).map(|(_, left)| *left -= 1).is_some()
        });
        let unsaid = news.iter().filter(|evidence| !self.said.contains(evidence)).cloned().collect::<Vec<_>>();
        self.said.extend(unsaid);
        news
    }

    /// Whether nobody came since a time, nobody is known to be it, and it ordered nothing. One that another follows leads there.
    pub(super) fn has_ended(&self, before: UnixMillis) -> bool {
        let last = [self.behaviour.last_seen, self.since, self.consent_at.unwrap_or_default()].into_iter().max();
        let is_unknown = self.user.is_none() && self.said.is_empty() && self.claims.is_empty();
        let joins_nobody = self.assignment_version == 0 && self.successor.is_none();
        last < Some(before) && is_unknown && joins_nobody && self.orders.is_empty() && self.behaviour.orders == 0
    }

    /// User IDs that the shop's server said are the fragment's user's as well.
    pub(super) fn aliases(&self) -> impl Iterator<Item = &str> {
        let facts = self.said.iter().filter(|held| held.trust == Trust::Fact);
        let users = facts.filter(|held| held.identifier.namespace == Namespace::UserId);
        users.map(|held| held.identifier.value.as_str())
    }

    /// Whether it is known, so far or further, to be whose the shop's server states.
    #[must_use]
    pub fn has_said(&self, link: &StatedLink, trust: Trust) -> bool {
        self.said.iter().any(|held| held.identifier == link.identifier && held.trust >= trust)
    }

    /// Notes whose the fragment is by a link that the shop's server stated. Returns the evidence where it is new. One to another
    /// user than the one who is proved here stays listed.
    pub fn hear_stated(&mut self, link: &StatedLink, trust: Trust) -> Option<Evidence> {
        let full = self.said.iter().filter(|held| held.trust == trust).count() >= MAX_SAID;
        if full || self.has_said(link, trust) {
            return None;
        }
        let StatedLink { identifier, witness, .. } = link.clone();
        if let (Trust::Fact, Some(Ok(user))) = (trust, link.user().map(UserId::parse)) {
            if self.is_claim_against_proof(&user, Trust::Claim) {
                return None;
            }
            self.name(user, trust, witness.at);
        }
        let evidence = Evidence { identifier, trust, witness };
        self.said.push(evidence.clone());
        Some(evidence)
    }

    fn name(&mut self, user_id: UserId, trust: Trust, at: UnixMillis) {
        let named = self.user.get_or_insert_with(|| Named { user_id: user_id.clone(), trust, at });
        if named.user_id == user_id {
            named.trust = named.trust.max(trust);
        } else if trust > named.trust {
            *named = Named { user_id, trust, at };
        }
    }

    /// Applies an event at most once. `trust` says who sent it: of an order that is known, the shop's server has the last
    /// word. `overflow` are the spilled dedupe blocks of this fragment.
    pub fn apply(&mut self, event: &Event, trust: Trust, now: UnixMillis, overflow: &[Block]) -> Applied {
        if !self.messages.insert(&event.message_id, now, overflow) {
            return Applied::Duplicate;
        }
        self.accepted = self.accepted.saturating_add(1);
        let current = self.visit(event);
        let signals = match &event.kind {
            Kind::Track { commerce: Some(commerce), .. } => self.commerce(commerce, trust, event.at, current),
            Kind::Page { .. } if current => {
                self.behaviour.apply(&Act::PageViewed, event.at);
                Vec::new()
            }
            Kind::Impression(impression) => {
                self.impression(impression, event.at);
                Vec::new()
            }
            Kind::Identify { traits, .. } => {
                self.learn_traits(&traits.0, event.at);
                Vec::new()
            }
            Kind::Track { .. } | Kind::Page { .. } | Kind::Reset => Vec::new(),
        };
        self.remember(event);
        Applied::Accepted(signals)
    }

    /// Notes the event's session and arrival; false when it came late, from a session before the current one.
    fn visit(&mut self, event: &Event) -> bool {
        let (current, new_session) = event.session_id.as_ref().map_or((true, false), |id| self.session(id, event.at));
        self.behaviour.seen_at(event.at);
        match Touchpoint::of(&event.context, event.at) {
            Some(touch) => self.touches.record(touch, new_session),
            None if new_session => self.touches.record(Touchpoint::direct(&event.context, event.at), true),
            None => {}
        }
        if !event.context.zone.is_empty() {
            self.zone.clone_from(&event.context.zone);
        }
        current
    }

    /// Whether a session is the current one now, and whether it is new.
    fn session(&mut self, id: &SessionId, at: UnixMillis) -> (bool, bool) {
        if id.as_str() == self.behaviour.session {
            return (true, false);
        }
        let new = self.sessions.meet(id);
        let count = self.behaviour.sessions.saturating_add(u32::from(new));
        let current = self.behaviour.session.is_empty() || at >= self.behaviour.last_seen;
        if current {
            self.behaviour.apply(&Act::Session(id.clone()), at);
            self.visit_context.clear();
        }
        self.behaviour.sessions = count;
        (current, new)
    }

    fn commerce(&mut self, commerce: &Commerce, trust: Trust, at: UnixMillis, current: bool) -> Vec<Signal> {
        let signals = match commerce {
            Commerce::Viewed(line) if current => {
                let step = self.visit_context.visit(line.product.as_str());
                step.map(|step| Signal::Viewed { step, at }).into_iter().collect()
            }
            Commerce::Added(line) => vec![Signal::Added { item: line.product.as_str().to_owned(), at }],
            Commerce::Ordered(order) if self.knows_order(order) => {
                if trust == Trust::Fact {
                    self.correct(order);
                }
                return Vec::new();
            }
            Commerce::Ordered(order) => self.ordered(order, at),
            _ => Vec::new(),
        };
        self.behaviour.apply(&Act::Commerce(commerce.clone()), at);
        signals
    }

    /// A thank-you page that is reloaded completes no second order.
    fn knows_order(&self, order: &Order) -> bool {
        self.orders.iter().any(|held| held.order_id == order.order_id)
    }

    fn ordered(&mut self, order: &Order, at: UnixMillis) -> Vec<Signal> {
        let gap = self.orders.last().map(|last| at.saturating_sub(last.at)).filter(|gap| *gap > 0);
        self.orders.push(record(order, at));
        keep_latest(&mut self.orders, MAX_ORDERS);
        let bought = order.lines.iter().map(|line| Signal::Bought {
            item: line.product.as_str().to_owned(),
            units: line.quantity,
            at,
        });
        bought.chain(gap.map(Signal::OrderGap)).collect()
    }

    /// Takes the figures of an order that is known from the shop's server. When it was, stays as it was told first.
    fn correct(&mut self, order: &Order) {
        for held in self.orders.iter_mut().filter(|held| held.order_id == order.order_id) {
            *held = record(order, held.at);
        }
    }

    fn impression(&mut self, impression: &Impression, at: UnixMillis) {
        if let Impression::Campaign(id, Reaction::Shown) = impression {
            self.behaviour.apply(&Act::Shown(id.as_str().to_owned()), at);
        }
        self.impressions.push(ImpressionRecord::new(impression, at));
        keep_latest(&mut self.impressions, MAX_IMPRESSIONS);
    }

    fn learn_traits(&mut self, traits: &BTreeMap<String, Trait>, at: UnixMillis) {
        for (name, value) in traits {
            let room = self.traits.len() < MAX_TRAITS || self.traits.contains_key(name);
            let newer = self.traits.get(name).is_none_or(|(set, _)| *set <= at);
            if room && newer {
                self.traits.insert(name.clone(), (at, value.clone()));
            }
        }
    }

    /// Remembers a claim of who the visitor is.
    pub fn claim(&mut self, user_id: &UserId, at: UnixMillis) {
        self.claims.retain(|claim| claim.user_id != *user_id);
        self.claims.push(Claim { user_id: user_id.clone(), at });
        keep_latest(&mut self.claims, 8);
    }

    /// Records the visitor's consent as a batch stated it that was sent at `said_at` on the page's clock. A batch that is
    /// older than the last change, as one that was held up on the way, can refuse but never bring consent back.
    pub fn consent(&mut self, consent: Consent, source: ConsentSource, said_at: Option<UnixMillis>, now: UnixMillis) {
        let held = self.behaviour.consent;
        let stale = said_at.zip(self.consent_said_at).is_some_and(|(said, last)| said < last);
        let consent = if stale { held.stricter(consent) } else { consent };
        if self.consent_at.is_none() || held != consent {
            self.behaviour.consent = consent;
            self.consent_at = Some(now);
            self.consent_said_at = said_at;
            consents::note(&mut self.consents, consent, source, now);
        }
    }

    fn remember(&mut self, event: &Event) {
        let event = TimelineEvent {
            at: event.at,
            message_id: event.message_id.as_str().to_owned(),
            name: event.kind.label().to_owned(),
            about: about(event),
        };
        // The list is in order, so there is only one place to find.
        let place = self.events.partition_point(|held| *held <= event);
        self.events.insert(place, event);
        keep_latest(&mut self.events, MAX_EVENTS);
    }
}

fn record(order: &Order, at: UnixMillis) -> OrderRecord {
    OrderRecord {
        at,
        order_id: order.order_id.clone(),
        revenue_minor: order.revenue.as_ref().map_or(0, |revenue| revenue.minor),
        currency: String::from_utf8_lossy(&order.currency).into_owned(),
        units: order.lines.iter().fold(0, |sum: u32, line| sum.saturating_add(line.quantity)),
    }
}

/// What an event was about, in one short text.
fn about(event: &Event) -> String {
    let product = |line: &endcap_protocol::commerce::Line| line.product.as_str().to_owned();
    let text = match &event.kind {
        Kind::Track { commerce: Some(commerce), .. } => match commerce {
            Commerce::Searched(query) => query.clone(),
            Commerce::ListViewed(category) => category.as_ref().map(|c| c.as_str().to_owned()).unwrap_or_default(),
            Commerce::Clicked(line) | Commerce::Viewed(line) | Commerce::Added(line) | Commerce::Removed(line) => {
                product(line)
            }
            Commerce::Ordered(order) => order.order_id.clone(),
            Commerce::CartViewed(_) | Commerce::CheckoutStarted => String::new(),
        },
        Kind::Identify { .. } => event.user_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        Kind::Impression(Impression::Campaign(id, _)) => id.as_str().to_owned(),
        Kind::Impression(Impression::Slot(slot, ..)) => slot.clone(),
        Kind::Track { name, .. } => {
            endcap_events::link::event::about(name, &event.raw).unwrap_or_else(|| path(&event.context.url).to_owned())
        }
        Kind::Page { .. } | Kind::Reset => path(&event.context.url).to_owned(),
    };
    endcap_protocol::touch::cut(&text, 120).to_owned()
}

/// The path of an http(s) URL.
#[must_use]
pub fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let start = rest.find('/').unwrap_or(rest.len());
    rest.get(start..).unwrap_or_default().split(['?', '#']).next().unwrap_or_default()
}
