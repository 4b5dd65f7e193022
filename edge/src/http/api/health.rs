//! `/api/health`: how the deployment is, for who operates it.

use endcap_engine::health::Health;
use endcap_engine::health::finding::{Place, of_rules, of_scores};
use worker::{Response, Stub};

use crate::http::incoming::Incoming;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::health::{GraphHealthAsk, ShardHealthAsk, ShopHealthAsk};
use crate::rpc::message::Message;
use crate::rpc::scores::GetScores;
use crate::rpc::shop::GetShards;
use crate::rpc::{call, namespace, placement, snapshots};

/// `GET`. An object that does not answer is a finding, and hides no other.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let env = incoming.env;
    let mut silent = Vec::new();
    let sharding = ask(Place::Registry, &namespace::registry(env)?, &GetShards {}, &mut silent).await;
    // Where the registry does not answer, what this isolate knows of it has to do.
    let count = match &sharding {
        Some(known) => known.view.buckets.len(),
        None => placement::placement()?.all_shards().count(),
    };
    let mut shards = Vec::new();
    for number in 0..u16::try_from(count).unwrap_or(u16::MAX) {
        let stub = namespace::numbered_shard(env, number)?;
        shards.extend(ask(Place::Shard(number), &stub, &ShardHealthAsk {}, &mut silent).await);
    }
    let mut graph = Vec::new();
    for (part, stub) in (0_u16..).zip(namespace::all_graph_parts(env)?) {
        graph.extend(ask(Place::IdentityGraph(part), &stub, &GraphHealthAsk { part }, &mut silent).await);
    }
    let shop = ask(Place::Shop, &namespace::shop(env)?, &ShopHealthAsk {}, &mut silent).await;
    let scores = ask(Place::Models, &namespace::models(env)?, &GetScores { for_health: true }, &mut silent).await;
    let (sharding, shop) = (sharding.unwrap_or_default(), shop.unwrap_or_default());
    let now = clock::now();
    let health = Health::new(env!("CARGO_PKG_VERSION"), now, sharding, shards, graph, shop, &silent);
    // Where the shop does not answer, that is a finding already.
    let rules = snapshots::current(env, now).await.map(|snapshot| of_rules(&snapshot.settings.identity));
    let fits = scores.map(|scores| of_scores(scores.failed_runs)).unwrap_or_default();
    let gaps = config(env).gaps.iter().map(|gap| gap.finding()).collect();
    response::json(&health.finding(gaps).finding(fits).finding(rules.unwrap_or_default()))
}

/// What an object answers; where it does not, its place is noted.
async fn ask<M: Message>(place: Place, stub: &Stub, message: &M, silent: &mut Vec<Place>) -> Option<M::Reply> {
    match call::ask(stub, message).await {
        Ok(reply) => Some(reply),
        Err(error) => {
            worker::console_error!("health of {place}: {error}");
            silent.push(place);
            None
        }
    }
}
