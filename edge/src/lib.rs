//! The edge: a Cloudflare Worker with three kinds of Durable Objects around the pure `endcap-engine`.
//!
//! Role in the flow of one event: [`entry`] routes a request without reading its body; [`shard`] ingests, applies, stores
//! and decides in one hop; [`shop`] owns configuration and models, [`graph`] says which profile an identifier belongs
//! to. Adapters here are thin: what can be decided without I/O is decided in the engine.

mod answer;
mod api;
mod assets;
mod clock;
mod config;
mod cors;
mod crossing;
mod db;
mod deliver;
mod dev;
mod entry;
mod fault;
mod graph;
mod layout;
mod limits;
mod objects;
mod pixel;
mod quarantine;
mod redirect;
mod shard;
mod shop;
mod snapshots;
mod vendor;
mod webcrypto;
mod webhooks;
mod zone;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, Request, Response, event};

/// Answers every request to the worker.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    entry::handle(request, env, context).await
}

/// Answers a request if it is a batch that only has to be handed to its shard; else nothing, and [`fetch`] is to answer.
#[wasm_bindgen(js_name = handOver)]
#[must_use]
pub fn hand_over(request: &worker::web_sys::Request, env: &Env) -> Option<js_sys::Promise> {
    entry::hand_over(request, env)
}
