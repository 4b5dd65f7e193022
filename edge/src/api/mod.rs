//! The server API: for the shop's servers and its people, with a secret key.

mod dossier;
mod identity;
mod links;
mod people;
pub(crate) mod profiles;
mod quarantine;

use endcap_validation::EngineError;
use worker::{Env, Method, Request, Response};

use crate::config::Config;
use crate::fault::Fault;
use crate::layout::Use;
use crate::{answer, assets, layout, objects};

/// Answers a route below `/api`.
pub(crate) async fn handle(path: &str, request: Request, env: &Env, config: &Config) -> Result<Response, Fault> {
    if path == "/api/openapi.json" {
        answer::check_read(&request)?;
        return answer::raw_json(&assets::text(env, "/openapi.json").await?, 200);
    }
    authorize(&request, &config.api_key)?;
    let reads = matches!(request.method(), Method::Get | Method::Head);
    layout::check(env, if reads { Use::Read } else { Use::Write }).await?;
    match path {
        "/api/profiles" => people::root(request, env).await,
        "/api/products" | "/api/settings" | "/api/campaigns" => {
            Ok(objects::shop(env)?.fetch_with_request(request).await?)
        }
        "/api/shards" => Ok(objects::registry(env)?.fetch_with_request(request).await?),
        "/api/links" => links::post(request, config).await,
        "/api/webhooks" => Ok(objects::shop(env)?.fetch_with_request(request).await?),
        _ if path.starts_with("/api/campaigns/") || path.starts_with("/api/webhooks/") => {
            Ok(objects::shop(env)?.fetch_with_request(request).await?)
        }
        "/api/identity/conflicts" => identity::conflicts(request, env).await,
        _ if let Some(act) = identity::act_of(path) => identity::decide(act, request, env).await,
        _ => match path.strip_prefix("/api/quarantine").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            Some(rest) => quarantine::handle(rest, request, env).await,
            None => match path.strip_prefix("/api/profiles/") {
                Some(rest) => people::handle(rest, request, env).await,
                None => Err(EngineError::NotFound("route").into()),
            },
        },
    }
}

/// Refuses requests without the key. Compares without telling by its time how much was right.
fn authorize(request: &Request, key: &str) -> Result<(), Fault> {
    let header = request.headers().get("authorization")?.unwrap_or_default();
    let given = header.strip_prefix("Bearer ").unwrap_or_default();
    let same_length = given.len() == key.len();
    let difference = given.bytes().zip(key.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    if !key.is_empty() && same_length && difference == 0 { Ok(()) } else { Err(EngineError::Unauthorized.into()) }
}
