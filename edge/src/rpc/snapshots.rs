//! The isolate's snapshot of the shop, refreshed when it is too old.

use std::cell::RefCell;
use std::rc::Rc;

use endcap_engine::shop::Snapshot;
use endcap_engine::shop::snapshot::WireSnapshot;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};
use worker::Env;

use super::message::Message;
use super::placement::Use;
use super::{call, namespace, placement};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::zone::calendar_of;

thread_local! {
    static CACHE: RefCell<Option<(UnixMillis, Rc<Snapshot>)>> = const { RefCell::new(None) };
}

/// The least time between two questions to the shop, in milliseconds.
const LEAST_MS: UnixMillis = 1_000;

/// Asks the shop for what is newer than the versions that are held.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotAsk {
    /// Version of the configuration; 0 for none.
    pub(crate) config: u64,
    /// Version of the models; 0 for none.
    pub(crate) model: u64,
    /// Version of the scores; 0 for none.
    #[serde(default)]
    pub(crate) scores: u64,
}

impl Message for SnapshotAsk {
    const PATH: &'static str = "/snapshot";
    type Reply = WireSnapshot;
}

/// The snapshot that is held, while it is fresh enough to decide with.
pub(crate) fn fresh(env: &Env, now: UnixMillis) -> Option<Rc<Snapshot>> {
    let ttl = config(env).snapshot_ttl_ms;
    CACHE.with_borrow(|held| {
        let (at, snapshot) = held.as_ref()?;
        (now.saturating_sub(*at) < ttl).then(|| Rc::clone(snapshot))
    })
}

/// The shop's snapshot, at most the configured age old. If the shop's object cannot be reached, the last one serves on:
/// a visitor should rather see yesterday's campaign than none.
pub(crate) async fn current(env: &Env, now: UnixMillis) -> Result<Rc<Snapshot>, EdgeError> {
    if let Some(snapshot) = fresh(env, now) {
        return Ok(snapshot);
    }
    refresh(env, now).await
}

/// The same, however old the one that is held is: at most once a second, so that nobody makes the shop's object busy.
pub(crate) async fn newer(env: &Env, now: UnixMillis) -> Result<Rc<Snapshot>, EdgeError> {
    let just_asked = CACHE.with_borrow(|held| held.clone().filter(|(at, _)| now.saturating_sub(*at) < LEAST_MS));
    if let Some((_, snapshot)) = just_asked {
        return Ok(snapshot);
    }
    refresh(env, now).await
}

async fn refresh(env: &Env, now: UnixMillis) -> Result<Rc<Snapshot>, EdgeError> {
    placement::check(env, Use::Read).await?;
    let cached = CACHE.with_borrow(Clone::clone);
    let held = match &cached {
        Some((_, snapshot)) => {
            // One visitor waits for the newer one; those who come meanwhile are served from this one.
            CACHE.set(Some((now, Rc::clone(snapshot))));
            Rc::clone(snapshot)
        }
        None => Rc::new(Snapshot::empty()),
    };
    let have = SnapshotAsk { config: held.config_version, model: held.model_version, scores: held.scores_version };
    let fresh = match call::ask(&namespace::shop(env)?, &have).await {
        Ok(wire) if wire.is_empty() => held,
        Ok(wire) => {
            let mut next = held.with(wire)?;
            if next.settings.time_zone != held.settings.time_zone {
                let calendar = calendar_of(&next.settings.time_zone);
                next = next.with_calendar(calendar);
            }
            if !next.unreadable_campaigns.is_empty() {
                let ids = next.unreadable_campaigns.join(", ");
                worker::console_error!("campaigns that only a newer version of Endcap reads are not shown: {ids}");
            }
            Rc::new(next)
        }
        Err(error) if cached.is_some() => {
            worker::console_error!("the shop's snapshot could not be refreshed: {error}");
            held
        }
        Err(error) => return Err(error),
    };
    CACHE.set(Some((now, Rc::clone(&fresh))));
    Ok(fresh)
}
