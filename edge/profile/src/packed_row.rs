//! The stored form of a profile's row, and of every version before.
//!
//! Format 4 keeps timers by key; format 3 knows the two timers of its time. A row is written in format 3 as long as that can
//! say all of it, so that during a gradual deployment, and after a roll-back, the version before reads it too.
//!
//! Who has the anonymous IDs of the fragments follows the row, with a format of its own. Versions without possession tokens
//! do not look behind the row, and leave it out when they write. Then the IDs are open, until their tokens come back.

use std::collections::BTreeMap;

use endcap_identity::FragmentId;
use endcap_models::lifecycle::History;
use endcap_protocol::ProfileId;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::fragment::Fragment;
use super::legacy_formats;
use super::row::{Away, ProfileRow};
use super::two_timers::TwoTimers;

/// Version of the format that rows are written in.
pub const FORMAT: u8 = 3;
/// Version of the format that rows with other timers are written in.
pub const FORMAT_WITH_KEYS: u8 = 4;

/// Version of the format of what follows a row.
const POSSESSIONS_FORMAT: u8 = 1;

/// A row with what follows it. What a later version wrote there is left out, as a version before this one does.
fn with_possessions((mut row, behind): (ProfileRow, &[u8])) -> postcard::Result<ProfileRow> {
    if let Some((&POSSESSIONS_FORMAT, possessions)) = behind.split_first() {
        row.possessions = postcard::from_bytes(possessions)?;
    }
    Ok(row)
}

/// A row of format 3, as it is written.
#[derive(Serialize)]
struct WrittenRow<'a> {
    id: &'a ProfileId,
    fragments: &'a BTreeMap<FragmentId, Fragment>,
    moved: &'a BTreeMap<FragmentId, Away>,
    stages: &'a History,
    timers: TwoTimers,
    subscriptions: u32,
}

/// The same, as it is read.
#[derive(Deserialize)]
struct ReadRow {
    id: ProfileId,
    fragments: BTreeMap<FragmentId, Fragment>,
    moved: BTreeMap<FragmentId, Away>,
    stages: History,
    timers: TwoTimers,
    subscriptions: u32,
}

impl From<ReadRow> for ProfileRow {
    fn from(row: ReadRow) -> Self {
        let ReadRow { id, fragments, moved, stages, timers, subscriptions } = row;
        let possessions = BTreeMap::new();
        Self { id, fragments, moved, stages, timers: timers.into(), subscriptions, possessions }
    }
}

impl ProfileRow {
    /// The stored form.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self) -> Result<Vec<u8>, DomainError> {
        let Self { id, fragments, moved, stages, timers, subscriptions, possessions } = self;
        let packed = match TwoTimers::of(timers) {
            Some(timers) => {
                let row = WrittenRow { id, fragments, moved, stages, timers, subscriptions: *subscriptions };
                postcard::to_extend(&row, vec![FORMAT])
            }
            None => postcard::to_extend(self, vec![FORMAT_WITH_KEYS]),
        };
        let packed = packed.and_then(|mut packed| {
            if possessions.is_empty() {
                return Ok(packed);
            }
            packed.push(POSSESSIONS_FORMAT);
            postcard::to_extend(possessions, packed)
        });
        packed.map_err(|error| DomainError::Internal(error.to_string()))
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the row was written by a newer version, or is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, DomainError> {
        use legacy_formats::{Piece, PieceWithConsents, Row};

        let unreadable = |format| DomainError::Format { what: "profile", format };
        let Some((format, rest)) = bytes.split_first() else { return Err(unreadable(0)) };
        let row = match *format {
            FORMAT_WITH_KEYS => postcard::take_from_bytes(rest).and_then(with_possessions),
            FORMAT => postcard::take_from_bytes::<ReadRow>(rest)
                .and_then(|(row, behind)| with_possessions((row.into(), behind))),
            2 => postcard::from_bytes::<Row<PieceWithConsents>>(rest).map(Into::into),
            1 => postcard::from_bytes::<Row<Piece>>(rest).map(Into::into),
            newer => return Err(unreadable(newer)),
        };
        row.map_err(|_| unreadable(*format))
    }
}
