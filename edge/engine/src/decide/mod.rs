//! Deciding what a visitor sees: campaigns, slots and the push prompt.
//!
//! Role in the flow of one event: the last step at the edge, inside the same request. The page gets the visitor's
//! behaviour and the compiled rules with it, so it can go on deciding by itself until the next reply.

mod offer;
mod reachable;
mod slots;

pub use offer::{CampaignOffer, LeftOut, PushOffer, SlotOffer, SlotReason};

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use endcap_events::ingest::wire::Ask;
use endcap_profile::Person;
use endcap_profile::fragment::path;
use endcap_protocol::UnixMillis;
use endcap_targeting::edge_fact::EdgeFacts;
use endcap_targeting::evaluate::evaluate;
use endcap_targeting::frequency::Seen;
use endcap_targeting::{Behaviour, Eligibility, PageFacts, judge};
use schemars::JsonSchema;
use serde::Serialize;

use self::reachable::can_hold;
use crate::json_room::Room;
use crate::shop::campaign::{CampaignPart, Content, ContentProducts, ProductsFrom, Variant};
use crate::shop::{Campaign, Product, Snapshot};

/// Categories of a visitor for which a pop-up's products are sent along.
const CATEGORIES_AHEAD: usize = 3;
/// Categories whose names travel with a campaign.
const NAMES_AHEAD: usize = 8;

/// What a visitor should see.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Decision {
    /// A name for the profile that tells nobody which one it is: equal for all browsers of one person, until the deployment's
    /// newest signing key changes.
    pub profile_id: String,
    /// Lifecycle stage.
    pub stage: String,
    /// The visitor's behaviour after this batch, binary, base64url: the page applies later events on top.
    pub behaviour: String,
    /// Campaigns that could be shown on this page, with their rules; the page evaluates them as things happen.
    pub campaigns: Vec<CampaignOffer>,
    /// Products for the slots asked for.
    pub slots: BTreeMap<String, SlotOffer>,
    /// How to subscribe to web push; None where push is not set up.
    pub push: Option<PushOffer>,
    /// How much could not be shown here, or had no room.
    #[serde(default, skip_serializing_if = "LeftOut::is_nothing")]
    pub left_out: LeftOut,
}

/// What decisions need besides the person and the snapshot.
#[derive(Clone)]
pub struct Setting<'a> {
    /// The page's name for the profile decided for.
    pub profile_id: &'a str,
    /// The time.
    pub now: UnixMillis,
    /// VAPID public key and its ID, where web push is set up.
    pub vapid: Option<(&'a str, &'a str)>,
    /// Bytes of JSON that the decision may have.
    pub room: usize,
    /// What the edge knows of the person that pages do not.
    pub facts: &'a dyn EdgeFacts,
}

/// Most bytes of JSON of a decision.
pub const DECISION_BYTES: usize = 56 * 1024;
/// Least room for a decision: without it there is none, and the page asks again.
pub const LEAST_ROOM: usize = 18 * 1024;
/// Most bytes of a behaviour in a decision, before base64.
const BEHAVIOUR_BYTES: usize = 12 * 1024;
/// Bytes that the names of a decision's members take, with what is small in it.
const FRAME_BYTES: usize = 1024;
/// Most bytes of a campaign's own part that travels with the decision. A larger one is a file.
const INLINE_BYTES: usize = 4 * 1024;
/// Bytes of `"file":"",`.
const FILE_BYTES: usize = 10;
/// Most campaigns of one decision whose own part is a file.
const FILES: u32 = 20;

/// Decides for a person.
#[must_use]
pub fn decide(person: &Person, ask: &Ask, snapshot: &Snapshot, setting: &Setting<'_>) -> Decision {
    let url = ask.url.as_deref().unwrap_or_default();
    let page = PageFacts { path: path(url), now: setting.now };
    let behaviour = BASE64.encode(encoded(&person.behaviour));
    let push = setting.vapid.filter(|_| snapshot.settings.push_prompt.enabled).map(|(key_id, public_key)| PushOffer {
        public_key: public_key.to_owned(),
        key_id: key_id.to_owned(),
        subscribed: person.behaviour.push_subscribed,
        prompt: snapshot.settings.push_prompt.clone(),
    });
    let mut room = Room(setting.room.min(DECISION_BYTES).saturating_sub(FRAME_BYTES + behaviour.len()));
    let push = push.filter(|push| room.take_json(push));
    let mut left_out = LeftOut::default();
    let slots = ask.slots.iter().map(|slot| {
        let mut offer = slots::fill(slot, person, ask, snapshot);
        let name = room.take_json(&(&slot.name, &offer.reason));
        left_out.products += keep_fitting(&mut offer.items, &mut room, name);
        (slot.name.clone(), offer)
    });
    let slots = slots.collect();
    Decision {
        profile_id: setting.profile_id.to_owned(),
        stage: person.behaviour.stage.as_str().to_owned(),
        behaviour,
        campaigns: Offers { person, ask, snapshot, page, facts: setting.facts }.collect(&mut room, &mut left_out),
        slots,
        push,
        left_out,
    }
}

/// The binary form of what a visitor did, without what is least recent of it where it would be too long.
fn encoded(behaviour: &Behaviour) -> Vec<u8> {
    let whole = behaviour.encode();
    if whole.len() <= BEHAVIOUR_BYTES {
        return whole;
    }
    let mut rest = behaviour.clone();
    // Half of the categories at a time, then half of the cart.
    while !rest.categories.is_empty() || !rest.cart.lines.is_empty() {
        match rest.categories.len() {
            0 => rest.cart.lines.truncate(rest.cart.lines.len() / 2),
            many => rest.keep_categories(many / 2),
        }
        let bytes = rest.encode();
        if bytes.len() <= BEHAVIOUR_BYTES {
            return bytes;
        }
    }
    // Nothing else of it is long.
    rest.seen = Seen::default();
    rest.encode()
}

/// Keeps the first products that fit, and returns how many do not.
fn keep_fitting(items: &mut Vec<Product>, room: &mut Room, is_named: bool) -> u32 {
    let fitting = items.iter().take_while(|item| is_named && room.take_json(item)).count();
    let left_out = items.len().saturating_sub(fitting);
    items.truncate(fitting);
    u32::try_from(left_out).unwrap_or(u32::MAX)
}

/// What campaigns are offered of.
struct Offers<'a> {
    person: &'a Person,
    ask: &'a Ask,
    snapshot: &'a Snapshot,
    page: PageFacts<'a>,
    facts: &'a dyn EdgeFacts,
}

impl Offers<'_> {
    /// The campaigns that could be shown on the page, as many as fit, those of the highest priority first. A draft is none of
    /// them, and is not counted either.
    fn collect(&self, room: &mut Room, left_out: &mut LeftOut) -> Vec<CampaignOffer> {
        let behaviour = &self.person.behaviour;
        let mut offers = Vec::new();
        let campaigns = self.snapshot.campaigns.iter().filter(|campaign| campaign.definition.enabled);
        for campaign in campaigns.filter(|_| behaviour.consent.personalization) {
            if !campaign.compiled.program.shows_on(self.page.path) {
                left_out.elsewhere += 1;
                continue;
            }
            if !campaign.asked().iter().all(|fact| self.facts.knows(fact)) {
                left_out.not_known_yet += 1;
                continue;
            }
            let Some(variant) = campaign.variant(|fact| self.facts.holds(fact, self.page.now)) else {
                left_out.unreachable += 1;
                continue;
            };
            if campaign.unfilled {
                left_out.unfilled += 1;
            } else if left_out.no_room > 0 {
                // Those that come first have taken the room. What is less important is not even judged.
                left_out.no_room += 1;
            } else if !can_hold(&variant.compiled.program.condition, behaviour, &self.page) {
                left_out.unreachable += 1;
            } else {
                match self.fitting(campaign, variant, room, left_out) {
                    Some(offer) => offers.push(offer),
                    None => left_out.no_room += 1,
                }
            }
        }
        offers
    }

    /// A campaign's offer, if there is room for it. Its own part travels with it where that is small.
    fn fitting(
        &self,
        campaign: &Campaign,
        variant: &Variant,
        room: &mut Room,
        left_out: &mut LeftOut,
    ) -> Option<CampaignOffer> {
        let mut offer = self.offer(campaign, variant);
        let products = std::mem::take(&mut offer.products);
        let mut rest = *room;
        let bytes = variant.part.bytes();
        if !rest.take_json(&offer) {
            return None;
        }
        if bytes <= INLINE_BYTES && rest.take(bytes) {
            let CampaignPart { program, labels, popup } = variant.part.content.clone();
            (offer.program, offer.labels, offer.popup) = (Some(program), Some(labels), Some(popup));
        } else if left_out.files < FILES && rest.take(variant.part.name.len() + FILE_BYTES) {
            left_out.files += 1;
            offer.file = Some(variant.part.name.clone());
        } else {
            return None;
        }
        for (category, mut items) in products {
            let is_named = rest.take_json(&category);
            left_out.products += keep_fitting(&mut items, &mut rest, is_named);
            offer.products.insert(category, items);
        }
        *room = rest;
        Some(offer)
    }

    fn offer(&self, campaign: &Campaign, variant: &Variant) -> CampaignOffer {
        let Self { person, ask, snapshot, page, .. } = self;
        let behaviour = &person.behaviour;
        let verdict = evaluate(&variant.compiled.program.condition, behaviour, page);
        let id = campaign.id.as_str();
        // The page judges by these bytes, so the edge does too; the tree only says why.
        let standing = judge(&variant.part.rules, id, behaviour, page);
        let failed = verdict.failed.and_then(|leaf| variant.compiled.labels.get(leaf));
        let why = match (verdict.holds, failed, &standing) {
            (false, Some(leaf), _) => format!("not yet: {leaf}"),
            (false, None, _) => "not yet: the condition has a part that never holds".to_owned(),
            (true, _, Ok(Eligibility::Capped)) => "shown as often as its frequency allows".to_owned(),
            (true, _, _) => "every condition holds".to_owned(),
        };
        CampaignOffer {
            id: id.to_owned(),
            version: campaign.version,
            eligible: matches!(standing, Ok(Eligibility::Eligible(..))),
            why,
            program: None,
            labels: None,
            popup: None,
            file: None,
            names: names(&campaign.definition.content, person, snapshot),
            products: ahead(campaign.definition.content.products.as_ref(), person, ask, snapshot),
        }
    }
}

/// What visitors call the categories that they touched last, where a pop-up's texts need it: the page may find another
/// category than the edge would now.
fn names(content: &Content, person: &Person, snapshot: &Snapshot) -> BTreeMap<String, String> {
    if !content.names_category() {
        return BTreeMap::new();
    }
    let touched = person.behaviour.categories_by_recency().into_iter().take(NAMES_AHEAD);
    let named = touched.filter_map(|id| Some((id.to_owned(), snapshot.catalogue.category_name(id)?.to_owned())));
    named.collect()
}

/// The products a pop-up may need: for those by category, of the categories that the visitor touched last, because the
/// page may find another category than the edge would now.
fn ahead(
    wanted: Option<&ContentProducts>,
    person: &Person,
    ask: &Ask,
    snapshot: &Snapshot,
) -> BTreeMap<String, Vec<Product>> {
    let Some(wanted) = wanted else { return BTreeMap::new() };
    let behaviour = &person.behaviour;
    match wanted.from {
        ProductsFrom::Category => {
            let touched = behaviour.categories_by_recency().into_iter().take(CATEGORIES_AHEAD);
            touched.map(|id| (id.to_owned(), slots::of_category(id, person, ask, snapshot, wanted.limit))).collect()
        }
        ProductsFrom::Cart => {
            let context: Vec<_> = behaviour.cart.lines.iter().rev().map(|line| line.product.clone()).collect();
            BTreeMap::from([(String::new(), slots::related(&context, person, ask, snapshot, wanted.limit))])
        }
        ProductsFrom::Viewed => {
            BTreeMap::from([(String::new(), slots::related(&behaviour.recent, person, ask, snapshot, wanted.limit))])
        }
    }
}
