//! Where this deployment's data is: its jurisdiction, and the shard of each bucket.
//!
//! Role in the flow of one event: the isolate asks for the placement before it touches an object that depends on it,
//! and keeps it. A deployment whose data lives in another jurisdiction answers 503 to everything that needs its
//! objects: it would find no profile, and nothing would read what it wrote. A placement may be old: shards forward
//! requests about buckets that moved away.

use std::cell::RefCell;
use std::rc::Rc;

use endcap_engine::layout::{Layout, Placement};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};
use worker::Env;

use super::message::Message;
use super::{call, namespace};
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;

/// Age after which the placement is asked for again, in milliseconds.
const TTL_MS: UnixMillis = 30_000;

/// What an isolate holds.
struct Held {
    /// The strongest use that was allowed.
    allowed: Use,
    at: UnixMillis,
    placement: Rc<Placement>,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// What the objects are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Use {
    /// Reading: a deployment without data may be laid out in any way.
    Read,
    /// Writing: from now on the data has this layout.
    Write,
}

/// What the registry is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LayoutAsk {
    /// The layout that is set.
    pub(crate) layout: Layout,
    /// What it is needed for.
    pub(crate) needed: Use,
}

/// What the registry knows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LayoutKnown {
    /// The layout that the data was written with; None: there is no data.
    pub(crate) written: Option<Layout>,
    /// Where buckets are.
    pub(crate) placement: Placement,
}

impl Message for LayoutAsk {
    const PATH: &'static str = "/layout";
    type Reply = LayoutKnown;
}

/// Whether this isolate was allowed to use the objects so, and knows well enough where they are.
pub(crate) fn is_checked(needed: Use, now: UnixMillis) -> bool {
    let fresh = |held: &Held| held.allowed >= needed && now.saturating_sub(held.at) < TTL_MS;
    HELD.with_borrow(|held| held.as_ref().is_some_and(fresh))
}

/// Refuses a deployment whose data lives elsewhere.
pub(crate) async fn check(env: &Env, needed: Use) -> Result<(), EdgeError> {
    let now = clock::now();
    if is_checked(needed, now) {
        return Ok(());
    }
    match ask(env, needed).await {
        // An isolate that knows the placement goes on without the registry.
        Err(error @ EdgeError::Domain(_)) => Err(error),
        Err(error) => {
            let known = HELD.with_borrow_mut(|held| {
                let held = held.as_mut().filter(|held| held.allowed >= needed)?;
                held.at = now;
                Some(())
            });
            known.ok_or(error)
        }
        Ok(_) => Ok(()),
    }
}

/// The placement as it is now, asked for again.
pub(crate) async fn ask(env: &Env, needed: Use) -> Result<Rc<Placement>, EdgeError> {
    let ask = LayoutAsk { layout: config(env).layout.clone(), needed };
    let known = call::ask(&namespace::registry(env)?, &ask).await?;
    ask.layout.check(known.written.as_ref())?;
    let placement = Rc::new(known.placement);
    HELD.with_borrow_mut(|held| {
        let allowed = held.as_ref().map_or(needed, |held| held.allowed.max(needed));
        *held = Some(Held { allowed, at: clock::now(), placement: Rc::clone(&placement) });
    });
    Ok(placement)
}

/// The placement that this isolate knows.
pub(crate) fn placement() -> Result<Rc<Placement>, EdgeError> {
    let held = HELD.with_borrow(|held| held.as_ref().map(|held| Rc::clone(&held.placement)));
    held.ok_or_else(|| DomainError::Internal("the layout was not checked".to_owned()).into())
}
