//! `/api/health`: how the deployment is, for who operates it.

use endcap_engine::health::Health;
use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::health::{GraphHealthAsk, ShardHealthAsk, ShopHealthAsk};
use crate::rpc::shop::GetShards;
use crate::rpc::{call, namespace, shards};

/// `GET`.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let env = incoming.env;
    let sharding = call::ask(&namespace::registry(env)?, &GetShards {}).await?;
    let shards = call::ask_each(&shards::all_shards(env).await?, &ShardHealthAsk {}).await?;
    let mut graph = Vec::new();
    for (part, stub) in (0_u16..).zip(namespace::all_graph_parts(env)?) {
        graph.push(call::ask(&stub, &GraphHealthAsk { part }).await?);
    }
    let shop = call::ask(&namespace::shop(env)?, &ShopHealthAsk {}).await?;
    response::json(&Health::new(env!("CARGO_PKG_VERSION"), clock::now(), sharding, shards, graph, shop))
}
