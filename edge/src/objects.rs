//! Finding and calling Durable Objects.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::{JsString, Promise};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::Request as RawRequest;
use worker::{Env, Method, ObjectNamespace, Request, RequestInit, Response, Stub};

use crate::config::config;
use crate::fault::Fault;
use crate::layout::{self, Use};

/// The three kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub(crate) fn namespace(env: &Env, kind: Kind) -> Result<ObjectNamespace, Fault> {
    let namespace = env.durable_object(kind.binding())?;
    let Some(jurisdiction) = &config(env).layout.jurisdiction else { return Ok(namespace) };
    let raw: &JsValue = env.as_ref();
    let whole = js_sys::Reflect::get(raw, &JsValue::from_str(kind.binding()))?;
    let narrow = js_sys::Reflect::get(&whole, &JsValue::from_str("jurisdiction"))?;
    let narrow = narrow.dyn_into::<js_sys::Function>()?.call1(&whole, &JsValue::from_str(jurisdiction))?;
    Ok(narrow.unchecked_into())
}

/// Names the bucket that a request between our objects is about, so that a shard that gave it away can hand it on.
pub(crate) const BUCKET_HEADER: &str = "x-endcap-bucket";

/// Name of a shard.
pub(crate) fn shard_name(number: u16) -> String {
    format!("shard-{number}")
}

/// A shard by its number.
pub(crate) fn numbered_shard(env: &Env, number: u16) -> Result<Stub, Fault> {
    Ok(namespace(env, Kind::Shard)?.get_by_name(&shard_name(number))?)
}

/// The shard that holds a bucket.
pub(crate) fn shard(env: &Env, bucket: u16) -> Result<Stub, Fault> {
    numbered_shard(env, layout::placement()?.shard_of(bucket))
}

#[wasm_bindgen]
extern "C" {
    /// `DurableObjectNamespace`.
    #[derive(Clone)]
    type RawNamespace;
    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &RawNamespace, name: &JsString) -> Result<RawStub, JsValue>;
    /// `DurableObjectStub`.
    pub(crate) type RawStub;
    /// Sends a request as it is, and answers with the answer as it is.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn fetch(this: &RawStub, request: &RawRequest) -> Result<Promise, JsValue>;
}

/// What the event path needs of the shards' namespace with each batch.
struct Shards {
    namespace: RawNamespace,
    /// Names of the shards that were asked for, by number.
    names: BTreeMap<u16, JsString>,
}

thread_local! {
    static SHARDS: RefCell<Option<Shards>> = const { RefCell::new(None) };
}

/// The shard that holds a bucket, for handing a request on.
pub(crate) fn raw_shard(env: &Env, bucket: u16) -> Result<RawStub, Fault> {
    let number = layout::placement()?.shard_of(bucket);
    SHARDS.with_borrow_mut(|held| {
        let shards = match held {
            Some(shards) => shards,
            None => {
                let namespace = JsValue::from(namespace(env, Kind::Shard)?).unchecked_into();
                held.insert(Shards { namespace, names: BTreeMap::new() })
            }
        };
        let name = shards.names.entry(number).or_insert_with(|| shard_name(number).into());
        Ok(shards.namespace.get_by_name(name)?)
    })
}

/// Every shard there is at this moment: an older placement may lack some.
pub(crate) async fn all_shards(env: &Env) -> Result<Vec<Stub>, Fault> {
    layout::ask(env, Use::Read).await?.all_shards().map(|number| numbered_shard(env, number)).collect()
}

/// The shop's object.
pub(crate) fn shop(env: &Env) -> Result<Stub, Fault> {
    Ok(namespace(env, Kind::Shop)?.get_by_name("shop")?)
}

/// The object that remembers how data is laid out. It is found whatever the jurisdiction is set to, and holds nothing of
/// anybody's.
pub(crate) fn registry(env: &Env) -> Result<Stub, Fault> {
    Ok(env.durable_object(Kind::Shop.binding())?.get_by_name("layout")?)
}

/// A part of the identity graph.
pub(crate) fn graph_part(env: &Env, number: u16) -> Result<Stub, Fault> {
    Ok(namespace(env, Kind::Graph)?.get_by_name(&graph_name(number))?)
}

/// Name of a part of the identity graph. The first one is named like the graph in one piece.
pub(crate) fn graph_name(number: u16) -> String {
    if number == 0 { "graph".to_owned() } else { format!("graph-{number}") }
}

/// Every part of the identity graph.
pub(crate) fn all_graph_parts(env: &Env) -> Result<Vec<Stub>, Fault> {
    (0..config(env).layout.graph_partitions).map(|number| graph_part(env, number)).collect()
}

/// A request to one of our objects. The host names nothing; it only has to be one.
pub(crate) fn request(method: Method, path: &str, body: Option<String>) -> Result<Request, Fault> {
    let mut init = RequestInit::new();
    init.with_method(method).with_body(body.map(JsValue::from));
    Ok(Request::new_with_init(&format!("https://object.internal{path}"), &init)?)
}

/// Posts JSON to an object and returns its answer, whatever the status.
pub(crate) async fn post<T: Serialize>(stub: &Stub, path: &str, value: &T) -> Result<Response, Fault> {
    let request = request(Method::Post, path, Some(serde_json::to_string(value)?))?;
    Ok(stub.fetch_with_request(request).await?)
}

/// The same to the shard that holds a bucket.
pub(crate) async fn post_to_bucket<T: Serialize>(
    env: &Env,
    bucket: u16,
    path: &str,
    value: &T,
) -> Result<Response, Fault> {
    let request = request(Method::Post, path, Some(serde_json::to_string(value)?))?;
    request.headers().set(BUCKET_HEADER, &bucket.to_string())?;
    Ok(shard(env, bucket)?.fetch_with_request(request).await?)
}

/// Posts JSON to an object and reads its answer; anything but 200 is a fault.
pub(crate) async fn ask<T: Serialize, R: DeserializeOwned>(stub: &Stub, path: &str, value: &T) -> Result<R, Fault> {
    read(path, post(stub, path, value).await?).await
}

/// The same of the shard that holds a bucket.
pub(crate) async fn ask_bucket<T: Serialize, R: DeserializeOwned>(
    env: &Env,
    bucket: u16,
    path: &str,
    value: &T,
) -> Result<R, Fault> {
    read(path, post_to_bucket(env, bucket, path, value).await?).await
}

async fn read<R: DeserializeOwned>(path: &str, mut response: Response) -> Result<R, Fault> {
    if response.status_code() != 200 {
        return Err(Fault::Object { object: path.to_owned(), status: response.status_code() });
    }
    Ok(serde_json::from_str(&response.text().await?)?)
}
