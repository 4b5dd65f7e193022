//! `ProfileShard`: thousands of profiles in one object.
//!
//! Role in the flow of one event: its only hop. The object reads the visitor's packed row, applies the batch, writes row
//! and log in one transaction, and answers with what became of each event and what to show.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use endcap_engine::parked_jobs::RetryAsk;
use endcap_events::link::cross_domain::Arrived;
use endcap_protocol::UnixMillis;
use endcap_push::TokenCache;
use endcap_validation::DomainError;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::{Request as RawRequest, Response as RawResponse};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::abuse_limits::AbuseLimits;
use super::forwarding_headers::{ForwardingHeaders, VISIT_PATH};
use super::notification_report::NotificationReport;
use super::outbox_job::{MoveFragment, PointBrowser};
use super::pulse::Pulse;
use super::store::Store;
use super::subscription_change::ChangeSubscription;
use super::table::all::{check, make, rules};
use crate::platform::config::config;
use crate::platform::db::Db;
use crate::platform::error::EdgeError;
use crate::platform::{clock, cors, response};
use crate::rpc::bucket_transfer::{MoveBucket, TransferAnnouncement, TransferChunk};
use crate::rpc::call::BUCKET_HEADER;
use crate::rpc::crossing::{Arrival, CrossingArrival};
use crate::rpc::customer_models::GroupsAsk;
use crate::rpc::delivery::DeliverRequest;
use crate::rpc::erasure::{EraseStep, NamesAsk};
use crate::rpc::fit_published::FitPublished;
use crate::rpc::graph::Reassign;
use crate::rpc::health::ShardHealthAsk;
use crate::rpc::message::{Done, Message};
use crate::rpc::parked_jobs::ParkedJobsAsk;
use crate::rpc::past_events::PastAsk;
use crate::rpc::person_export::{BelongingsAsk, EventsAsk};
use crate::rpc::placement::Use;
use crate::rpc::profile::{ExplainCondition, FragmentAsk, ProfileQuestion};
use crate::rpc::quarantine::{CountsAsk, Keep, ListAsk, Release, Replay, Tally, WarningsAsk};
use crate::rpc::rows::{LeaveOldTimers, RowFormat, RowsAsk, RowsWritten, SetRowFormat, TableRulesAsk, TablesAsk};
use crate::rpc::scores::CustomersAsk;
use crate::rpc::segments::{CountAsk, ListPeople, MembersAsk, MovementsAsk, SegmentsAsk};
use crate::rpc::timers::{RunTimers, TimersAsk};
use crate::rpc::{message, placement, snapshots};

/// Largest body between objects, in bytes.
const MAX_INTERNAL_BODY: usize = 32 * 1024 * 1024;

/// A shard of profiles.
#[durable_object]
pub struct ProfileShard {
    pub(super) state: State,
    pub(super) env: Env,
    pub(super) store: Store,
    /// When the alarm is set, once that is known.
    pub(super) alarm: Cell<Option<Option<UnixMillis>>>,
    /// Alarms set: each is billed like a row.
    pub(super) alarms: Cell<u64>,
    /// Batches stored since the object started.
    pub(super) batches: Cell<u64>,
    /// Whether there is something that the shop has not learned yet.
    pub(super) unlearned: Cell<bool>,
    /// Which shards were found to be this one or not, by number.
    pub(super) ours: RefCell<BTreeMap<u16, bool>>,
    /// Which senders are robots, and which send too much.
    pub(super) limits: RefCell<AbuseLimits>,
    /// What the object remembers of itself since it started.
    pub(super) pulse: Pulse,
    /// When the shop last heard what there is to learn; 0: not since the object started.
    pub(super) reported_at: Cell<UnixMillis>,
    /// Crossings from other domains that arrived within the last minute.
    pub(super) arrived: RefCell<Arrived>,
    /// VAPID tokens by push service.
    pub(super) tokens: RefCell<TokenCache>,
}

impl DurableObject for ProfileShard {
    fn new(state: State, env: Env) -> Self {
        let db = Db::of(&state.storage());
        if let Err(error) = make(&db) {
            worker::console_error!("schema: {error}");
        }
        let store = Store::new(db, config(&env).apart_bytes);
        if let Err(error) = store.load_bucket_states() {
            worker::console_error!("states of buckets: {error}");
        }
        Self {
            pulse: Pulse::start(&store),
            reported_at: Cell::new(0),
            state,
            env,
            store,
            alarm: Cell::new(None),
            alarms: Cell::new(0),
            batches: Cell::new(0),
            unlearned: Cell::new(true),
            ours: RefCell::default(),
            limits: RefCell::default(),
            arrived: RefCell::default(),
            tokens: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let origin = request.headers().get("origin")?;
        cors::answer_or_error(self.handle(request).await, origin.as_deref())
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.ring().await?;
        Ok(response::empty(200))
    }
}

#[wasm_bindgen]
impl ProfileShard {
    /// Answers a visitor's batch, a POST whose body was read, at once: a Rust future would cost as much as the work itself.
    /// None for a request that is no batch, or has to wait for something. Then nothing was done, and `fetch` must
    /// answer.
    #[must_use]
    pub fn batch(&self, request: &RawRequest, url: &str, body: &Uint8Array) -> Option<RawResponse> {
        let now = clock::now();
        self.pulse.beat(now);
        let awake = self.alarm.get().is_some();
        let snapshot = snapshots::fresh(&self.env, now).filter(|_| awake)?;
        if !response::is_batch(url, &config(&self.env)) {
            return None;
        }
        match self.batch_at_once((request, url), body, &snapshot, now) {
            Ok(response) => response,
            Err(error) => {
                let origin = request.headers().get("origin").ok().flatten();
                cors::answer_or_error(Err(error), origin.as_deref()).ok().map(RawResponse::from)
            }
        }
    }
}

impl ProfileShard {
    async fn handle(&self, request: Request) -> Result<Response, EdgeError> {
        self.pulse.beat(clock::now());
        placement::check(&self.env, Use::Write).await?;
        self.wake().await?;
        let path = request.path();
        // Browsers' routes come with the deployment's prefix; ours have none, and no browser can name their host.
        match path.strip_prefix(config(&self.env).prefix.as_str()) {
            Some("/e") => self.batch_route(request).await,
            Some("/push") => self.push_route(request).await,
            Some("/n") => self.report_route(request).await,
            Some(_) => Err(DomainError::NotFound("route").into()),
            None => self.answer(&path, request).await,
        }
    }

    /// Answers a message of one of our objects, or of a route. What is about a bucket that moved away is handed on.
    async fn answer(&self, path: &str, mut request: Request) -> Result<Response, EdgeError> {
        let about = request.headers().get(BUCKET_HEADER)?.and_then(|text| text.parse().ok());
        if let Some(bucket) = about
            && let Some(shard) = self.elsewhere(bucket).await?
        {
            return Ok(shard.fetch_with_request(request).await?);
        }
        let forwarded = ForwardingHeaders::of(request.headers())?;
        let body = response::body(&mut request, MAX_INTERNAL_BODY).await?;
        match path {
            VISIT_PATH => self.visit_route(forwarded, &body).await,
            DeliverRequest::PATH => self.deliver_route(&body).await,
            ChangeSubscription::PATH => self.subscribe_route(message::read(&body)?).await,
            Reassign::PATH => self.reassign_route(&message::read(&body)?).await,
            PointBrowser::PATH => self.point_route(&message::read(&body)?),
            MoveFragment::PATH => self.absorb(&message::read(&body)?).await,
            CrossingArrival::PATH => self.crossing_route(&message::read(&body)?),
            NotificationReport::PATH => self.reported_route(message::read(&body)?).await,
            ExplainCondition::PATH => self.explain_route(&message::read(&body)?).await,
            FragmentAsk::PATH => self.fragment(&message::read(&body)?),
            ProfileQuestion::PATH => self.profile(&message::read(&body)?).await,
            RunTimers::PATH => self.timers_route(&message::read(&body)?).await,
            ShardHealthAsk::PATH => self.health_route().await,
            ParkedJobsAsk::PATH => self.parked_route(),
            RetryAsk::PATH => self.retry_route(&message::read(&body)?).await,
            CustomersAsk::PATH => self.customers_route(&message::read(&body)?).await,
            FitPublished::PATH => self.fit_published_route(&message::read(&body)?).await,
            GroupsAsk::PATH => self.groups_route(&message::read(&body)?).await,
            SegmentsAsk::PATH => self.segments_route(&message::read(&body)?).await,
            ListPeople::PATH => self.list_people(&message::read(&body)?).await,
            MembersAsk::PATH => self.members_route(&message::read(&body)?).await,
            MovementsAsk::PATH => self.movements_route(&message::read(&body)?).await,
            PastAsk::PATH => self.past_route(&message::read(&body)?).await,
            CountAsk::PATH => self.count_route(&message::read(&body)?).await,
            TimersAsk::PATH => response::json(&self.store.timers_view(clock::now())?),
            NamesAsk::PATH => self.names_route(&message::read(&body)?),
            EraseStep::PATH => self.erase_route(&message::read(&body)?).await,
            EventsAsk::PATH => self.events_route(&message::read(&body)?),
            BelongingsAsk::PATH => self.belongings_route(&message::read(&body)?),
            MoveBucket::PATH => self.move_route(&message::read(&body)?).await,
            TransferAnnouncement::PATH => self.arrive_route(message::read(&body)?),
            TransferChunk::PATH => self.take_route(&message::read(&body)?).await,
            Keep::PATH => self.keep_route(&message::read(&body)?).await,
            Tally::PATH => self.tally_route(&message::read(&body)?),
            ListAsk::PATH => self.list_route(&message::read(&body)?),
            CountsAsk::PATH => self.counts_route(),
            WarningsAsk::PATH => self.warnings_route(),
            Release::PATH => self.release_route(&message::read(&body)?),
            Replay::PATH => self.replay_route(&message::read(&body)?).await,
            _ => self.answer_development(path, &body),
        }
    }

    fn crossing_route(&self, body: &CrossingArrival) -> Result<Response, EdgeError> {
        let is_first = self.arrived.borrow_mut().admit(&body.nonce, body.expires_at, clock::now());
        response::json(&Arrival { is_first })
    }

    /// Answers what only development asks.
    fn answer_development(&self, path: &str, body: &[u8]) -> Result<Response, EdgeError> {
        let alarms = self.alarms.get();
        match path {
            RowsAsk::PATH => response::json(&RowsWritten {
                batches: self.batches.get(),
                rows_written: self.store.db.written() + alarms,
                statements: self.store.db.statements(),
            }),
            TablesAsk::PATH => {
                check(&self.store.db)?;
                response::json(&self.store.db.dump()?)
            }
            TableRulesAsk::PATH => response::json(&rules()),
            SetRowFormat::PATH if config(&self.env).dev => {
                let set: SetRowFormat = message::read(body)?;
                let format = self.store.set_row_format(&set.profile_id, set.format)?;
                response::json(&RowFormat { format })
            }
            LeaveOldTimers::PATH if config(&self.env).dev => {
                self.store.leave_timers_by_kind()?;
                response::json(&Done {})
            }
            _ => Err(DomainError::Deploying.into()),
        }
    }
}
