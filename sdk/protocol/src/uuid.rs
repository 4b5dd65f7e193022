//! UUIDs from randomness that the caller brings (RFC 9562).

use crate::UnixMillis;
use crate::text::push_digit;

/// A UUIDv7 (RFC 9562 §5.7) of the time `at` and 10 random bytes: sorts by time, so stores and logs stay in order.
/// Times before 1970 or after the year 10889 are clamped to the 48 bits that the format has.
#[must_use]
pub fn v7(at: UnixMillis, random: [u8; 10]) -> String {
    let millis = at.clamp(0, 0xffff_ffff_ffff);
    let mut bytes = [0_u8; 16];
    for (slot, byte) in bytes.iter_mut().zip(millis.to_be_bytes().into_iter().skip(2).chain(random)) {
        *slot = byte;
    }
    text(bytes, 0x70)
}

/// A UUIDv4 (RFC 9562 §5.4) of 16 random bytes.
#[must_use]
pub fn v4(random: [u8; 16]) -> String {
    text(random, 0x40)
}

fn text(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | version;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut out = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push_str("-");
        }
        for nibble in [byte >> 4, byte & 15] {
            push_digit(&mut out, nibble);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v7_has_the_layout_of_the_rfc_example() {
        // RFC 9562 appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F.
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        assert_eq!(v7(0x017f_22e2_79b0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn v4_sets_version_and_variant() {
        assert_eq!(v4([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
