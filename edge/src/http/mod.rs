//! Routes: what a request asks for, and the answer. A route asks objects through `rpc`, and stores nothing.

mod api;
mod assets;
mod campaign_part;
mod cross_domain;
mod dev;
mod dev_profile;
mod diagnosis;
mod history_finder;
mod incoming;
mod link_gone;
mod pixel;
mod preflight;
mod rate_limits;
mod reader;
mod redirect;
pub(crate) mod router;
mod server_delivery;
pub(crate) mod to_shard;
mod vendor;
mod webhooks;
