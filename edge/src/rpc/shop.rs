//! What the shop's object is asked and told: configuration, and where profiles are. It answers with what the API shows.

use endcap_engine::layout::growth::ShardsStatus;
use endcap_engine::layout::placement::ShardsAsk;
use endcap_engine::shop::Settings;
use endcap_engine::shop::campaign::Definition;
use endcap_engine::shop::product::Products;
use endcap_engine::shop::webhooks::SavedWebhook;
use endcap_protocol::{CampaignId, ProductId, SourceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Message;

/// Writes messages that are answered with JSON for the API.
macro_rules! shown {
    ($($name:ident $path:literal;)*) => {
        $(
            impl Message for $name {
                const PATH: &'static str = $path;
                type Reply = Value;
            }
        )*
    };
}

/// Asks for the catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetProducts {}

/// Adds products that were checked, and replaces those that are there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PutProducts(pub(crate) Products);

/// Takes a product out of the catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteProduct {
    /// Which.
    pub(crate) id: ProductId,
}

/// Asks for the settings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetSettings {}

/// Replaces the settings by some that were checked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PutSettings(pub(crate) Settings);

/// Asks for all campaigns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetCampaigns {}

/// Asks for a campaign.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetCampaign {
    /// Which.
    pub(crate) id: CampaignId,
}

/// Adds or replaces a campaign that was checked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PutCampaign {
    /// Which.
    pub(crate) id: CampaignId,
    /// What it is.
    pub(crate) definition: Definition,
}

/// Deletes a campaign.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteCampaign {
    /// Which.
    pub(crate) id: CampaignId,
}

/// Asks for all webhook sources.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetWebhooks {}

/// Asks for a webhook source.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetWebhook {
    /// Which.
    pub(crate) source: SourceId,
}

/// Adds or replaces a webhook source whose mapping was checked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PutWebhook(pub(crate) SavedWebhook);

/// Deletes a webhook source.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteWebhook {
    /// Which.
    pub(crate) source: SourceId,
}

/// Asks the registry where profiles are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetShards {}

impl Message for GetShards {
    const PATH: &'static str = "/shards/get";
    type Reply = ShardsStatus;
}

/// Tells the registry how many shards are wanted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PutShards(pub(crate) ShardsAsk);

shown! {
    GetProducts "/products/get";
    PutProducts "/products/put";
    DeleteProduct "/products/delete";
    GetSettings "/settings/get";
    PutSettings "/settings/put";
    GetCampaigns "/campaigns/list";
    GetCampaign "/campaigns/get";
    PutCampaign "/campaigns/put";
    DeleteCampaign "/campaigns/delete";
    GetWebhooks "/webhooks/list";
    GetWebhook "/webhooks/get";
    PutWebhook "/webhooks/put";
    DeleteWebhook "/webhooks/delete";
    PutShards "/shards/put";
}
