//! What of a deployment's own configuration is missing or cannot be read.

use super::finding::{Finding, FindingCode, Place};

/// Something that a deployment lacks, or says in a form that nobody can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// A variable that matters is not set.
    Missing {
        /// Its name.
        name: &'static str,
        /// What goes without it, and what to do.
        effect: &'static str,
    },
    /// A variable is set to something that cannot be read, and counts as not set.
    Unreadable {
        /// Its name.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

impl Gap {
    /// What is wrong and what to do, for people.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::Missing { name, effect } => format!("{name} is not set: {effect}"),
            Self::Unreadable { name, expected } => {
                format!("{name} cannot be read and counts for nothing: it must be {expected}")
            }
        }
    }

    /// The same as a finding.
    #[must_use]
    pub fn finding(self) -> Finding {
        let code = match self {
            Self::Missing { .. } => FindingCode::VariableMissing,
            Self::Unreadable { .. } => FindingCode::VariableUnreadable,
        };
        Finding { code, place: Place::Deployment, message: format!("{}: {}", Place::Deployment, self.message()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_says_what_to_set_and_why() {
        let missing = Gap::Missing { name: "ENDCAP_SIGNING_KEYS", effect: "cookies are not signed" }.finding();
        assert_eq!((missing.code, missing.place), (FindingCode::VariableMissing, Place::Deployment));
        assert_eq!(missing.message, "deployment: ENDCAP_SIGNING_KEYS is not set: cookies are not signed");
        let unreadable = Gap::Unreadable { name: "ENDCAP_SOURCES", expected: "JSON" }.message();
        assert_eq!(unreadable, "ENDCAP_SOURCES cannot be read and counts for nothing: it must be JSON");
    }
}
