//! The identity graph's links that administrators see and decide about.

use endcap_api::Operation;
use endcap_identity::admin_review::{Conflicts, LINKS_PAGE, LinkPlace, LinkView, LinksAsk, LinksReply, MovedFragment};
use endcap_identity::graph::Alteration;
use endcap_identity::resolve::Verdict;
use endcap_protocol::FieldError;
use endcap_validation::{DomainError, read_json};
use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::response;
use crate::rpc::graph::LinkChange;
use crate::rpc::{call, graph, namespace};

/// Largest body, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// What answers an operation on links.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::Unmerge => decide(Alteration::Cut, incoming).await,
        Operation::RestoreLinks => decide(Alteration::Restore, incoming).await,
        Operation::ApproveLinks => decide(Alteration::Approve, incoming).await,
        _ => conflicts(incoming).await,
    }
}

/// `POST`: links are dropped, restored or approved. Answers when every fragment is where it belongs, or on its way.
async fn decide(act: Alteration, mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask: LinksAsk = read_json(&response::body(&mut incoming.request, MAX_BODY).await?)?;
    let links = ask.parse()?;
    let change = LinkChange { act, fragment: links.fragment, identifier: links.identifier, reason: ask.reason };
    let changed = call::ask(&namespace::graph_part(incoming.env, 0)?, &change).await?;
    if !changed.found {
        let given = [("fragment_id", ask.fragment_id.is_some()), ("anonymous_id", ask.anonymous_id.is_some())];
        let path = given.into_iter().find(|(_, given)| *given).map_or("identifier", |(path, _)| path);
        return Err(DomainError::Unknown(FieldError::new(path, "names nobody, or nothing that links them")).into());
    }
    response::json(&LinksReply { moved: changed.moved.iter().map(MovedFragment::from).collect() })
}

/// `GET /api/identity/conflicts`: links that were not followed, by what became of them.
async fn conflicts(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let url = incoming.url();
    let query = Query::of(&url);
    let word = query.get("verdict").unwrap_or_else(|| Verdict::Conflict.as_str().to_owned());
    let verdict = Verdict::parse(&word).filter(|verdict| *verdict != Verdict::Joined);
    let message = "must be conflict, unproved, shared, held or dropped";
    let verdict = verdict.ok_or_else(|| DomainError::from(FieldError::new("verdict", message)))?;
    let limit = query.limit(LINKS_PAGE, LINKS_PAGE)?;
    let after = query.cursor(LinkPlace::parse)?.unwrap_or_default();
    let page = graph::unfollowed(incoming.env, verdict, after, limit).await?;
    let conflicts = page.links.iter().map(|judged| LinkView::new(&judged.edge, judged.verdict)).collect();
    response::json(&Conflicts { conflicts, cursor: page.next.map(|place| place.to_text()) })
}
