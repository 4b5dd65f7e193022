//! `/api/profiles/{id}` and below: everything about one person, and forgetting them.

use endcap_identity::Namespace;
use endcap_protocol::touch::decode;
use endcap_protocol::{FieldError, ProfileId};
use endcap_validation::EngineError;
use serde::Deserialize;
use worker::{Env, Method, Request, Response};

use super::{dossier, profiles};
use crate::fault::Fault;
use crate::graph::EraseAsk;
use crate::{graph, objects};

/// The profile that an answer is about.
#[derive(Deserialize)]
pub(super) struct Whose {
    /// Its ID.
    pub(super) profile_id: String,
}

/// Answers a route below `/api/profiles/`.
pub(super) async fn handle(rest: &str, request: Request, env: &Env) -> Result<Response, Fault> {
    let (id, part) = rest.split_once('/').unwrap_or((rest, ""));
    let id = profile_id(id)?;
    match (part, request.method()) {
        ("", Method::Get) => profiles::by_profile(id, env).await,
        ("", Method::Delete) => erase(id, env).await,
        ("", _) => Err(EngineError::Method("GET and DELETE").into()),
        ("events", Method::Get) => dossier::events(id, &request.inner().url(), env).await,
        ("graph", Method::Get) => dossier::graph(id, env).await,
        ("export", Method::Get) => dossier::export(id, env).await,
        ("events" | "graph" | "export", _) => Err(EngineError::Method("GET").into()),
        _ => Err(EngineError::NotFound("route").into()),
    }
}

/// `DELETE /api/profiles?…`: the same by an identifier.
async fn delete_named(request: &Request, env: &Env) -> Result<Response, Fault> {
    let identifier = profiles::named(&request.inner().url())?;
    if identifier.namespace != Namespace::AnonymousId {
        let found = graph::find(env, &identifier).await?;
        return erase(found.ok_or(EngineError::NotFound("profile"))?, env).await;
    }
    let mut response = profiles::by_anonymous(&identifier.value, env).await?;
    if response.status_code() != 200 {
        return Ok(response);
    }
    let whose: Whose = serde_json::from_str(&response.text().await?)?;
    erase(ProfileId::parse(&whose.profile_id)?, env).await
}

async fn erase(profile_id: ProfileId, env: &Env) -> Result<Response, Fault> {
    objects::post(&objects::graph_part(env, 0)?, "/erase", &EraseAsk { profile_id }).await
}

/// Reads a profile ID out of a path.
fn profile_id(text: &str) -> Result<ProfileId, Fault> {
    let parsed = ProfileId::parse(&decode(text));
    Ok(parsed.map_err(|error| FieldError { path: "id".to_owned(), ..error })?)
}

/// `/api/profiles`: one profile, by any identifier.
pub(super) async fn root(request: Request, env: &Env) -> Result<Response, Fault> {
    match request.method() {
        Method::Get => profiles::get(request, env).await,
        Method::Delete => delete_named(&request, env).await,
        _ => Err(EngineError::Method("GET and DELETE").into()),
    }
}
