//! Static files: the SDK's, and in local development the demo shop's.
//!
//! The SDK's files are stored compressed by brotli at its best and sent as they are; the platform would compress them
//! again, less well.

use endcap_validation::DomainError;
use worker::{EncodeBody, Env, Headers, Request, Response, ResponseBuilder};

use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::response;

/// How long browsers keep the SDK's files before they ask again, in seconds.
const MAX_AGE: &str = "public, max-age=300, stale-while-revalidate=86400";

/// Serves the file that a request names.
pub(super) async fn serve(request: Request, env: &Env) -> Result<Response, EdgeError> {
    response::check_read(&request)?;
    let path = request.path();
    let config = config(env);
    // The build lays the files out under /ec; the prefix is the deployment's to choose.
    let own = path.strip_prefix(config.prefix.as_str()).map(|rest| format!("/ec{rest}"));
    let own = own.or_else(|| (path == "/endcap-sw.js").then(|| path.clone()));
    let Some(file) = own else { return Ok(env.assets("ASSETS")?.fetch_request(request).await?) };
    sdk_file(&request, &file, env).await
}

async fn sdk_file(request: &Request, file: &str, env: &Env) -> Result<Response, EdgeError> {
    let Some(kind) = media_type(file) else { return Err(DomainError::NotFound("file").into()) };
    let accepts = request.headers().get("accept-encoding")?.unwrap_or_default();
    let brotli = accepts.split(',').any(|coding| coding.trim().split(';').next() == Some("br"));
    if brotli {
        let mut packed = fetch(env, &format!("{file}.br")).await?;
        if packed.status_code() == 200 {
            let headers = headers(kind)?;
            headers.set("content-encoding", "br")?;
            let bytes = packed.bytes().await?;
            let builder = ResponseBuilder::new().with_headers(headers).with_encode_body(EncodeBody::Manual);
            return Ok(builder.fixed(bytes));
        }
    }
    let mut plain = fetch(env, file).await?;
    if plain.status_code() != 200 {
        return Err(DomainError::NotFound("file").into());
    }
    Ok(ResponseBuilder::new().with_headers(headers(kind)?).fixed(plain.bytes().await?))
}

/// The text of a file that the build put beside the SDK's.
pub(super) async fn text(env: &Env, file: &str) -> Result<String, EdgeError> {
    let mut found = fetch(env, file).await?;
    if found.status_code() != 200 {
        return Err(DomainError::NotFound("file").into());
    }
    Ok(found.text().await?)
}

async fn fetch(env: &Env, file: &str) -> Result<Response, EdgeError> {
    let assets = env.assets("ASSETS")?;
    Ok(assets.fetch(format!("https://assets.internal{file}"), None).await?)
}

fn headers(kind: &str) -> Result<Headers, EdgeError> {
    let headers = Headers::new();
    for (name, value) in [
        ("content-type", kind),
        ("cache-control", MAX_AGE),
        ("vary", "accept-encoding"),
        ("x-content-type-options", "nosniff"),
        // Shops on hosted platforms load the files from another origin.
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        headers.set(name, value)?;
    }
    Ok(headers)
}

/// The media type of the SDK's files; others are not served below the prefix.
fn media_type(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}
