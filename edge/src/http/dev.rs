//! Routes that exist only in local development: what a shop's server would do, and time travel for tests.

use endcap_identity::partition;
use endcap_identity::proof::{ProofScope, prove, prove_until};
use endcap_protocol::{UserId, bucket_of};
use endcap_validation::{DomainError, read_json};
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Method, Response};

use super::dev_profile;
use super::incoming::Incoming;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::placement::Use;
use crate::rpc::rows::{JoinByClaim, LeaveOldTimers, RowsAsk, RowsWritten, SetRowFormat, TableRulesAsk, TablesAsk};
use crate::rpc::timers::{RunTimers, TimersRan};
use crate::rpc::{call, namespace, placement, shards};

/// Bytes of a body that are read.
const MAX_BODY: usize = 4096;

/// Answers a development route.
pub(super) async fn handle(route: &str, mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    if !incoming.config.dev {
        return Err(DomainError::NotFound("route").into());
    }
    let env = incoming.env;
    placement::check(env, Use::Read).await?;
    let body = response::body(&mut incoming.request, MAX_BODY).await?;
    match (route, incoming.request.method()) {
        ("profile", Method::Get) => dev_profile::get(&incoming).await,
        ("proof", Method::Post) => proof(&body, env),
        ("timers", Method::Post) => timers(&body, env).await,
        ("row-format", Method::Post) => row_format(&body, env).await,
        ("old-timers", Method::Post) => old_timers(env).await,
        ("join-by-claim", Method::Post) => join_by_claim(&body, env).await,
        ("rows", Method::Get) => rows(env).await,
        ("table-rules", Method::Get) => {
            response::json(&call::ask(&namespace::numbered_shard(env, 0)?, &TableRulesAsk {}).await?)
        }
        ("tables", Method::Get) => tables(env).await,
        _ => Err(DomainError::NotFound("route").into()),
    }
}

#[derive(Deserialize)]
struct ProofBody {
    user_id: String,
    /// The source of a proof that expires; without one the proof is plain.
    source: Option<String>,
}

/// How long a proof of the development route counts, in seconds.
const PROOF_SECONDS: u64 = 3600;

/// The proof that a shop's server would make after a login.
fn proof(body: &[u8], env: &Env) -> Result<Response, EdgeError> {
    let body: ProofBody = read_json(body)?;
    let user = UserId::parse(&body.user_id)?;
    let source = body.source.as_deref().unwrap_or_default();
    let secret = config(env).identity_secrets.of(source).first().cloned().unwrap_or_default();
    let proof = match &body.source {
        Some(source) => {
            let expires_s = clock::now().unsigned_abs() / 1000 + PROOF_SECONDS;
            prove_until(&secret, ProofScope { source, expires_s }, &user)
        }
        None => prove(&secret, &user),
    };
    response::json(&json!({"proof": proof}))
}

/// Runs the due timers of every shard as of a time that is passed in.
async fn timers(body: &[u8], env: &Env) -> Result<Response, EdgeError> {
    let run: RunTimers = read_json(body)?;
    let parts = call::ask_each(&shards::all_shards(env).await?, &run).await?;
    response::json(&TimersRan { ran: parts.iter().map(|part| part.ran).sum() })
}

/// Writes the format byte of a profile's row, so that a test meets a row that this version cannot read.
async fn row_format(body: &[u8], env: &Env) -> Result<Response, EdgeError> {
    let set: SetRowFormat = read_json(body)?;
    response::json(&shards::ask_bucket(env, bucket_of(&set.profile_id), &set).await?)
}

/// Leaves the timers of every shard as an earlier version would have.
async fn old_timers(env: &Env) -> Result<Response, EdgeError> {
    call::ask_each(&shards::all_shards(env).await?, &LeaveOldTimers {}).await?;
    response::json(&json!({}))
}

/// Joins a fragment to a profile as earlier versions did by a claim.
async fn join_by_claim(body: &[u8], env: &Env) -> Result<Response, EdgeError> {
    let ask: JoinByClaim = read_json(body)?;
    let part = partition::of_fragment(&ask.fragment, config(env).layout.graph_partitions);
    response::json(&call::ask(&namespace::graph_part(env, part)?, &ask).await?)
}

/// Batches and rows written since the objects started.
async fn rows(env: &Env) -> Result<Response, EdgeError> {
    let mut sum = RowsWritten::default();
    for part in call::ask_each(&shards::all_shards(env).await?, &RowsAsk {}).await? {
        sum.batches += part.batches;
        sum.rows_written += part.rows_written;
        sum.statements += part.statements;
    }
    response::json(&sum)
}

/// Every row of every table of every object, so that a test can look for what must not be there.
async fn tables(env: &Env) -> Result<Response, EdgeError> {
    let mut objects = shards::all_shards(env).await?;
    objects.extend(namespace::all_graph_parts(env)?);
    objects.extend([namespace::shop(env)?, namespace::models(env)?, namespace::registry(env)?]);
    response::json(&call::ask_each(&objects, &TablesAsk {}).await?)
}
