//! Finding objects that need no placement: by number, or by the one name that they have.

use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Env, ObjectNamespace, Stub};

use crate::platform::config::config;
use crate::platform::error::EdgeError;

/// The three kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Kind {
    /// Thousands of profiles.
    Shard,
    /// Configuration and models.
    Shop,
    /// Which profile an identifier belongs to.
    Graph,
}

impl Kind {
    fn binding(self) -> &'static str {
        match self {
            Self::Shard => "PROFILE_SHARD",
            Self::Shop => "SHOP",
            Self::Graph => "IDENTITY_GRAPH",
        }
    }
}

/// The namespace of a kind, within the deployment's jurisdiction.
pub(crate) fn namespace(env: &Env, kind: Kind) -> Result<ObjectNamespace, EdgeError> {
    let namespace = env.durable_object(kind.binding())?;
    let Some(jurisdiction) = &config(env).layout.jurisdiction else { return Ok(namespace) };
    let raw: &JsValue = env.as_ref();
    let whole = js_sys::Reflect::get(raw, &JsValue::from_str(kind.binding()))?;
    let narrow = js_sys::Reflect::get(&whole, &JsValue::from_str("jurisdiction"))?;
    let narrow = narrow.dyn_into::<js_sys::Function>()?.call1(&whole, &JsValue::from_str(jurisdiction))?;
    Ok(narrow.unchecked_into())
}

/// Name of a shard.
pub(crate) fn shard_name(number: u16) -> String {
    format!("shard-{number}")
}

/// A shard by its number.
pub(crate) fn numbered_shard(env: &Env, number: u16) -> Result<Stub, EdgeError> {
    Ok(namespace(env, Kind::Shard)?.get_by_name(&shard_name(number))?)
}

/// The shop's object.
pub(crate) fn shop(env: &Env) -> Result<Stub, EdgeError> {
    Ok(namespace(env, Kind::Shop)?.get_by_name("shop")?)
}

/// The object that fits models: the shop's class under another name, on no visitor's way.
pub(crate) fn models(env: &Env) -> Result<Stub, EdgeError> {
    Ok(namespace(env, Kind::Shop)?.get_by_name("models")?)
}

/// The object that remembers how data is laid out. It is found whatever the jurisdiction is set to, and holds nothing of
/// anybody's.
pub(crate) fn registry(env: &Env) -> Result<Stub, EdgeError> {
    Ok(env.durable_object(Kind::Shop.binding())?.get_by_name("layout")?)
}

/// A part of the identity graph.
pub(crate) fn graph_part(env: &Env, number: u16) -> Result<Stub, EdgeError> {
    Ok(namespace(env, Kind::Graph)?.get_by_name(&graph_name(number))?)
}

/// Name of a part of the identity graph. The first one is named like the graph in one piece.
pub(crate) fn graph_name(number: u16) -> String {
    if number == 0 { "graph".to_owned() } else { format!("graph-{number}") }
}

/// Every part of the identity graph.
pub(crate) fn all_graph_parts(env: &Env) -> Result<Vec<Stub>, EdgeError> {
    (0..config(env).layout.graph_partitions).map(|number| graph_part(env, number)).collect()
}
