//! The fragments and links that make up a person, for the export.

use std::collections::BTreeSet;

use endcap_engine::person_export::{FragmentAssignment, GraphChange, GraphLink, PersonGraph};
use endcap_identity::graph::{Claimant, Claimants, GraphStore};
use endcap_identity::{Edge, FragmentId, LinkStrength, MemoryGraph, Namespace, Verdict, graph, tombstone};
use endcap_protocol::ProfileId;
use serde_json::json;
use worker::Response;

use super::object::IdentityGraph;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::graph::{ClaimMade, ClaimsAsk, ClaimsMade, LinkChange};
use crate::rpc::person_export::{Members, MembersAsk, NoteExport, PersonGraphAsk};

/// Most links of one answer.
const MOST: usize = 2000;
/// Most claims about a person that are listed.
const MOST_CLAIMS: usize = 20;

impl IdentityGraph {
    /// The graph around a profile, and the profile that it is now part of, with that profile's fragments.
    pub(super) async fn person_at(&self, profile: ProfileId) -> Result<(MemoryGraph, Members), EdgeError> {
        let named = FragmentId::parse(profile.as_str())?;
        let around = self.around(named.clone()).await?;
        let profile_id = graph::assignment_of(&around, &named)?.profile;
        // What an earlier version joined by a claim is not theirs.
        let theirs = around.assignments.iter().filter(|(_, assignment)| {
            assignment.profile == profile_id && assignment.link_strength != LinkStrength::Claimed
        });
        let mut fragments: BTreeSet<FragmentId> = theirs.map(|(fragment, _)| fragment.clone()).collect();
        let home = FragmentId::parse(profile_id.as_str())?;
        if graph::assignment_of(&around, &home)?.profile == profile_id {
            fragments.insert(home);
        }
        Ok((around, Members { profile_id, fragments }))
    }

    /// `/members`: the fragments of a profile, or of the one that it became part of.
    pub(super) async fn members(&self, ask: MembersAsk) -> Result<Response, EdgeError> {
        response::json(&self.person_at(ask.profile_id).await?.1)
    }

    /// `/person`: all that joins a profile.
    pub(super) async fn person(&self, ask: PersonGraphAsk) -> Result<Response, EdgeError> {
        let (around, Members { profile_id, fragments }) = self.person_at(ask.profile_id).await?;
        let link = |edge: &Edge| {
            let verdict = around.verdicts.get(&(edge.fragment.clone(), edge.identifier.clone()));
            GraphLink::new(edge, verdict.copied().unwrap_or(Verdict::Joined))
        };
        let mut person = PersonGraph {
            profile_id: profile_id.into_string(),
            fragments: Vec::new(),
            links: Vec::new(),
            aliases: Vec::new(),
            changes: Vec::new(),
        };
        let (mut aliases, mut named) = (BTreeSet::new(), BTreeSet::new());
        for fragment in &fragments {
            person.fragments.push(FragmentAssignment::new(fragment, &graph::assignment_of(&around, fragment)?));
            for edge in around.of_fragment(fragment)? {
                named.insert(edge.identifier.clone());
                if edge.identifier.namespace == Namespace::UserId {
                    let others = around.of_identifier(&edge.identifier)?;
                    aliases.extend(others.into_iter().map(|edge| edge.fragment).filter(FragmentId::is_alias));
                }
                person.links.push(link(&edge));
            }
            if person.links.len() >= MOST {
                break;
            }
        }
        for alias in &aliases {
            person.aliases.extend(around.of_fragment(alias)?.iter().map(link));
        }
        for (at, body) in self.store.audited()? {
            let Ok(change) = serde_json::from_str::<LinkChange>(&body) else { continue };
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
        response::json(&person)
    }

    /// `/claims`: browsers that claim to be a person without proof.
    pub(super) async fn claims(&self, ask: ClaimsAsk) -> Result<Response, EdgeError> {
        let (around, Members { fragments, .. }) = self.person_at(ask.profile_id).await?;
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let Claimants { count, latest } = graph::claims_about(&around, rules, &fragments, MOST_CLAIMS)?;
        let made = |Claimant { edge, profile: profile_id }: Claimant| {
            let witness = edge.witness().cloned()?;
            Some(ClaimMade {
                fragment: edge.fragment,
                profile_id,
                namespace: edge.identifier.namespace.to_string(),
                witness,
            })
        };
        response::json(&ClaimsMade { browsers: count, claims: latest.into_iter().filter_map(made).collect() })
    }

    /// `/exported`: notes that somebody's data were exported, under a hash of the profile ID.
    pub(super) fn exported(&self, ask: &NoteExport) -> Result<Response, EdgeError> {
        let profile = tombstone(ask.profile_id.as_str(), &config(&self.env).identity_pepper);
        let note = json!({"act": "export", "profile": profile});
        self.store.transaction(clock::now(), |rows| rows.note(note.to_string()))?;
        response::json(&json!({}))
    }
}
