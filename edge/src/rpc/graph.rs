//! What the identity graph is told and asked.

use std::collections::BTreeMap;

use endcap_identity::admin_review::LinkPlace;
use endcap_identity::graph::Alteration;
use endcap_identity::partition::{self, PeerAnswer, PeerAsk};
use endcap_identity::resolve::Verdict;
use endcap_identity::{Assertion, Assignment, Edge, FragmentId, Identifier, Reassignment, Witness};
use endcap_protocol::{ProfileId, bucket_of};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use worker::Env;

use super::message::{Done, Message};
use super::{call, namespace, shards};
use crate::platform::config::config;
use crate::platform::error::EdgeError;

/// Tells the graph what was said about fragments. It answers where each belongs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LinkIdentities(pub(crate) Vec<Assertion>);

impl Message for LinkIdentities {
    const PATH: &'static str = "/tell";
    type Reply = Vec<Assignment>;
}

/// Asks for the profile that an identifier names.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FindProfile(pub(crate) Identifier);

impl Message for FindProfile {
    const PATH: &'static str = "/find";
    type Reply = Found;
}

/// Asks for the profiles that identifiers name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FindProfiles(pub(crate) Vec<Identifier>);

impl Message for FindProfiles {
    const PATH: &'static str = "/find-all";
    /// In the order of the identifiers.
    type Reply = Vec<Found>;
}

/// The profile that an identifier names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The profile; None where nobody has the identifier.
    pub(crate) profile_id: Option<ProfileId>,
    /// Whether only browsers say so, without proof.
    #[serde(default)]
    pub(crate) unproved: bool,
}

/// Asks another part of the graph.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PeerRequest(pub(crate) PeerAsk);

impl Message for PeerRequest {
    const PATH: &'static str = "/peer";
    type Reply = PeerAnswer;
}

/// Asks for browsers that claim to be a person without proof.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClaimsAsk {
    /// The person's profile.
    pub(crate) profile_id: ProfileId,
}

impl Message for ClaimsAsk {
    const PATH: &'static str = "/claims";
    type Reply = ClaimsMade;
}

/// Browsers that claim to be a person.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClaimsMade {
    /// How many there are.
    pub(crate) browsers: usize,
    /// What the latest of them claim.
    pub(crate) claims: Vec<ClaimMade>,
}

/// What a browser claims.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClaimMade {
    /// Its fragment.
    pub(crate) fragment: FragmentId,
    /// The profile that has it.
    pub(crate) profile_id: ProfileId,
    /// What kind of identifier it named.
    pub(crate) namespace: String,
    /// The event that did.
    pub(crate) witness: Witness,
}

/// An edge with what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JudgedEdge {
    /// The edge.
    pub(crate) edge: Edge,
    /// What became of it.
    pub(crate) verdict: Verdict,
}

/// What an administrator does, and with which edges.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LinkChange {
    /// What is done.
    pub(crate) act: Alteration,
    /// Edges of this fragment.
    pub(crate) fragment: Option<FragmentId>,
    /// Edges to this identifier.
    pub(crate) identifier: Option<Identifier>,
    /// The administrator's word for why, for the record.
    pub(crate) reason: String,
}

impl Message for LinkChange {
    const PATH: &'static str = "/change";
    type Reply = LinkChanged;
}

/// Where the fragments went that a change moved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LinkChanged {
    /// The fragments whose place changed.
    pub(crate) moved: Vec<Reassignment>,
    /// Whether there is such a link. The version before does not say so.
    #[serde(default = "found")]
    pub(crate) found: bool,
}

fn found() -> bool {
    true
}

/// A question for edges by verdict.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VerdictsAsk {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// Where the page before ended.
    pub(crate) after: LinkPlace,
    /// Most edges.
    pub(crate) limit: usize,
}

impl Message for VerdictsAsk {
    const PATH: &'static str = "/verdicts";
    type Reply = Vec<JudgedEdge>;
}

/// A reassignment of a fragment that a row may hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reassign {
    /// The row.
    pub(crate) profile_id: ProfileId,
    /// The change.
    #[serde(rename = "order")]
    pub(crate) reassignment: Reassignment,
}

impl Message for Reassign {
    const PATH: &'static str = "/seat";
    type Reply = Done;
}

/// Whom an identifier names.
pub(crate) async fn find(env: &Env, identifier: &Identifier) -> Result<Found, EdgeError> {
    let (partitions, pepper) = (config(env).layout.graph_partitions, &config(env).identity_pepper);
    let part = partition::of_identifier(&identifier.clone().hashed(pepper), partitions);
    call::ask(&namespace::graph_part(env, part)?, &FindProfile(identifier.clone())).await
}

/// Identifiers of one question to the graph.
const ASKED_AT_ONCE: usize = 250;

/// Whom identifiers name, in their order.
pub(crate) async fn find_all(env: &Env, identifiers: &[Identifier]) -> Result<Vec<Found>, EdgeError> {
    let (partitions, pepper) = (config(env).layout.graph_partitions, &config(env).identity_pepper);
    let mut by_part: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (index, identifier) in identifiers.iter().enumerate() {
        let part = partition::of_identifier(&identifier.clone().hashed(pepper), partitions);
        by_part.entry(part).or_default().push(index);
    }
    let asks = by_part.into_iter().flat_map(|(part, indices)| {
        let chunks: Vec<Vec<usize>> = indices.chunks(ASKED_AT_ONCE).map(<[usize]>::to_vec).collect();
        chunks.into_iter().map(move |chunk| (part, chunk))
    });
    let answers = join_all(asks.map(|(part, indices)| async move {
        let asked = indices.iter().filter_map(|index| identifiers.get(*index)).cloned().collect();
        let found = call::ask(&namespace::graph_part(env, part)?, &FindProfiles(asked)).await?;
        Ok::<_, EdgeError>(indices.into_iter().zip(found).collect::<Vec<_>>())
    }));
    let mut found = vec![Found { profile_id: None, unproved: false }; identifiers.len()];
    for answer in answers.await {
        for (index, one) in answer? {
            if let Some(place) = found.get_mut(index) {
                *place = one;
            }
        }
    }
    Ok(found)
}

/// One page of links that were not followed.
pub(crate) struct UnfollowedLinks {
    /// The links.
    pub(crate) links: Vec<JudgedEdge>,
    /// Where the next page begins.
    pub(crate) next: Option<LinkPlace>,
}

/// One page of links that were not followed: the parts one after the other, and where the next page begins.
pub(crate) async fn unfollowed(
    env: &Env,
    verdict: Verdict,
    mut after: LinkPlace,
    limit: usize,
) -> Result<UnfollowedLinks, EdgeError> {
    let mut links: Vec<JudgedEdge> = Vec::new();
    while after.part < config(env).layout.graph_partitions {
        // One more says whether there is more.
        let ask = VerdictsAsk { verdict, after: after.clone(), limit: limit - links.len() + 1 };
        links.extend(call::ask(&namespace::graph_part(env, after.part)?, &ask).await?);
        if links.len() > limit {
            links.truncate(limit);
            let last = links.last().map(|judged| LinkPlace {
                part: after.part,
                fragment: judged.edge.fragment.as_str().to_owned(),
                identifier: judged.edge.identifier.to_string(),
            });
            // If the last link is of the part before, the next page begins with this part.
            let here = last.filter(|_| links.len() > limit - (ask.limit - 1));
            return Ok(UnfollowedLinks { links, next: Some(here.unwrap_or(after)) });
        }
        after = LinkPlace { part: after.part + 1, ..LinkPlace::default() };
    }
    Ok(UnfollowedLinks { links, next: None })
}

/// Sends a reassignment to the shard of a row.
pub(crate) async fn reassign(env: &Env, row: &ProfileId, reassignment: &Reassignment) -> Result<(), EdgeError> {
    let message = Reassign { profile_id: row.clone(), reassignment: reassignment.clone() };
    shards::ask_bucket(env, bucket_of(row.as_str()), &message).await?;
    Ok(())
}
