//! Where a browser's events go from a row.

use endcap_identity::FragmentId;
use endcap_protocol::{AnonymousId, ProfileId};

use super::row::{LatestFragment, ProfileRow};

/// Where a browser's events go from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Here, to this fragment.
    Here(FragmentId),
    /// Here, and the fragment begins with them.
    Begins(FragmentId),
    /// To another profile.
    Next {
        /// Which one.
        profile: ProfileId,
        /// The fragment there.
        fragment: FragmentId,
        /// The fragment here that leads there. What it accepted and who had it go along.
        passed: FragmentId,
    },
    /// The fragment is on its way here.
    Coming,
}

impl ProfileRow {
    /// Where the events of a browser go from here. `wanted` is the fragment that they are meant for; None where only
    /// the visitor's route, or the browser's name, led here.
    ///
    /// # Errors
    /// Never for names that were made by us.
    pub fn resolve(
        &self,
        browser: &AnonymousId,
        wanted: Option<&FragmentId>,
    ) -> Result<Resolution, endcap_protocol::FieldError> {
        let first = FragmentId::first(browser);
        let Some(wanted) = wanted else {
            return match self.open_fragment(browser) {
                Some(open) => Ok(Resolution::Here(open.clone())),
                None if first.home()? == self.id => self.resolve(browser, Some(&first)),
                None => Ok(Resolution::Next { profile: first.home()?, fragment: first.clone(), passed: first }),
            };
        };
        if let Some(latest) = self.latest.as_ref().filter(|_| *wanted == first && first.as_str() == self.id.as_str()) {
            // However many people had the browser since, nobody walks through all of their fragments.
            if latest.profile != self.id {
                let LatestFragment { profile, fragment, .. } = latest.clone();
                return Ok(Resolution::Next { profile, fragment, passed: first });
            }
            if latest.fragment != first {
                return self.resolve(browser, Some(&latest.fragment));
            }
        }
        let next = |profile, fragment: &FragmentId| Resolution::Next {
            profile,
            fragment: fragment.clone(),
            passed: wanted.clone(),
        };
        if let Some(fragment) = self.fragments.get(wanted) {
            let on = fragment.successor.as_ref().map(|after| Ok(next(after.home()?, after)));
            return on.unwrap_or_else(|| Ok(Resolution::Here(wanted.clone())));
        }
        if let Some(away) = self.moved.get(wanted) {
            return Ok(next(away.to.clone(), wanted));
        }
        Ok(if wanted.home()? == self.id { Resolution::Begins(wanted.clone()) } else { Resolution::Coming })
    }
}
