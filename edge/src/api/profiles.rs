//! `GET /api/profiles`: one profile, by any identifier.

use endcap_identity::{FragmentId, Identifier, Namespace};
use endcap_protocol::touch::decode;
use endcap_protocol::{AnonymousId, FieldError, ProfileId, bucket_of};
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};
use worker::{Env, Request, Response};

use crate::fault::Fault;
use crate::{answer, graph, objects};

/// Moves between profiles that are followed; one browser cannot move more often than people log in.
const MAX_HOPS: usize = 32;

/// A question for a profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProfileQuestion {
    /// The profile.
    pub(crate) profile_id: String,
    /// The browser asked for, where one was named: its fragment may have moved.
    pub(crate) anonymous_id: Option<AnonymousId>,
    /// The fragment of it, once one was found.
    pub(crate) fragment: Option<FragmentId>,
}

/// Where a browser's fragment went.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// The profile that has it now.
    pub(crate) moved_to: ProfileId,
    /// The fragment that the browser adds to.
    pub(crate) fragment: FragmentId,
}

/// Answers `GET /api/profiles`.
pub(crate) async fn get(request: Request, env: &Env) -> Result<Response, Fault> {
    let identifier = named(&request.inner().url())?;
    if identifier.namespace == Namespace::AnonymousId {
        return by_anonymous(&identifier.value, env).await;
    }
    let profile = graph::find(env, &identifier).await?.ok_or(EngineError::NotFound("profile"))?;
    follow(profile.into_string(), None, env).await
}

/// The one identifier that a query names.
pub(crate) fn named(url: &str) -> Result<Identifier, Fault> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let given = pairs.filter_map(|(name, value)| Some((Namespace::parse(&decode(name))?, decode(value))));
    let mut given: Vec<_> = given.collect();
    match (given.pop(), given.is_empty()) {
        (Some((namespace, value)), true) => Ok(Identifier::new(namespace, &value)?),
        _ => {
            let message = "name the profile by exactly one of anonymous_id, user_id, email, phone, member_no, line_id \
                           and external:…";
            Err(FieldError::new("", message).into())
        }
    }
}

/// The profile of a browser: at its home, or where its home says it moved.
pub(crate) async fn by_anonymous(id: &str, env: &Env) -> Result<Response, Fault> {
    let id = AnonymousId::parse(id)?;
    follow(id.as_str().to_owned(), Some(id), env).await
}

/// A profile by its ID, or the one that it became part of.
pub(super) async fn by_profile(id: ProfileId, env: &Env) -> Result<Response, Fault> {
    follow(id.into_string(), None, env).await
}

async fn follow(profile_id: String, anonymous_id: Option<AnonymousId>, env: &Env) -> Result<Response, Fault> {
    let mut question = ProfileQuestion { profile_id, anonymous_id, fragment: None };
    for _ in 0..MAX_HOPS {
        ProfileId::parse(&question.profile_id)?;
        let bucket = bucket_of(&question.profile_id);
        let mut response = objects::post_to_bucket(env, bucket, "/profile", &question).await?;
        if response.status_code() != 200 {
            return Ok(response);
        }
        let text = response.text().await?;
        match serde_json::from_str::<Moved>(&text) {
            Ok(moved) => {
                question.profile_id = moved.moved_to.into_string();
                question.fragment = Some(moved.fragment);
            }
            Err(_) => return answer::raw_json(&text, 200),
        }
    }
    Err(EngineError::Internal("the profile's forward pointers form a circle".to_owned()).into())
}
