//! The snapshot: everything of the shop that decisions need, immutable and versioned.
//!
//! Role in the flow of one event: shards cache one per isolate. No background task refreshes it: a request that finds
//! it too old asks the `Shop` object for newer parts, before it reads anything.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_events::webhook::mapping::Mapping;
use endcap_models::lifecycle::GapHistogram;
use endcap_models::recommend;
use endcap_models::recommend::CatalogueItem;
use endcap_models::recommend::Model;
use endcap_protocol::commerce::DEFAULT_CURRENCY;
use endcap_protocol::{CampaignId, SourceId};
use endcap_targeting::edge_fact::EdgeFact;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::campaign::{Campaign, Definition};
use super::event_queries::EventQueries;
use super::locale::ShopLocale;
use super::product::Product;
use super::settings::Settings;
use super::webhooks::SavedWebhook;
use crate::score::Scores;
use crate::segment::{SavedSegment, Segments};

/// The shop's products in the shop's own order.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    products: Vec<Product>,
    index: BTreeMap<String, usize>,
    /// Names of categories by ID.
    names: BTreeMap<String, String>,
}

impl Catalogue {
    /// A catalogue of these products; of two with the same ID the later counts.
    #[must_use]
    pub fn new(products: Vec<Product>) -> Self {
        let index = products.iter().enumerate().map(|(at, product)| (product.id.clone(), at)).collect();
        let named =
            products.iter().filter_map(|product| Some((product.category.clone(), product.category_name.clone()?)));
        let names = named.collect();
        Self { products, index, names }
    }

    /// What visitors call a category; None where no product says it.
    #[must_use]
    pub fn category_name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// A product by ID.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Product> {
        self.index.get(id).and_then(|at| self.products.get(*at))
    }

    /// The products of a category, in the shop's order.
    pub fn of_category<'a>(&'a self, category: &'a str) -> impl Iterator<Item = &'a Product> {
        self.products.iter().filter(move |product| product.category == category)
    }
}

fn item(product: &Product) -> CatalogueItem<'_> {
    CatalogueItem { id: &product.id, category: &product.category, available: product.available }
}

impl recommend::Catalogue for Catalogue {
    fn get(&self, id: &str) -> Option<CatalogueItem<'_>> {
        Self::get(self, id).map(item)
    }

    fn items(&self) -> impl Iterator<Item = CatalogueItem<'_>> {
        self.products.iter().map(item)
    }
}

/// What decisions need of the shop.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Version of settings, campaigns and products.
    pub config_version: u64,
    /// Version of the model.
    pub model_version: u64,
    /// Version of the scores; 0 for the prior.
    pub scores_version: u64,
    /// Settings.
    pub settings: Settings,
    /// Campaigns, by priority, then by ID.
    pub campaigns: Vec<Campaign>,
    /// IDs of campaigns that only a newer version reads: they are not shown.
    pub unreadable_campaigns: Vec<String>,
    /// Segments.
    pub segments: Segments,
    /// What segments and campaigns ask about events.
    pub event_queries: EventQueries,
    /// Products.
    pub catalogue: Catalogue,
    /// Mappings of webhooks, by source.
    pub webhooks: BTreeMap<SourceId, Mapping>,
    /// Recommendation model.
    pub model: Model,
    /// Gaps between orders.
    pub gaps: GapHistogram,
    /// The shop's repurchase cycle in milliseconds, from the gaps or by the settings.
    pub cycle_ms: i64,
    /// Models of what customers are likely to do.
    pub scores: Scores,
    /// The shop's days.
    pub calendar: Calendar,
    /// Whether a condition asks for what only whole fragments tell.
    pub asks_for_texts: bool,
}

/// A saved campaign on its way to the shards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedCampaign {
    /// Its ID.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// As it was saved.
    pub definition: Definition,
}

impl SavedCampaign {
    /// The campaign as the API shows it: what was put, with its ID and version.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn view(&self) -> Result<serde_json::Value, DomainError> {
        let mut view = serde_json::json!({"id": self.id, "version": self.version});
        let definition = serde_json::to_value(&self.definition).map_err(|e| DomainError::Internal(e.to_string()))?;
        if let (Some(view), serde_json::Value::Object(definition)) = (view.as_object_mut(), definition) {
            view.extend(definition);
        }
        Ok(view)
    }
}

/// The shop's configuration on its way to the shards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireConfig {
    /// Its version.
    pub version: u64,
    /// Settings.
    pub settings: Settings,
    /// Campaigns.
    pub campaigns: Vec<SavedCampaign>,
    /// Products.
    pub products: Vec<Product>,
    /// Webhook sources; an older object does not name them.
    #[serde(default)]
    pub webhooks: Vec<SavedWebhook>,
    /// Campaigns that ask for what versions before this one do not know: those fail with one that they cannot read.
    #[serde(default)]
    pub later_campaigns: Vec<SavedCampaign>,
    /// Segments; an older object does not name them.
    #[serde(default)]
    pub segments: Vec<SavedSegment>,
    /// Version of the segments: it counts up with each condition that changes, and each segment that comes or goes.
    #[serde(default)]
    pub segments_version: u64,
    /// Since which of those versions each question about events is asked, by its key; an older object asks none.
    #[serde(default)]
    pub event_queries: BTreeMap<u64, u64>,
}

/// The shop's models on their way to the shards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireModel {
    /// Its version.
    pub version: u64,
    /// Recommendation model.
    pub model: Model,
    /// Gaps between orders, from which the repurchase cycle is learned.
    pub gaps: GapHistogram,
}

/// Fitted scores on their way to the shards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireScores {
    /// Their version.
    pub version: u64,
    /// [`Scores`], packed, as base64: text would cost the last bits of their figures.
    pub packed: String,
}

/// What the `Shop` object answers: the parts that are newer than the shard's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WireSnapshot {
    /// Configuration, where newer.
    #[serde(default)]
    pub config: Option<WireConfig>,
    /// Models, where newer.
    #[serde(default)]
    pub model: Option<WireModel>,
    /// Scores, where newer; an older object has none.
    #[serde(default)]
    pub scores: Option<WireScores>,
}

impl WireSnapshot {
    /// Whether no part is newer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.config.is_none() && self.model.is_none() && self.scores.is_none()
    }
}

impl Snapshot {
    /// The file of a campaign that runs, by its name.
    #[must_use]
    pub fn campaign_file(&self, name: &str) -> Option<&str> {
        let running = self.campaigns.iter().filter(|campaign| campaign.definition.enabled);
        let found = running.flat_map(Campaign::parts).find(|part| part.name == name);
        found.map(|part| part.text.as_str())
    }

    /// What segments and campaigns ask about events.
    fn asked_of_events(&self, since: &BTreeMap<u64, u64>) -> EventQueries {
        let campaigns = self.campaigns.iter().map(|campaign| &campaign.compiled.program.condition);
        let asked = EventQueries::of(self.segments.version, self.segments.conditions().chain(campaigns), since);
        let currency = self.settings.currency().unwrap_or(DEFAULT_CURRENCY);
        asked.in_locale(ShopLocale { currency, calendar: self.calendar.clone() })
    }

    /// Whether a condition asks for what only whole fragments tell.
    fn is_asking_for_texts(&self) -> bool {
        let asks = |facts: &[EdgeFact]| facts.iter().any(EdgeFact::asks_for_texts);
        let mut running = self.campaigns.iter().filter(|campaign| campaign.definition.enabled);
        self.segments.asks_for_texts() || running.any(|campaign| asks(campaign.asked()))
    }

    /// The snapshot before anything was heard from the shop: no version of the shop is 0.
    #[must_use]
    pub fn empty() -> Self {
        let settings = Settings::default();
        let cycle_ms = settings.lifecycle.config().default_cycle_ms;
        Self { settings, cycle_ms, ..Self::default() }
    }

    /// This snapshot in a shop with these days.
    #[must_use]
    pub fn with_calendar(mut self, calendar: Calendar) -> Self {
        self.event_queries.locale.calendar = calendar.clone();
        Self { calendar, ..self }
    }

    /// This snapshot with the newer parts.
    ///
    /// # Errors
    /// When a stored mapping cannot be compiled any more.
    pub fn with(&self, wire: WireSnapshot) -> Result<Self, DomainError> {
        let mut next = self.clone();
        if let Some(config) = wire.config {
            next.config_version = config.version;
            next.settings = config.settings;
            next.catalogue = Catalogue::new(config.products);
            let saved = config.campaigns.into_iter().chain(config.later_campaigns);
            // One that only a newer version reads keeps nobody from the others.
            (next.campaigns, next.unreadable_campaigns) = (Vec::new(), Vec::new());
            for SavedCampaign { id, version, definition } in saved {
                match CampaignId::parse(&id).and_then(|id| Campaign::new(id, version, definition)) {
                    Ok(campaign) => next.campaigns.push(campaign),
                    Err(_) => next.unreadable_campaigns.push(id),
                }
            }
            next.campaigns.sort_by(|one, other| one.id.cmp(&other.id));
            // The sort is stable, so those of one priority stay in the order of their IDs.
            next.campaigns.sort_by_key(|campaign| std::cmp::Reverse(campaign.definition.priority));
            let mappings = config.webhooks.into_iter().map(|saved| Ok((saved.source.clone(), saved.compile()?)));
            next.webhooks = mappings.collect::<Result<_, DomainError>>()?;
            // An object of an earlier version names none.
            if config.segments_version >= next.segments.version {
                next.segments = Segments::read(config.segments_version, config.segments);
            }
            next.event_queries = next.asked_of_events(&config.event_queries);
        }
        if let Some(model) = wire.model {
            next.model_version = model.version;
            next.model = model.model;
            next.gaps = model.gaps;
        }
        if let Some(wire) = wire.scores {
            next.scores_version = wire.version;
            // Those of a newer version are not read; the earlier ones serve on.
            let read = BASE64.decode(&wire.packed).ok().and_then(|packed| Scores::unpack(&packed).ok());
            next.scores = read.unwrap_or(next.scores);
        }
        next.asks_for_texts = next.is_asking_for_texts();
        // Settings and gaps both have a say in the cycle, and either may be the newer.
        next.cycle_ms = next.gaps.cycle_ms(&next.settings.lifecycle.config());
        Ok(next)
    }
}
