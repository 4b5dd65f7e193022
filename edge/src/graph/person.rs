//! Who a person is joined of, for who asks to see it.

use std::collections::BTreeSet;

use endcap_engine::dossier::{FragmentSeat, GraphChange, GraphLink, PersonGraph};
use endcap_engine::identity::graph::{self, GraphStore};
use endcap_engine::identity::{FragmentId, Namespace, tombstone};
use endcap_protocol::ProfileId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::Response;

use super::{Change, EraseAsk, IdentityGraph};
use crate::config::config;
use crate::fault::Fault;
use crate::{answer, clock};

/// Most links of one answer.
const MOST: usize = 2000;

/// A person's fragments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Members {
    /// The profile that they belong to now.
    pub(crate) profile_id: ProfileId,
    /// The fragments.
    pub(crate) fragments: BTreeSet<FragmentId>,
}

impl IdentityGraph {
    /// `/members`: the fragments of a profile, or of the one that it became part of.
    pub(super) fn members(&self, ask: EraseAsk) -> Result<Response, Fault> {
        let profile_id = self.store.canonical(ask.profile_id)?;
        let fragments = self.store.members(&profile_id)?;
        answer::json(&Members { profile_id, fragments })
    }

    /// `/person`: all that joins a profile.
    pub(super) fn person(&self, ask: EraseAsk) -> Result<Response, Fault> {
        let profile = self.store.canonical(ask.profile_id)?;
        let fragments = self.store.members(&profile)?;
        let reader = self.store.reader();
        let mut person = PersonGraph {
            profile_id: profile.into_string(),
            fragments: Vec::new(),
            links: Vec::new(),
            aliases: Vec::new(),
            changes: Vec::new(),
        };
        let (mut aliases, mut named) = (BTreeSet::new(), BTreeSet::new());
        for fragment in &fragments {
            person.fragments.push(FragmentSeat::new(fragment, &graph::seat_of(&reader, fragment)?));
            for judged in self.store.judged_of(fragment)? {
                named.insert(judged.edge.identifier.clone());
                if judged.edge.identifier.namespace == Namespace::UserId {
                    let others = reader.of_identifier(&judged.edge.identifier)?;
                    aliases.extend(others.into_iter().map(|edge| edge.fragment).filter(FragmentId::is_alias));
                }
                person.links.push(GraphLink::new(&judged.edge, judged.verdict));
            }
            if person.links.len() >= MOST {
                break;
            }
        }
        for alias in &aliases {
            let edges = self.store.judged_of(alias)?;
            person.aliases.extend(edges.iter().map(|judged| GraphLink::new(&judged.edge, judged.verdict)));
        }
        for (at, body) in self.store.audited()? {
            let Ok(change) = serde_json::from_str::<Change>(&body) else { continue };
            let about = change.fragment.as_ref().is_some_and(|fragment| fragments.contains(fragment));
            if about || change.identifier.as_ref().is_some_and(|identifier| named.contains(identifier)) {
                person.changes.push(GraphChange {
                    at,
                    act: json!(change.act).as_str().unwrap_or_default().to_owned(),
                    fragment_id: change.fragment.map(|fragment| fragment.as_str().to_owned()),
                    identifier: change.identifier.map(|identifier| identifier.to_string()),
                    reason: change.reason,
                });
            }
        }
        answer::json(&person)
    }

    /// `/exported`: notes that a person's data were handed out; not whose.
    pub(super) fn exported(&self, ask: &EraseAsk) -> Result<Response, Fault> {
        let profile = tombstone(ask.profile_id.as_str(), &config(&self.env).identity_pepper);
        let note = json!({"act": "export", "profile": profile});
        self.store.transaction(clock::now(), |rows| rows.note(&note))?;
        answer::json(&json!({}))
    }
}
