//! Finding the shard that holds a bucket, and calling it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::{JsString, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::Request as RawRequest;
use worker::{Env, Response, Stub};

use super::call::Outgoing;
use super::message::Message;
use super::namespace::{Kind, namespace, numbered_shard, shard_name};
use super::placement;
use super::placement::Use;
use crate::platform::error::EdgeError;

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

/// The shard that holds a bucket.
pub(crate) fn shard(env: &Env, bucket: u16) -> Result<Stub, EdgeError> {
    numbered_shard(env, placement::placement()?.shard_of(bucket))
}

/// The shard that holds a bucket, for handing a request on.
pub(crate) fn raw_shard(env: &Env, bucket: u16) -> Result<RawStub, EdgeError> {
    let number = placement::placement()?.shard_of(bucket);
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
pub(crate) async fn all_shards(env: &Env) -> Result<Vec<Stub>, EdgeError> {
    placement::ask(env, Use::Read).await?.all_shards().map(|number| numbered_shard(env, number)).collect()
}

/// Every shard but one.
pub(crate) async fn other_shards(env: &Env, own: u16) -> Result<Vec<Stub>, EdgeError> {
    let placement = placement::ask(env, Use::Read).await?;
    placement.all_shards().filter(|number| *number != own).map(|number| numbered_shard(env, number)).collect()
}

/// Sends a message to the shard that holds a bucket and returns its answer, whatever the status.
pub(crate) async fn post_to_bucket<M: Message>(env: &Env, bucket: u16, message: &M) -> Result<Response, EdgeError> {
    Outgoing::of(message)?.send(&shard(env, bucket)?, Some(bucket)).await
}

/// Sends a message to the shard that holds a bucket and reads its answer; anything but 200 is an error.
pub(crate) async fn ask_bucket<M: Message>(env: &Env, bucket: u16, message: &M) -> Result<M::Reply, EdgeError> {
    Ok(serde_json::from_str(&Outgoing::of(message)?.ask(&shard(env, bucket)?, Some(bucket)).await?)?)
}
