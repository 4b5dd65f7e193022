//! `ProfileShard`: thousands of profiles in one object.
//!
//! Role in the flow of one event: its only hop. The object reads the visitor's packed row, applies the batch, writes row
//! and log in one transaction, and answers with what became of each event and what to show.

mod cargo;
mod dossier;
mod erase;
mod guard;
mod handover;
mod http;
mod learn;
mod link;
mod outbox;
mod parcels;
mod passed;
mod quarantine;
mod schema;
mod send;
mod store;
mod subscribe;
mod timers;
mod visit;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use endcap_engine::computed_traits::{Reference, utc_hour};
use endcap_engine::layout::bucket_state::Stand;
use endcap_engine::profile_view::ProfileView;
use endcap_engine::visit::settle;
use endcap_identity::FragmentId;
use endcap_profile::Signal;
use endcap_profile::resolution::Lead;
use endcap_protocol::UnixMillis;
use endcap_push::TokenCache;
use endcap_validation::EngineError;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request as RawRequest, Response as RawResponse};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::api::profiles::{Moved, ProfileQuestion};
use crate::config::config;
use crate::db::Db;
use crate::dev::RowsWritten;
use crate::fault::Fault;
use crate::layout::Use;
use crate::zone::Zone;
use crate::{answer, clock, cors, layout, objects, snapshots};
pub(crate) use dossier::{BelongingsAsk, EventsAsk};
pub(crate) use erase::{Known, Look, Part, PartDone, Sums};
use guard::Guard;
pub(crate) use handover::MoveAsk;
pub(crate) use link::SeatBody;
pub(crate) use quarantine::{ListAsk, ListReply, Release, Replay};
use store::Store;

/// Largest body between objects, in bytes.
const MAX_INTERNAL_BODY: usize = 32 * 1024 * 1024;

/// A shard of profiles.
#[durable_object]
pub struct ProfileShard {
    state: State,
    env: Env,
    store: Store,
    /// When the alarm is set, once that is known.
    alarm: Cell<Option<Option<UnixMillis>>>,
    /// Alarms set: each is billed like a row.
    alarms: Cell<u64>,
    /// Batches stored since the object started.
    batches: Cell<u64>,
    /// Whether there is something that the shop has not learned yet.
    unlearned: Cell<bool>,
    /// Which shards were found to be this one or not, by number.
    ours: RefCell<BTreeMap<u16, bool>>,
    /// Who sends robots' batches, and too many.
    guard: RefCell<Guard>,
    /// VAPID tokens by push service.
    tokens: RefCell<TokenCache>,
}

impl DurableObject for ProfileShard {
    fn new(state: State, env: Env) -> Self {
        let db = Db::open(&state.storage(), schema::SCHEMA);
        Self {
            state,
            env,
            store: Store::open(db),
            alarm: Cell::new(None),
            alarms: Cell::new(0),
            batches: Cell::new(0),
            unlearned: Cell::new(true),
            ours: RefCell::default(),
            guard: RefCell::default(),
            tokens: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let origin = request.headers().get("origin")?;
        cors::settle(self.handle(request).await, origin.as_deref(), &config(&self.env))
    }

    async fn alarm(&self) -> worker::Result<Response> {
        // A failed run is not worth the platform's retries, which end after six: it is logged and the alarm set again.
        self.alarm.set(Some(None));
        if let Err(fault) = self.on_alarm(clock::now()).await {
            worker::console_error!("alarm: {fault}");
            let soon = clock::now() + 30_000;
            self.arm_at(Some(soon)).await.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        }
        Ok(answer::empty(200))
    }
}

#[wasm_bindgen]
impl ProfileShard {
    /// Answers a visitor's batch whose body was read, at once and without a Rust future, which costs as much as the work
    /// itself. Nothing for what has to wait for something, and for what is no batch: then nothing was done, and `fetch`
    /// is to answer.
    #[must_use]
    pub fn batch(&self, request: &RawRequest, body: &Uint8Array) -> Option<RawResponse> {
        let now = clock::now();
        let awake = self.alarm.get().is_some();
        let snapshot = snapshots::fresh(&self.env, now).filter(|_| awake)?;
        if !answer::is_batch(request, &config(&self.env)) {
            return None;
        }
        match self.batch_at_once(request, body, &snapshot, now) {
            Ok(response) => response,
            Err(fault) => {
                let origin = request.headers().get("origin").ok().flatten();
                cors::settle(Err(fault), origin.as_deref(), &config(&self.env)).ok().map(RawResponse::from)
            }
        }
    }
}

impl ProfileShard {
    async fn handle(&self, mut request: Request) -> Result<Response, Fault> {
        layout::check(&self.env, Use::Write).await?;
        self.wake().await?;
        let path = request.path();
        // Browsers' routes come with the deployment's prefix; ours have none, and no browser can name their host.
        if let Some(rest) = path.strip_prefix(config(&self.env).prefix.as_str()) {
            return match rest {
                "/e" => self.batch_route(request).await,
                "/push" => self.push_route(request).await,
                "/n" => self.report_route(request).await,
                _ => Err(EngineError::NotFound("route").into()),
            };
        }
        // What is about a bucket that moved away is handed on.
        let about = request.headers().get(objects::BUCKET_HEADER)?.and_then(|text| text.parse().ok());
        if let Some(bucket) = about
            && let Some(shard) = self.elsewhere(bucket).await?
        {
            return Ok(shard.fetch_with_request(request).await?);
        }
        let passed = passed::Passed::of(request.headers())?;
        let body = answer::body(&mut request, MAX_INTERNAL_BODY).await?;
        match path.as_str() {
            "/visit" => self.visit_route(passed, &body).await,
            "/parcels" => self.parcels_route(&body).await,
            "/subscribe" => self.subscribe_route(serde_json::from_slice(&body)?).await,
            "/seat" => self.seat_route(&serde_json::from_slice(&body)?).await,
            "/absorb" => self.absorb(&serde_json::from_slice(&body)?).await,
            "/profile" => self.profile(&serde_json::from_slice(&body)?).await,
            "/timers" => self.timers_route(&serde_json::from_slice(&body)?).await,
            "/erase/look" => self.look_route(&serde_json::from_slice(&body)?),
            "/erase" => self.erase_route(&serde_json::from_slice(&body)?).await,
            "/events" => self.events_route(&serde_json::from_slice(&body)?),
            "/belongings" => self.belongings_route(&serde_json::from_slice(&body)?),
            "/bucket/move" => self.move_route(&serde_json::from_slice(&body)?).await,
            "/bucket/arrive" => self.arrive_route(&body),
            "/bucket/take" => self.take_route(&body).await,
            "/rows" => self.rows(),
            "/tables" => answer::json(&self.store.db.dump()?),
            "/replay" => self.replay_route(&serde_json::from_slice(&body)?).await,
            _ if path.starts_with("/quarantine/") => self.quarantine_route(&path, &body).await,
            _ => Err(EngineError::NotFound("route").into()),
        }
    }

    /// Whether this object holds a bucket. A request cannot be trusted to say.
    fn owns(&self, bucket: u16) -> Result<bool, Fault> {
        Ok(self.stand(bucket)? == Stand::Here)
    }

    /// Whether this object is the shard of a number, which it does not know itself.
    fn is_number(&self, number: u16) -> Result<bool, Fault> {
        if let Some(known) = self.ours.borrow().get(&number) {
            return Ok(*known);
        }
        let namespace = objects::namespace(&self.env, objects::Kind::Shard)?;
        let id = namespace.id_from_name(&objects::shard_name(number))?;
        let is = id.to_string() == self.state.id().to_string();
        self.ours.borrow_mut().insert(number, is);
        Ok(is)
    }

    /// After a start: what was due while the object was gone gets its alarm back.
    async fn wake(&self) -> Result<(), Fault> {
        if self.alarm.get().is_some() {
            return Ok(());
        }
        self.alarm.set(Some(self.state.storage().get_alarm().await?));
        let due = self.store.next_due()?;
        self.arm_at(due).await
    }

    /// Sets the alarm, if it is not set to an earlier time already.
    async fn arm_at(&self, due: Option<UnixMillis>) -> Result<(), Fault> {
        if let Some(set) = self.arm(due)? {
            JsFuture::from(set).await?;
        }
        Ok(())
    }

    /// The same without waiting for it.
    fn arm(&self, due: Option<UnixMillis>) -> Result<Option<Promise>, Fault> {
        let held = self.alarm.get().flatten();
        let Some(due) = due.filter(|due| held.is_none_or(|held| *due < held)) else { return Ok(None) };
        let set = self.store.db.set_alarm(due.max(clock::now()))?;
        self.alarm.set(Some(Some(due)));
        self.alarms.set(self.alarms.get() + 1);
        Ok(Some(set))
    }

    fn note_learning(&self, signals: &[Signal]) {
        if !signals.is_empty() {
            self.unlearned.set(true);
        }
    }

    /// The profile as of now. Looking changes nothing.
    async fn profile(&self, question: &ProfileQuestion) -> Result<Response, Fault> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let row = self.store.load(&question.profile_id)?;
        let mut row = row.ok_or(EngineError::NotFound("profile"))?;
        if let Some(browser) = &question.anonymous_id {
            match row.lead(browser, question.fragment.as_ref())? {
                Lead::Here(_) => {}
                Lead::Next(profile_id, fragment) => return answer::json(&Moved { moved_to: profile_id, fragment }),
                Lead::Begins(_) => return Err(EngineError::NotFound("profile").into()),
                Lead::Coming => return Err(EngineError::Internal("the profile is being moved".to_owned()).into()),
            }
        }
        if row.fragments.is_empty() {
            // The profile that it is named after may have become part of another.
            let own = FragmentId::parse(&question.profile_id)?;
            let away = row.moved.get(&own).filter(|_| question.anonymous_id.is_none());
            let away = away.ok_or(EngineError::NotFound("profile"))?;
            return answer::json(&Moved { moved_to: away.to.clone(), fragment: own });
        }
        let settled = settle(&mut row, &snapshot, now);
        let zone = Zone::parse(&snapshot.settings.time_zone).ok();
        let hour_of = |at| zone.as_ref().map_or_else(|| utc_hour(at), |zone| zone.hour(at));
        let reference = Reference { catalogue: &snapshot.catalogue, hour_of: &hour_of };
        answer::json(&ProfileView::new(&row, &settled.person, reference))
    }

    fn rows(&self) -> Result<Response, Fault> {
        answer::json(&RowsWritten {
            batches: self.batches.get(),
            rows_written: self.store.db.written() + self.alarms.get(),
        })
    }
}
