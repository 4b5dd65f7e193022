//! Finding one profile, by any identifier.

use endcap_engine::profile_view::{ClaimView, Claims, Unproved};
use endcap_identity::{Identifier, Namespace};
use endcap_protocol::touch::decode;
use endcap_protocol::{AnonymousId, FieldError, ProfileId, UnixMillis, bucket_of};
use endcap_validation::DomainError;
use futures_util::future::join_all;
use worker::{Env, Response};

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::response;
use crate::rpc::graph::{ClaimMade, ClaimsAsk, ClaimsMade, Found};
use crate::rpc::profile::{FragmentAsk, Moved, ProfileQuestion};
use crate::rpc::{call, graph, namespace, shards};

/// Moves between profiles that are followed; one browser cannot move more often than people log in.
pub(super) const MAX_HOPS: usize = 32;

/// `GET /api/profiles`.
pub(in crate::http) async fn get_named(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let NamedProfile { found, unproved } = find_named(&incoming).await?;
    if unproved { Ok(found) } else { with_claims(found, incoming.env).await }
}

/// A profile that a query names.
pub(super) struct NamedProfile {
    /// The profile, or an error about it.
    pub(super) found: Response,
    /// Whether it was found by what only browsers say, without proof.
    unproved: bool,
}

/// The profile that a request's query names, without who claims to be that person.
pub(super) async fn find_named(incoming: &Incoming<'_>) -> Result<NamedProfile, EdgeError> {
    let (identifier, env) = (named(&incoming.url())?, incoming.env);
    if identifier.namespace == Namespace::AnonymousId {
        return Ok(NamedProfile { found: by_anonymous(&identifier.value, env).await?, unproved: false });
    }
    let Found { profile_id, unproved } = graph::find(env, &identifier).await?;
    let profile_id = profile_id.ok_or(DomainError::NotFound("profile"))?.into_string();
    let found = follow(ProfileQuestion { profile_id, unproved, ..ProfileQuestion::default() }, env).await?;
    Ok(NamedProfile { found, unproved })
}

/// The answer with browsers that claim to be this person without proof.
pub(in crate::http) async fn with_claims(mut found: Response, env: &Env) -> Result<Response, EdgeError> {
    if found.status_code() != 200 {
        return Ok(found);
    }
    let mut profile: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&found.text().await?)?;
    let id = profile.get("profile_id").and_then(serde_json::Value::as_str).unwrap_or_default();
    // Who claims to be somebody must not keep their profile from being read.
    let claims = claims_about(ProfileId::parse(id)?, env).await.unwrap_or_else(|error| {
        worker::console_error!("who claims to be {id}: {error}");
        None
    });
    if let Some(claims) = claims {
        profile.insert("unproved".to_owned(), serde_json::to_value(Unproved::Claims(claims))?);
    }
    response::json(&profile)
}

async fn claims_about(profile_id: ProfileId, env: &Env) -> Result<Option<Claims>, EdgeError> {
    let ClaimsMade { browsers, claims } = call::ask(&namespace::graph_part(env, 0)?, &ClaimsAsk { profile_id }).await?;
    let view = async |claim: ClaimMade| {
        let ClaimMade { fragment, profile_id, namespace, witness } = claim;
        let ask = FragmentAsk { profile_id: profile_id.clone(), fragment };
        let seen = shards::ask_bucket(env, bucket_of(profile_id.as_str()), &ask).await.unwrap_or_default();
        ClaimView {
            profile_id: profile_id.into_string(),
            identifier: namespace,
            source: witness.source,
            claimed_at: witness.at,
            events: seen.events,
            orders: seen.orders,
            last_seen: seen.last_seen,
        }
    };
    let claims = join_all(claims.into_iter().map(view)).await;
    Ok((browsers > 0).then_some(Claims::new(browsers, claims)))
}

/// The error about a name that a browser only claims, with what to do instead.
pub(super) fn only_claimed(identifier: &Identifier, remedy: &str) -> FieldError {
    let message = format!("is only claimed by a browser, without proof: it may be somebody else's. {remedy}");
    FieldError::new(identifier.namespace.to_string(), message)
}

/// The one identifier that a query names.
pub(super) fn named(url: &str) -> Result<Identifier, EdgeError> {
    let pairs = Query::of(url).text().split('&').filter_map(|pair| pair.split_once('='));
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
pub(in crate::http) async fn by_anonymous(id: &str, env: &Env) -> Result<Response, EdgeError> {
    by_anonymous_later(id, 0, env).await
}

/// The same so much later, in milliseconds, if nothing else happens.
pub(in crate::http) async fn by_anonymous_later(
    id: &str,
    later_ms: UnixMillis,
    env: &Env,
) -> Result<Response, EdgeError> {
    let id = AnonymousId::parse(id)?;
    let profile_id = id.as_str().to_owned();
    follow(ProfileQuestion { profile_id, anonymous_id: Some(id), later_ms, ..ProfileQuestion::default() }, env).await
}

/// A profile by its ID, or the one that it became part of.
pub(super) async fn by_profile(id: ProfileId, env: &Env) -> Result<Response, EdgeError> {
    follow(ProfileQuestion { profile_id: id.into_string(), ..ProfileQuestion::default() }, env).await
}

async fn follow(mut question: ProfileQuestion, env: &Env) -> Result<Response, EdgeError> {
    for _ in 0..MAX_HOPS {
        ProfileId::parse(&question.profile_id)?;
        let bucket = bucket_of(&question.profile_id);
        let mut response = shards::post_to_bucket(env, bucket, &question).await?;
        if response.status_code() != 200 {
            return Ok(response);
        }
        let text = response.text().await?;
        match serde_json::from_str::<Moved>(&text) {
            Ok(moved) => {
                question.profile_id = moved.moved_to.into_string();
                question.fragment = Some(moved.fragment);
            }
            Err(_) => return response::raw_json(&text, 200),
        }
    }
    Err(DomainError::Internal("the profile's forward pointers form a circle".to_owned()).into())
}
