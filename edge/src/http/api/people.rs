//! `/api/profiles/{id}`: one person, and forgetting them.

use endcap_identity::Namespace;
use endcap_protocol::touch::decode;
use endcap_protocol::{FieldError, ProfileId};
use endcap_validation::DomainError;
use serde::Deserialize;
use worker::{Env, Response};

use super::profiles;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasePerson;
use crate::rpc::{call, graph, namespace};

/// The profile that an answer is about.
#[derive(Deserialize)]
pub(super) struct Whose {
    /// Its ID.
    pub(super) profile_id: String,
}

/// `GET /api/profiles/{id}`.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    profiles::with_claims(profiles::by_profile(profile_id(incoming.parameter)?, incoming.env).await?, incoming.env)
        .await
}

/// `DELETE /api/profiles/{id}`.
pub(in crate::http) async fn erase(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    erase_person(profile_id(incoming.parameter)?, incoming.env).await
}

/// `DELETE /api/profiles?…`: the same by an identifier.
pub(in crate::http) async fn erase_named(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let (identifier, env) = (profiles::named(&incoming.url())?, incoming.env);
    if identifier.namespace != Namespace::AnonymousId {
        let found = graph::find(env, &identifier).await?;
        let profile = found.profile_id.ok_or(DomainError::NotFound("profile"))?;
        if found.unproved {
            let remedy = "Look at the profile that GET /api/profiles shows, and erase it by its profile_id";
            return Err(profiles::only_claimed(&identifier, remedy).into());
        }
        return erase_person(profile, env).await;
    }
    let mut response = profiles::by_anonymous(&identifier.value, env).await?;
    if response.status_code() != 200 {
        return Ok(response);
    }
    let whose: Whose = serde_json::from_str(&response.text().await?)?;
    erase_person(ProfileId::parse(&whose.profile_id)?, env).await
}

async fn erase_person(profile_id: ProfileId, env: &Env) -> Result<Response, EdgeError> {
    call::post(&namespace::graph_part(env, 0)?, &ErasePerson { profile_id }).await
}

/// Reads a profile ID out of a path.
pub(super) fn profile_id(text: &str) -> Result<ProfileId, EdgeError> {
    let parsed = ProfileId::parse(&decode(text));
    Ok(parsed.map_err(|error| FieldError { path: "id".to_owned(), ..error })?)
}
