//! Routes that exist only in local development: what a shop's server would do, and time travel for tests.

use endcap_identity::proof::prove;
use endcap_protocol::UserId;
use endcap_protocol::touch::parameter_value;
use endcap_validation::{EngineError, read_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Env, Method, Request, Response};

use crate::config::config;
use crate::fault::Fault;
use crate::layout::Use;
use crate::{answer, api, layout, objects};

/// Answers a development route.
pub(crate) async fn handle(route: &str, mut request: Request, env: &Env) -> Result<Response, Fault> {
    layout::check(env, Use::Read).await?;
    match (route, request.method()) {
        ("profile", Method::Get) => {
            let url = request.inner().url();
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let id = parameter_value(query, "anonymous_id").unwrap_or_default();
            api::profiles::by_anonymous(&id, env).await
        }
        ("proof", Method::Post) => proof(&answer::body(&mut request, 4096).await?, env),
        ("timers", Method::Post) => timers(&answer::body(&mut request, 4096).await?, env).await,
        ("rows", Method::Get) => rows(env).await,
        ("tables", Method::Get) => tables(env).await,
        _ => Err(EngineError::NotFound("route").into()),
    }
}

#[derive(Deserialize)]
struct ProofBody {
    user_id: String,
}

/// The proof that a shop's server would make after a login.
fn proof(body: &[u8], env: &Env) -> Result<Response, Fault> {
    let body: ProofBody = read_json(body)?;
    let user = UserId::parse(&body.user_id)?;
    answer::json(&json!({"proof": prove(&config(env).identity_secret, &user)}))
}

/// The moment whose due timers are to run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TimersBody {
    /// The time to pass in.
    pub(crate) now: i64,
}

/// What ran.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TimersRan {
    /// Number of timers.
    pub(crate) ran: u64,
}

/// Runs the due timers of every shard as of a time that is passed in.
async fn timers(body: &[u8], env: &Env) -> Result<Response, Fault> {
    let body: TimersBody = read_json(body)?;
    let mut ran = 0;
    for shard in objects::all_shards(env).await? {
        ran += objects::ask::<_, TimersRan>(&shard, "/timers", &body).await?.ran;
    }
    answer::json(&TimersRan { ran })
}

/// What batches cost.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RowsWritten {
    /// Batches stored.
    pub(crate) batches: u64,
    /// Rows written, indexes included.
    pub(crate) rows_written: u64,
}

/// Batches and rows written since the objects started.
async fn rows(env: &Env) -> Result<Response, Fault> {
    let mut sum = RowsWritten::default();
    for shard in objects::all_shards(env).await? {
        let part: RowsWritten = objects::ask(&shard, "/rows", &json!({})).await?;
        sum.batches += part.batches;
        sum.rows_written += part.rows_written;
    }
    answer::json(&sum)
}

/// Every row of every table of every object, so that a test can look for what must not be there.
async fn tables(env: &Env) -> Result<Response, Fault> {
    let mut objects = objects::all_shards(env).await?;
    objects.extend(objects::all_graph_parts(env)?);
    objects.extend([objects::shop(env)?, objects::registry(env)?]);
    let mut all: Vec<Value> = Vec::new();
    for object in objects {
        all.push(objects::ask(&object, "/tables", &json!({})).await?);
    }
    answer::json(&all)
}
