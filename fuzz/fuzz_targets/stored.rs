//! Stored rows: any bytes are refused or give a profile that can be used and stored again.
#![no_main]

use endcap_engine::shop::Snapshot;
use endcap_engine::visit::refresh;
use endcap_profile::digest::Digest;
use endcap_profile::{Fragment, ProfileRow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = postcard::from_bytes::<Fragment>(bytes);
    if let Ok((id, digest)) = Digest::unpack(bytes) {
        assert!(digest.pack(&id).is_ok());
    }
    let Ok(mut row) = ProfileRow::unpack(bytes) else { return };
    refresh(&mut row, &Snapshot::empty(), 1_763_800_000_000);
    let written = row.pack().expect("every row can be stored");
    assert!(ProfileRow::unpack(&written).is_ok());
});
