//! What administrators see of who is whom, and decide about it.

use endcap_identity::admin_review::{Conflicts, LINKS_PAGE, LinkPlace, LinkView, LinksAsk, LinksReply, MovedFragment};
use endcap_identity::graph::Alteration;
use endcap_identity::resolve::Verdict;
use endcap_protocol::FieldError;
use endcap_protocol::touch::parameter_value;
use endcap_validation::{EngineError, read_json};
use worker::{Env, Method, Request, Response};

use crate::fault::Fault;
use crate::graph::{Change, Changed};
use crate::{answer, graph, objects};

/// Largest body, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// What is decided by a route.
pub(crate) fn act_of(path: &str) -> Option<Alteration> {
    match path {
        "/api/profiles/unmerge" => Some(Alteration::Cut),
        "/api/identity/restore" => Some(Alteration::Restore),
        "/api/identity/approve" => Some(Alteration::Approve),
        _ => None,
    }
}

/// `POST`: links are dropped, restored or approved. Answers when every fragment is where it belongs, or on its way.
pub(crate) async fn decide(act: Alteration, mut request: Request, env: &Env) -> Result<Response, Fault> {
    answer::check_method(&request, Method::Post, "POST")?;
    let ask: LinksAsk = read_json(&answer::body(&mut request, MAX_BODY).await?)?;
    let links = ask.parse()?;
    let change = Change { act, fragment: links.fragment, identifier: links.identifier, reason: ask.reason };
    let changed: Changed = objects::ask(&objects::graph_part(env, 0)?, "/change", &change).await?;
    answer::json(&LinksReply { moved: changed.moved.iter().map(MovedFragment::from).collect() })
}

/// `GET /api/identity/conflicts`: links that were not followed, by what became of them.
pub(crate) async fn conflicts(request: Request, env: &Env) -> Result<Response, Fault> {
    answer::check_method(&request, Method::Get, "GET")?;
    let url = request.inner().url();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let word = parameter_value(query, "verdict").unwrap_or_else(|| Verdict::Conflict.as_str().to_owned());
    let verdict = Verdict::parse(&word).filter(|verdict| *verdict != Verdict::Joined);
    let message = "must be conflict, unproved, shared, held or dropped";
    let verdict = verdict.ok_or_else(|| EngineError::from(FieldError::new("verdict", message)))?;
    let limit = parameter_value(query, "limit").map(|text| text.parse().ok().filter(|n| (1..=LINKS_PAGE).contains(n)));
    let limit = limit.unwrap_or(Some(LINKS_PAGE)).ok_or_else(|| FieldError::new("limit", "must be 1 to 200"))?;
    let after = parameter_value(query, "cursor").map(|text| LinkPlace::parse(&text)).transpose()?;
    let (edges, next) = graph::unfollowed(env, verdict, after.unwrap_or_default(), limit).await?;
    let conflicts = edges.iter().map(|judged| LinkView::new(&judged.edge, judged.verdict)).collect();
    answer::json(&Conflicts { conflicts, cursor: next.map(|place| place.to_text()) })
}
