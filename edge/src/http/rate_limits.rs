//! How much one client may send, counted in the isolate's memory.
//!
//! Role in the flow of one event: at the entry, before anything of a request is read. What a source may send is counted
//! where it is known: at the shards, and here for what is parsed at the entry.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread::LocalKey;

use endcap_engine::limit::{Limiter, Rate, client};
use endcap_events::ingest::RejectCode;
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use worker::Env;
use worker::web_sys::Request as RawRequest;

use crate::platform::config::Config;
use crate::platform::error::EdgeError;
use crate::platform::{client_address, clock};
use crate::rpc::quarantine;

/// Least time between two reports of what was refused, in milliseconds.
const REPORT_MS: i64 = 1000;

/// What a source sent beyond its bound since it was last reported.
#[derive(Default)]
struct Refused {
    by_source: BTreeMap<String, usize>,
    reported_at: UnixMillis,
}

thread_local! {
    static CLIENTS: RefCell<Option<Limiter>> = const { RefCell::new(None) };
    static READERS: RefCell<Option<Limiter>> = const { RefCell::new(None) };
    static SOURCES: RefCell<Option<Limiter>> = const { RefCell::new(None) };
    static REFUSED: RefCell<Refused> = RefCell::default();
}

/// Lets a request of a source in that is parsed at the entry, or says when to come again. Batches of our own script are
/// counted at the shards.
pub(super) fn admit_source(source: &str, config: &Config, now: UnixMillis) -> Result<(), EdgeError> {
    let Some(rate) = config.rate_source else { return Ok(()) };
    let taken = SOURCES.with_borrow_mut(|held| held.get_or_insert_with(|| Limiter::new(rate)).take(source, now));
    Ok(taken.map_err(|after_ms| DomainError::RateLimited { after_ms })?)
}

/// Counts events of a source that were refused beyond the bound. What cannot be reported now is reported with what comes
/// next.
pub(super) async fn count_refused(env: &Env, source: &str, count: usize, now: UnixMillis) {
    let mut left = note_refused(source, count, now);
    while let Some((source, count)) = left.pop_first() {
        if let Err(error) = quarantine::count(env, &source, RejectCode::RateLimited, count).await {
            worker::console_error!("counting what {source} sent too much: {error}");
            left.insert(source, count);
            note_unreported(left);
            return;
        }
    }
}

/// Notes that so many events of a source were refused. Returns what is to be reported now, by source: a flood is not
/// worth a report of each of its requests.
fn note_refused(source: &str, count: usize, now: UnixMillis) -> BTreeMap<String, usize> {
    REFUSED.with_borrow_mut(|refused| {
        let held = refused.by_source.entry(source.to_owned()).or_default();
        *held = held.saturating_add(count);
        if now.saturating_sub(refused.reported_at) < REPORT_MS {
            return BTreeMap::new();
        }
        refused.reported_at = now;
        std::mem::take(&mut refused.by_source)
    })
}

/// Puts back counts that could not be reported.
fn note_unreported(counts: BTreeMap<String, usize>) {
    REFUSED.with_borrow_mut(|refused| {
        for (source, count) in counts {
            let held = refused.by_source.entry(source).or_default();
            *held = held.saturating_add(count);
        }
    });
}

/// Lets a request in, or says when to come again. Requests whose client nobody vouches for are let in.
pub(super) fn admit(request: &RawRequest, config: &Config) -> Result<(), EdgeError> {
    take(&CLIENTS, config.rate_ip, request, config)
}

/// The same for a pixel or a redirect, by a bound of their own.
pub(super) fn admit_reader(request: &RawRequest, config: &Config) -> Result<(), EdgeError> {
    take(&READERS, config.rate_links, request, config)
}

fn take(
    limiter: &'static LocalKey<RefCell<Option<Limiter>>>,
    rate: Option<Rate>,
    request: &RawRequest,
    config: &Config,
) -> Result<(), EdgeError> {
    let Some(rate) = rate else { return Ok(()) };
    let Some(client) = client_address::of(request, config)?.as_deref().and_then(client) else { return Ok(()) };
    let taken =
        limiter.with_borrow_mut(|held| held.get_or_insert_with(|| Limiter::new(rate)).take(&client, clock::now()));
    Ok(taken.map_err(|after_ms| DomainError::RateLimited { after_ms })?)
}
