//! Deciding what a visitor sees: campaigns, slots and the push prompt.
//!
//! Role in the flow of one event: the last step at the edge, inside the same request. The page gets the visitor's
//! behaviour and the compiled rules with it, so it can go on deciding by itself until the next reply.

mod offer;
mod slots;

pub use offer::{CampaignOffer, PushOffer, SlotOffer, SlotReason};

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use endcap_events::ingest::wire::Ask;
use endcap_profile::Person;
use endcap_profile::fragment::path;
use endcap_protocol::UnixMillis;
use endcap_targeting::evaluate::evaluate;
use endcap_targeting::{Eligibility, PageFacts, judge};
use schemars::JsonSchema;
use serde::Serialize;

use crate::shop::campaign::{ContentProducts, ProductsFrom};
use crate::shop::{Campaign, Product, Snapshot};

/// Categories of a visitor for which a pop-up's products are sent along.
const CATEGORIES_AHEAD: usize = 3;

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
}

/// What decisions need besides the person and the snapshot.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The page's name for the profile decided for.
    pub profile_id: &'a str,
    /// The time.
    pub now: UnixMillis,
    /// VAPID public key and its ID, where web push is set up.
    pub vapid: Option<(&'a str, &'a str)>,
}

/// Decides for a person.
#[must_use]
pub fn decide(person: &Person, ask: &Ask, snapshot: &Snapshot, setting: &Setting<'_>) -> Decision {
    let url = ask.url.as_deref().unwrap_or_default();
    let behaviour = &person.behaviour;
    let personal = behaviour.consent.personalization;
    let page = PageFacts { path: path(url), now: setting.now };
    let campaigns = snapshot.campaigns.iter().filter(|campaign| personal && campaign.definition.enabled);
    let shown = campaigns.filter(|campaign| campaign.compiled.program.shows_on(page.path));
    Decision {
        profile_id: setting.profile_id.to_owned(),
        stage: behaviour.stage.as_str().to_owned(),
        behaviour: BASE64.encode(behaviour.encode()),
        campaigns: shown.map(|campaign| offer(campaign, person, ask, snapshot, &page)).collect(),
        slots: ask.slots.iter().map(|slot| (slot.name.clone(), slots::fill(slot, person, ask, snapshot))).collect(),
        push: setting.vapid.filter(|_| snapshot.settings.push_prompt.enabled).map(|(key_id, public_key)| PushOffer {
            public_key: public_key.to_owned(),
            key_id: key_id.to_owned(),
            subscribed: behaviour.push_subscribed,
            prompt: snapshot.settings.push_prompt.clone(),
        }),
    }
}

fn offer(campaign: &Campaign, person: &Person, ask: &Ask, snapshot: &Snapshot, page: &PageFacts<'_>) -> CampaignOffer {
    let program = &campaign.compiled.program;
    let behaviour = &person.behaviour;
    let verdict = evaluate(&program.condition, behaviour, page);
    let id = campaign.id.as_str();
    // The page judges by these bytes, so the edge does too; the tree only says why.
    let rules = program.encode();
    let standing = judge(&rules, id, behaviour, page);
    let failed = verdict.failed.and_then(|leaf| campaign.compiled.labels.get(leaf));
    let why = match (verdict.holds, failed, &standing) {
        (false, Some(leaf), _) => format!("not yet: {leaf}"),
        (false, None, _) => "not yet: the condition has a part that never holds".to_owned(),
        (true, _, Ok(Eligibility::Capped)) => "shown as often as its frequency allows".to_owned(),
        (true, _, _) => "every condition holds".to_owned(),
    };
    CampaignOffer {
        id: id.to_owned(),
        version: campaign.version,
        program: BASE64.encode(&rules),
        eligible: matches!(standing, Ok(Eligibility::Eligible(..))),
        why,
        labels: campaign.compiled.labels.clone(),
        popup: campaign.definition.content.clone(),
        products: ahead(campaign.definition.content.products.as_ref(), person, ask, snapshot),
    }
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
