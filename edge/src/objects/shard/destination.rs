//! Where a batch goes, and where it ended up.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::batch_reply::BatchReply;
use endcap_engine::held_id::{Asking, Inherited};
use endcap_identity::{FragmentId, Shown, StatedLink};
use endcap_profile::dedupe::Accepted;
use endcap_protocol::{AnonymousId, ProfileId};
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use crate::platform::error::EdgeError;

/// Where a batch goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Destination {
    /// The profile.
    pub(super) profile: ProfileId,
    /// The fragment; None where only the browser is known, and it is to be the one that the browser adds to.
    pub(super) fragment: Option<FragmentId>,
    /// Message IDs that the browser's earlier fragments accepted, after a succession. A retry may go straight to this
    /// fragment.
    #[serde(rename = "heritage")]
    pub(super) inherited_dedupe: Option<Accepted>,
    /// What the request shows of its anonymous ID; None where nobody asks: it goes to no browser, it is a click on a link that
    /// we signed, no key signs tokens, or a version that knows none received it.
    #[serde(default)]
    pub(super) shown: Option<Shown>,
    /// Who had the anonymous ID at the fragment before, after a succession.
    #[serde(default, rename = "inherited_possession")]
    pub(super) inherited: Option<Inherited>,
    /// What the shop's server states of whose the browser is.
    #[serde(default)]
    pub(super) stated: Vec<StatedLink>,
    /// How many rows the request went through.
    #[serde(default)]
    pub(super) hops: u8,
}

impl Destination {
    /// A profile, and there the fragment that the browser adds to.
    pub(super) fn of(profile: ProfileId, shown: Option<Shown>) -> Self {
        Self { profile, fragment: None, inherited_dedupe: None, shown, inherited: None, stated: Vec::new(), hops: 0 }
    }

    /// A fragment at a profile, for the rest of a request that shows the same.
    pub(super) fn at(profile: ProfileId, fragment: FragmentId, shown: Option<Shown>) -> Self {
        Self { fragment: Some(fragment), ..Self::of(profile, shown) }
    }

    /// Splits the inherited dedupe off the front of a forwarded batch.
    pub(super) fn read_inherited(body: &[u8]) -> Result<ForwardedBatch<'_>, EdgeError> {
        let damaged = || DomainError::Internal("a forwarded batch is damaged".to_owned());
        let end = body.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let (head, rest) = (body.get(..end).unwrap_or_default(), body.get(end + 1..).unwrap_or_default());
        if head.is_empty() {
            return Ok(ForwardedBatch { inherited_dedupe: None, body: rest });
        }
        let packed = BASE64.decode(head).map_err(|_| damaged())?;
        let known = postcard::from_bytes(&packed).map_err(|_| damaged())?;
        Ok(ForwardedBatch { inherited_dedupe: Some(known), body: rest })
    }

    /// Puts the inherited dedupe in front of a batch: it can be longer than headers may be.
    pub(super) fn write_inherited(&self, body: &[u8]) -> Result<String, EdgeError> {
        let packed = self.inherited_dedupe.as_ref().map(postcard::to_allocvec).transpose();
        let packed = packed.map_err(|error| DomainError::Internal(error.to_string()))?.unwrap_or_default();
        Ok(format!("{}\n{}", BASE64.encode(packed), String::from_utf8_lossy(body)))
    }

    /// What the request brings along that may have the anonymous ID.
    pub(super) fn asking(&self) -> Asking<'_> {
        Asking { shown: self.shown.as_ref(), inherited: self.inherited.as_ref(), links: &self.stated }
    }

    /// Whether both lead to the same fragment.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.profile == other.profile && self.fragment == other.fragment
    }
}

/// A batch that another shard forwarded.
pub(super) struct ForwardedBatch<'a> {
    /// What the fragments before knew.
    pub(super) inherited_dedupe: Option<Accepted>,
    /// The batch's text.
    pub(super) body: &'a [u8],
}

/// Where a visitor's batch is to be applied.
pub(super) struct RouteTarget {
    /// The profile.
    pub(super) at: ProfileId,
    /// The visitor's route, where we signed one.
    pub(super) route: Option<VerifiedRoute>,
    /// What the request shows of its anonymous ID.
    pub(super) shown: Option<Shown>,
}

/// A route cookie that we signed.
pub(super) struct VerifiedRoute {
    /// The profile that it names.
    pub(super) profile: ProfileId,
    /// Whether a version without possession tokens signed it.
    pub(super) is_old: bool,
}

/// Whose token a browser gets with the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The browser. Another than the request named, where that one was not its own: it has to take this one.
    pub(super) anonymous_id: AnonymousId,
    /// The generation of its ID.
    pub(super) generation: u32,
}

/// Where a batch ended up, and the answer.
pub(super) struct Visited {
    /// The profile.
    pub(super) profile_id: String,
    /// The answer's status.
    pub(super) status: u16,
    /// The answer's body.
    pub(super) body: Vec<u8>,
    /// The browser was erased: it has to forget its cookies.
    pub(super) erased: bool,
    /// Whose token the browser gets; None where nobody asked for one.
    pub(super) grant: Option<Grant>,
}

impl Visited {
    /// A batch of which nothing was applied: the answer says what became of each event, and nobody gets a token.
    pub(super) fn unapplied(profile: ProfileId, reply: &BatchReply) -> Result<Self, EdgeError> {
        let (status, body) = (reply.status(), reply.text(None)?);
        Ok(Self { profile_id: profile.into_string(), status, body, erased: false, grant: None })
    }
}
