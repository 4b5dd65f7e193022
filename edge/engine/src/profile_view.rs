//! A profile as the server API shows it.

use std::collections::BTreeMap;

use endcap_events::ingest::consent::ConsentSource;
use endcap_identity::FragmentId;
use endcap_profile::bounded::keep_latest;
use endcap_profile::consents::ConsentRecord;
use endcap_profile::device_context::DeviceView;
use endcap_profile::fragment::Fragment;
use endcap_profile::person::{MAX_PERSON_HISTORY, Person};
use endcap_profile::push_record::PushRecord;
use endcap_profile::row::ProfileRow;
use endcap_profile::timeline::{ImpressionRecord, OrderRecord, TimelineEvent};
use endcap_profile::touchpoint::Touchpoint;
use endcap_protocol::{AnonymousId, UnixMillis};
use endcap_targeting::Behaviour;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::channel::{Channel, Origin, custom};
use crate::computed_traits::{Computed, Reference};
use crate::score::person::PersonScores;
use crate::segment::view::PersonSegment;

/// A profile.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProfileView {
    /// The canonical profile ID.
    pub profile_id: String,
    /// What is unproved about it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unproved: Option<Unproved>,
    /// Anonymous IDs of its browsers.
    pub anonymous_ids: Vec<String>,
    /// Device IDs of its browsers.
    pub device_ids: Vec<String>,
    /// Proved user IDs.
    pub user_ids: Vec<String>,
    /// User IDs that a browser named without proof; nothing is decided from them.
    pub claimed_user_ids: Vec<String>,
    /// The device that came last, and where it was. Null where nothing is known of it.
    pub device: Option<DeviceView>,
    /// Traits.
    pub traits: BTreeMap<String, Value>,
    /// Consent with the time it was last given or changed.
    pub consent: ConsentView,
    /// Lifecycle stage with its history.
    pub stage: StageView,
    /// Numbers.
    pub counters: Counters,
    /// What follows from the history.
    pub computed: Computed,
    /// What they are likely to do. Null for a person without an order.
    pub scores: Option<PersonScores>,
    /// Their groups now in the models that follow from their orders alone, by model: NAPL and those of the shop's own. Empty for a person
    /// without an order.
    pub groups: BTreeMap<String, String>,
    /// Segments that the person is in, in order of their IDs.
    pub segments: Vec<PersonSegment>,
    /// What was viewed, by category.
    pub categories: BTreeMap<String, CategoryView>,
    /// Products viewed, the latest first.
    pub products_viewed: Vec<String>,
    /// The cart.
    pub cart: CartView,
    /// Orders, the earliest first.
    pub orders: Vec<OrderRecord>,
    /// Arrivals.
    pub touchpoints: TouchView,
    /// What was shown and what the visitor did about it, the earliest first.
    pub impressions: Vec<ImpressionView>,
    /// Push messages and their outcomes, the earliest first.
    pub pushes: Vec<PushView>,
    /// Recent events, the latest first.
    pub events: Vec<TimelineEvent>,
}

/// What is unproved about a profile.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Unproved {
    /// `true` where it was asked for by an identifier that only browsers claim, without proof: anybody may have said it.
    Lookup(bool),
    /// Browsers that claim to be this person without proof. Nothing of them counts here.
    Claims(Claims),
}

/// Browsers that claim to be a person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Claims {
    /// How many there are.
    pub browsers: usize,
    /// Events of the browsers listed.
    pub events: u64,
    /// Orders of the browsers listed.
    pub orders: u64,
    /// When one of the browsers listed was seen last, Unix milliseconds.
    pub last_seen: UnixMillis,
    /// The latest claims, at most 20.
    pub claims: Vec<ClaimView>,
}

/// A browser that claims to be a person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClaimView {
    /// The profile of the browser, which holds what it did.
    pub profile_id: String,
    /// What it named: `user_id`, `email`, and so on.
    pub identifier: String,
    /// The source that it named it at.
    pub source: String,
    /// When it did so first, Unix milliseconds.
    pub claimed_at: UnixMillis,
    /// Its events.
    pub events: u64,
    /// Its orders.
    pub orders: u64,
    /// When it was seen last, Unix milliseconds.
    pub last_seen: UnixMillis,
}

impl Claims {
    /// The claims of `browsers` browsers, of which `claims` are the latest.
    #[must_use]
    pub fn new(browsers: usize, claims: Vec<ClaimView>) -> Self {
        Self {
            browsers,
            events: claims.iter().map(|claim| claim.events).sum(),
            orders: claims.iter().map(|claim| claim.orders).sum(),
            last_seen: claims.iter().map(|claim| claim.last_seen).max().unwrap_or_default(),
            claims,
        }
    }
}

/// Consent as shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConsentView {
    /// Measuring what visitors do.
    pub analytics: bool,
    /// Fitting pop-ups and recommendations to the visitor.
    pub personalization: bool,
    /// Messages after the visit.
    pub marketing: bool,
    /// When it was last given or changed.
    pub at: Option<UnixMillis>,
    /// How it changed on each browser, the earliest first; at most 20 changes of each.
    pub history: Vec<ConsentChange>,
}

/// One change of consent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConsentChange {
    /// When.
    pub at: UnixMillis,
    /// The browser.
    pub anonymous_id: String,
    /// Who said so.
    pub source: ConsentSource,
    /// Measuring what visitors do.
    pub analytics: bool,
    /// Fitting pop-ups and recommendations to the visitor.
    pub personalization: bool,
    /// Messages after the visit.
    pub marketing: bool,
}

/// Stage as shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StageView {
    /// The stage now.
    pub current: String,
    /// Since when.
    pub since: UnixMillis,
    /// All stages so far with their beginnings.
    pub history: Vec<StageEntry>,
}

/// One stage of the history.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StageEntry {
    /// The stage.
    pub stage: String,
    /// When it began.
    pub since: UnixMillis,
}

/// Numbers of a profile.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Counters {
    /// Events accepted.
    pub events: u64,
    /// Sessions.
    pub sessions: u32,
    /// Pages viewed in the current session.
    pub page_views: u32,
    /// Orders.
    pub orders: u32,
    /// What the orders brought, in minor units by currency.
    pub revenue: BTreeMap<String, i64>,
    /// Time of the first event.
    pub first_seen: UnixMillis,
    /// Time of the latest event.
    pub last_seen: UnixMillis,
    /// Live push subscriptions.
    pub push_subscriptions: u32,
}

/// What was done in a category.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CategoryView {
    /// Distinct products viewed, the latest last.
    pub products_viewed: Vec<String>,
    /// Units put into the cart.
    pub units_added: u32,
    /// Units bought.
    pub units_bought: u32,
}

/// The cart as shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CartView {
    /// When it last changed; None when it never did.
    pub changed_at: Option<UnixMillis>,
    /// Units in it.
    pub units: i64,
    /// Its value in minor units.
    pub value_minor: i64,
    /// Its lines.
    pub lines: Vec<CartLineView>,
}

/// A cart line as shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CartLineView {
    /// Product ID.
    pub product_id: String,
    /// Category ID.
    pub category: String,
    /// How many.
    pub quantity: u32,
    /// Price of one in minor units.
    pub price_minor: i64,
}

/// First, last and latest touches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TouchView {
    /// The first touch.
    pub first: Option<TouchpointView>,
    /// The last touch.
    pub last: Option<TouchpointView>,
    /// The last touch that something says the origin of.
    pub last_non_direct: Option<TouchpointView>,
    /// The latest touches, the earliest first.
    pub all: Vec<TouchpointView>,
}

/// One touch as shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TouchpointView {
    /// When.
    pub at: UnixMillis,
    /// Page of arrival.
    pub landing_url: String,
    /// Page before.
    pub referrer: String,
    /// Channel group, by the rules that Google publishes for Analytics 4.
    pub channel: Channel,
    /// Who sent the visitor: the campaign's source, a search engine, a host, or `(direct)`.
    pub source: String,
    /// How: the campaign's medium, `cpc`, `organic`, `referral`, or `(none)`.
    pub medium: String,
    /// UTM values, by name without `utm_`; the campaign's name is `name`. The standard six and up to ten others.
    pub utm: BTreeMap<String, String>,
    /// Click identifiers.
    pub click_ids: BTreeMap<String, String>,
}

/// An impression as shown: campaign or slot, never both.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ImpressionView {
    /// When.
    pub at: UnixMillis,
    /// Campaign.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub campaign_id: String,
    /// Slot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub slot: String,
    /// Product clicked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product_id: String,
    /// Reaction.
    pub reaction: endcap_events::ingest::event::Reaction,
}

/// A push message as shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PushView {
    /// The message.
    pub message_id: String,
    /// Journey or campaign.
    pub campaign: String,
    /// When it was decided.
    pub at: UnixMillis,
    /// `sent`, `gone`, `resubscribe`, `retry`, `given_up`, `refused`, or `pending` until the push service answered.
    pub outcome: String,
    /// When it was shown.
    pub shown_at: Option<UnixMillis>,
    /// When it was clicked.
    pub clicked_at: Option<UnixMillis>,
    /// When it was closed.
    pub closed_at: Option<UnixMillis>,
}

impl ProfileView {
    /// The view of a row whose fold is `person`.
    #[must_use]
    pub fn new(row: &ProfileRow, person: &Person, reference: Reference<'_>) -> Self {
        let behaviour = &person.behaviour;
        let fragments = row.fragments.values();
        Self {
            profile_id: row.id.as_str().to_owned(),
            unproved: None,
            anonymous_ids: distinct(row.fragments.iter().map(|(id, fragment)| browser_name(id, fragment))),
            device_ids: distinct(fragments.clone().filter_map(|f| f.device_id.as_ref()).map(|id| id.as_str())),
            user_ids: row.users().into_iter().map(str::to_owned).collect(),
            claimed_user_ids: claimed(row),
            device: row.latest_device().map(DeviceView::from),
            traits: person.traits.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
            consent: ConsentView {
                analytics: behaviour.consent.analytics,
                personalization: behaviour.consent.personalization,
                marketing: behaviour.consent.marketing,
                at: fragments.filter_map(|fragment| fragment.consent_at).max(),
                history: consents(row),
            },
            stage: stage_view(row),
            counters: counters(row, person),
            computed: Computed::new(row, person, reference),
            scores: None,
            groups: BTreeMap::new(),
            segments: Vec::new(),
            categories: categories(behaviour),
            products_viewed: behaviour.recent.clone(),
            cart: cart(behaviour),
            orders: person.orders.clone(),
            touchpoints: touches(person),
            impressions: person.impressions.iter().map(impression).collect(),
            pushes: pushes(row),
            events: person.events.iter().rev().cloned().collect(),
        }
    }
}

/// The browser's anonymous ID, or the name of what a server keeps.
fn browser_name<'a>(id: &'a FragmentId, fragment: &'a Fragment) -> &'a str {
    fragment.browser.as_ref().map_or(id.as_str(), AnonymousId::as_str)
}

/// User IDs that were claimed and never proved.
fn claimed(row: &ProfileRow) -> Vec<String> {
    let proved = row.users();
    let claims = row.fragments.values().flat_map(|fragment| &fragment.claims);
    distinct(claims.filter(|claim| !proved.contains(claim.user_id.as_str())).map(|claim| claim.user_id.as_str()))
}

fn pushes(row: &ProfileRow) -> Vec<PushView> {
    let mut all: Vec<&PushRecord> = row.pushes().collect();
    all.sort_by_key(|push| (push.at, push.message_id.as_str()));
    keep_latest(&mut all, MAX_PERSON_HISTORY);
    all.into_iter().map(push).collect()
}

fn consents(row: &ProfileRow) -> Vec<ConsentChange> {
    let of = |(id, fragment): (&FragmentId, &Fragment)| {
        let change = |record: &ConsentRecord| ConsentChange {
            at: record.at,
            anonymous_id: browser_name(id, fragment).to_owned(),
            source: record.source,
            analytics: record.consent().analytics,
            personalization: record.consent().personalization,
            marketing: record.consent().marketing,
        };
        fragment.consents.iter().map(change).collect::<Vec<_>>()
    };
    let mut changes: Vec<ConsentChange> = row.fragments.iter().flat_map(of).collect();
    changes.sort_by_key(|change| change.at);
    keep_latest(&mut changes, MAX_PERSON_HISTORY);
    changes
}

fn distinct<'a>(items: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for item in items {
        if !list.iter().any(|held| held == item) {
            list.push(item.to_owned());
        }
    }
    list
}

fn stage_view(row: &ProfileRow) -> StageView {
    let current = row.stages.current();
    let history = row.stages.entries().map(|e| StageEntry { stage: e.stage.as_str().to_owned(), since: e.since });
    StageView { current: current.stage.as_str().to_owned(), since: current.since, history: history.collect() }
}

fn counters(row: &ProfileRow, person: &Person) -> Counters {
    let behaviour = &person.behaviour;
    Counters {
        events: person.accepted,
        sessions: behaviour.sessions,
        page_views: behaviour.page_views,
        orders: behaviour.orders,
        revenue: person.revenue().into_iter().map(|(code, minor)| (code.to_owned(), minor)).collect(),
        first_seen: behaviour.first_seen,
        last_seen: behaviour.last_seen,
        push_subscriptions: row.subscriptions,
    }
}

fn categories(behaviour: &Behaviour) -> BTreeMap<String, CategoryView> {
    let view = |(id, facts): (&String, &endcap_targeting::behaviour::CategoryFacts)| {
        let view = CategoryView {
            products_viewed: facts.viewed.clone(),
            units_added: facts.added,
            units_bought: facts.bought,
        };
        (id.clone(), view)
    };
    behaviour.categories.iter().map(view).collect()
}

fn cart(behaviour: &Behaviour) -> CartView {
    let cart = &behaviour.cart;
    let line = |line: &endcap_targeting::CartLine| CartLineView {
        product_id: line.product.clone(),
        category: line.category.clone(),
        quantity: line.quantity,
        price_minor: line.price,
    };
    CartView {
        changed_at: Some(cart.changed_at).filter(|at| *at != 0),
        units: cart.units(),
        value_minor: cart.value(),
        lines: cart.lines.iter().map(line).collect(),
    }
}

fn touches(person: &Person) -> TouchView {
    let view = |touch: &Touchpoint| {
        let origin = Origin::of(touch);
        TouchpointView {
            at: touch.at,
            landing_url: touch.landing_url.clone(),
            referrer: touch.referrer.clone(),
            channel: Channel::of(&origin),
            source: origin.source,
            medium: origin.medium,
            utm: custom(&touch.landing_url).into_iter().chain(touch.utm.iter().cloned()).collect(),
            click_ids: touch.click_ids.iter().cloned().collect(),
        }
    };
    let touches = &person.touches;
    TouchView {
        first: touches.first.as_ref().map(view),
        last: touches.latest.last().map(view),
        last_non_direct: touches.last_non_direct().map(view),
        all: touches.latest.iter().map(view).collect(),
    }
}

fn impression(record: &ImpressionRecord) -> ImpressionView {
    ImpressionView {
        at: record.at,
        campaign_id: record.campaign_id.clone(),
        slot: record.slot.clone(),
        product_id: record.product_id.clone(),
        reaction: record.reaction,
    }
}

fn push(record: &PushRecord) -> PushView {
    PushView {
        message_id: record.message_id.clone(),
        campaign: record.campaign.clone(),
        at: record.at,
        outcome: record.outcome.map_or("pending", |outcome| outcome.as_str()).to_owned(),
        shown_at: record.shown_at,
        clicked_at: record.clicked_at,
        closed_at: record.closed_at,
    }
}
