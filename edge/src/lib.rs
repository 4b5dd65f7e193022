//! The edge: a Cloudflare Worker with three kinds of Durable Objects around the pure crates of the domain.
//!
//! Four rooms, whose doors open one way: [`http`] routes a request without reading a batch's body; [`objects`] hold what is
//! stored, `ProfileShard` ingests, applies, stores and decides in one hop; [`rpc`] has what routes and objects say to each
//! other; [`platform`] adapts the Workers runtime. `http → rpc ← objects`, and all of them → `platform`. Adapters are thin:
//! what can be decided without I/O is decided in the pure crates.

mod http;
mod objects;
mod platform;
mod rpc;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, Request, Response, event};

/// With the allocator that the standard library brings a batch takes a twentieth longer.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Answers every request to the worker.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    http::router::handle(request, env, context).await
}

/// Answers a request if it is a batch that only has to be handed to its shard; else nothing, and `fetch` is to answer.
#[wasm_bindgen(js_name = handOver)]
#[must_use]
pub fn hand_over(request: &worker::web_sys::Request, env: &Env) -> Option<js_sys::Promise> {
    http::to_shard::hand_over(request, env)
}
