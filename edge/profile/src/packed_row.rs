//! The stored form of a profile's row, and of every version before.
//!
//! Format 4 keeps timers by key; format 3 knows the two timers of its time. A row is written in format 3 as long as that can
//! say all of it, so that during a gradual deployment, and after a roll-back, the version before reads it too.
//!
//! Who has the anonymous IDs of the fragments follows the row, with a format of its own. Versions without possession tokens
//! do not look behind the row, and leave it out when they write. Then the IDs are open, until their tokens come back. What the
//! shop's server states of the browsers follows that in the same way, then who had a browser before whom, then the segments
//! that the person is in, then what conditions count of the fragments, then the devices that they
//! came with, and then the lists that they were put on.

use std::collections::BTreeMap;

use endcap_identity::possession::Holder;
use endcap_identity::stated_link::StatedLinks;
use endcap_identity::{FragmentId, Possession};
use endcap_models::lifecycle::History;
use endcap_protocol::{ProfileId, UnixMillis};
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::apart::Apart;
use super::fragment::Fragment;
use super::legacy_formats;
use super::row::{Away, LatestFragment, ProfileRow};
use super::two_timers::TwoTimers;

/// Version of the format that rows are written in.
pub const FORMAT: u8 = 3;
/// Version of the format that rows with other timers are written in.
pub const FORMAT_WITH_KEYS: u8 = 4;

/// Version of the format of a row behind the tails of its log: the tails, and then the row as it is without them, with its own
/// format. A version that does not know it must not write the row, for it would lose the events.
pub const FORMAT_WITH_TAILS: u8 = 5;

/// Version of the format of the head of a profile whose fragments lie apart: what it says of them, and then the row without
/// them, with its own format.
pub const FORMAT_APART: u8 = 6;

/// Version of the format of what follows a row.
const POSSESSIONS_FORMAT: u8 = 1;

/// Version of the format of what follows the possessions.
const LINKS_FORMAT: u8 = 1;

/// Version of the format of what follows the links.
const SUCCESSIONS_FORMAT: u8 = 1;

/// Version of the format of what follows the successions.
const MEMBERSHIPS_FORMAT: u8 = 1;

/// Version of the format of what follows the memberships. Nobody counts events before the shop has segments, or conditions that ask
/// for events, and from then on each row has memberships.
const OCCURRENCES_FORMAT: u8 = 1;

/// Stands in the place of the memberships where there are none and something follows. A version that does not know it stops there.
const NO_MEMBERSHIPS: u8 = 0;

/// Version of the format of what follows what is counted.
const DEVICES_FORMAT: u8 = 1;

/// Version of the format of what follows the devices.
const LISTS_FORMAT: u8 = 1;

/// Who has an anonymous ID, as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredPossession {
    generation: u32,
    holder: Holder,
    is_proved: bool,
    is_ended: bool,
    changed_at: UnixMillis,
}

/// What the shop's server has to do with an anonymous ID, as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredLinks {
    is_of_server: bool,
    links: StatedLinks,
}

/// Who had browsers one after the other, as it is stored.
#[derive(Default, Serialize, Deserialize)]
struct StoredSuccessions {
    people_before: BTreeMap<FragmentId, u32>,
    latest: Option<LatestFragment>,
}

impl From<&Possession> for StoredPossession {
    fn from(possession: &Possession) -> Self {
        let &Possession { generation, holder, is_proved, is_ended, changed_at, .. } = possession;
        Self { generation, holder, is_proved, is_ended, changed_at }
    }
}

impl From<StoredPossession> for Possession {
    fn from(stored: StoredPossession) -> Self {
        let StoredPossession { generation, holder, is_proved, is_ended, changed_at } = stored;
        Self { generation, holder, is_proved, is_ended, changed_at, ..Self::default() }
    }
}

/// A row with what follows it. What a later version wrote there is left out, as a version before this one does.
fn with_possessions((mut row, behind): (ProfileRow, &[u8])) -> postcard::Result<ProfileRow> {
    let Some((&POSSESSIONS_FORMAT, rest)) = behind.split_first() else { return Ok(row) };
    let (stored, behind) = postcard::take_from_bytes::<BTreeMap<FragmentId, StoredPossession>>(rest)?;
    row.possessions = stored.into_iter().map(|(id, stored)| (id, stored.into())).collect();
    let Some((&LINKS_FORMAT, rest)) = behind.split_first() else { return Ok(row) };
    let (stored, behind) = postcard::take_from_bytes::<BTreeMap<FragmentId, StoredLinks>>(rest)?;
    for (id, stored) in stored {
        let possession = row.possessions.entry(id).or_default();
        (possession.is_of_server, possession.links) = (stored.is_of_server, stored.links);
    }
    let Some((&SUCCESSIONS_FORMAT, rest)) = behind.split_first() else { return Ok(row) };
    let (stored, behind) = postcard::take_from_bytes::<StoredSuccessions>(rest)?;
    for (id, people_before) in stored.people_before {
        row.possessions.entry(id).or_default().people_before = people_before;
    }
    row.latest = stored.latest;
    let behind = match behind.split_first() {
        Some((&MEMBERSHIPS_FORMAT, rest)) => {
            let (memberships, behind) = postcard::take_from_bytes(rest)?;
            row.memberships = Some(memberships);
            behind
        }
        Some((&NO_MEMBERSHIPS, behind)) => behind,
        _ => return Ok(row),
    };
    let Some((&OCCURRENCES_FORMAT, rest)) = behind.split_first() else { return Ok(row) };
    let (occurrences, behind) = postcard::take_from_bytes(rest)?;
    row.occurrences = occurrences;
    let Some((&DEVICES_FORMAT, rest)) = behind.split_first() else { return Ok(row) };
    let (devices, behind) = postcard::take_from_bytes(rest)?;
    row.devices = devices;
    let Some((&LISTS_FORMAT, rest)) = behind.split_first() else { return Ok(row) };
    row.lists = postcard::take_from_bytes(rest)?.0;
    Ok(row)
}

/// Writes what follows a row.
fn write_possessions(row: &ProfileRow, mut packed: Vec<u8>) -> postcard::Result<Vec<u8>> {
    let ProfileRow { possessions, latest, .. } = row;
    let memberships = row.memberships.as_ref();
    // What stands further behind needs all that stands before it.
    let has_devices = !row.devices.is_empty() || !row.lists.is_empty();
    let has_more = memberships.is_some() || has_devices;
    if possessions.is_empty() && latest.is_none() && !has_more {
        return Ok(packed);
    }
    packed.push(POSSESSIONS_FORMAT);
    let stored: BTreeMap<&FragmentId, StoredPossession> =
        possessions.iter().map(|(id, possession)| (id, possession.into())).collect();
    let mut packed = postcard::to_extend(&stored, packed)?;
    let says = |possession: &Possession| possession.is_of_server || !possession.links.is_empty();
    let links: BTreeMap<&FragmentId, StoredLinks> = possessions
        .iter()
        .filter(|(_, possession)| says(possession))
        .map(|(id, Possession { is_of_server, links, .. })| {
            (id, StoredLinks { is_of_server: *is_of_server, links: links.clone() })
        })
        .collect();
    let before = possessions.iter().map(|(id, held)| (id.clone(), held.people_before));
    let people_before: BTreeMap<FragmentId, u32> = before.filter(|(_, before)| *before > 0).collect();
    let has_successions = !people_before.is_empty() || latest.is_some() || has_more;
    if links.is_empty() && !has_successions {
        return Ok(packed);
    }
    packed.push(LINKS_FORMAT);
    packed = postcard::to_extend(&links, packed)?;
    if !has_successions {
        return Ok(packed);
    }
    packed.push(SUCCESSIONS_FORMAT);
    packed = postcard::to_extend(&StoredSuccessions { people_before, latest: latest.clone() }, packed)?;
    match memberships {
        Some(memberships) => {
            packed.push(MEMBERSHIPS_FORMAT);
            packed = postcard::to_extend(memberships, packed)?;
        }
        None if has_more => packed.push(NO_MEMBERSHIPS),
        None => return Ok(packed),
    }
    if row.occurrences.is_empty() && !has_devices {
        return Ok(packed);
    }
    packed.push(OCCURRENCES_FORMAT);
    packed = postcard::to_extend(&row.occurrences, packed)?;
    if !has_devices {
        return Ok(packed);
    }
    packed.push(DEVICES_FORMAT);
    packed = postcard::to_extend(&row.devices, packed)?;
    if row.lists.is_empty() {
        return Ok(packed);
    }
    packed.push(LISTS_FORMAT);
    postcard::to_extend(&row.lists, packed)
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
        let (timers, possessions) = (timers.into(), BTreeMap::new());
        Self {
            id,
            fragments,
            moved,
            stages,
            timers,
            subscriptions,
            possessions,
            latest: None,
            memberships: None,
            occurrences: BTreeMap::new(),
            devices: BTreeMap::new(),
            lists: BTreeMap::new(),
            tails: BTreeMap::new(),
            apart: None,
        }
    }
}

impl ProfileRow {
    /// The stored form; where fragments lie apart, that of the head.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self) -> Result<Vec<u8>, DomainError> {
        let packed = match &self.apart {
            Some(apart) => self.write_head(apart),
            None => self.write(Vec::new()),
        };
        packed.map_err(|error| DomainError::Internal(error.to_string()))
    }

    /// The stored form with all that was read, as if it all lay in the row.
    pub(crate) fn pack_whole(&self) -> Result<Vec<u8>, DomainError> {
        self.write(Vec::new()).map_err(|error| DomainError::Internal(error.to_string()))
    }

    fn write_head(&self, apart: &Apart) -> postcard::Result<Vec<u8>> {
        let settled = apart.settled(&self.fragments, self.rows_read());
        let before = postcard::to_extend(&settled, vec![FORMAT_APART])?;
        let head = Self {
            stages: self.stages.clone(),
            timers: self.timers.clone(),
            subscriptions: self.subscriptions,
            latest: self.latest.clone(),
            memberships: self.memberships.clone(),
            occurrences: self.occurrences.clone(),
            devices: self.devices.clone(),
            lists: self.lists.clone(),
            ..Self::new(self.id.clone(), 0)
        };
        head.write(before)
    }

    fn write(&self, mut before: Vec<u8>) -> postcard::Result<Vec<u8>> {
        let Self { id, fragments, moved, stages, timers, subscriptions, tails, .. } = self;
        if !tails.is_empty() {
            before.push(FORMAT_WITH_TAILS);
            before = postcard::to_extend(tails, before)?;
        }
        let packed = match TwoTimers::of(timers) {
            Some(timers) => {
                before.push(FORMAT);
                let row = WrittenRow { id, fragments, moved, stages, timers, subscriptions: *subscriptions };
                postcard::to_extend(&row, before)?
            }
            None => {
                before.push(FORMAT_WITH_KEYS);
                postcard::to_extend(self, before)?
            }
        };
        write_possessions(self, packed)
    }

    /// Whether a stored row is a head, with fragments that lie apart.
    #[must_use]
    pub fn is_head(bytes: &[u8]) -> bool {
        bytes.first() == Some(&FORMAT_APART)
    }

    /// Whether a stored row has events that wait.
    #[must_use]
    pub fn has_tails(bytes: &[u8]) -> bool {
        bytes.first() == Some(&FORMAT_WITH_TAILS)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the row was written by a newer version, or is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, DomainError> {
        use legacy_formats::{Piece, PieceWithConsents, Row};

        let unreadable = |format| DomainError::Format { what: "profile", format };
        let Some((format, rest)) = bytes.split_first() else { return Err(unreadable(0)) };
        if *format == FORMAT_APART {
            let (apart, rest) = postcard::take_from_bytes(rest).map_err(|_| unreadable(FORMAT_APART))?;
            if Self::has_tails(rest) || Self::is_head(rest) {
                return Err(unreadable(FORMAT_APART));
            }
            return Ok(Self { apart: Some(apart), ..Self::unpack(rest)? });
        }
        if *format == FORMAT_WITH_TAILS {
            let (tails, rest) = postcard::take_from_bytes(rest).map_err(|_| unreadable(FORMAT_WITH_TAILS))?;
            if Self::has_tails(rest) || Self::is_head(rest) {
                return Err(unreadable(FORMAT_WITH_TAILS));
            }
            return Ok(Self { tails, ..Self::unpack(rest)? });
        }
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
