//! What works without our script: the pixel and links of messages, and the page view of a `<noscript>` image.
//!
//! Role in the flow of one event: the shop's server asks for addresses ([`request`]) that carry signed [`token`]s. An
//! image that is fetched, or a link that is followed, becomes an [`event`] of the message's recipient; [`reader`] tells
//! people and machines apart. A [`page`] without script becomes a batch. A [`cross_domain`] token keeps a visitor's
//! identity over a shop's own domains.

pub mod cross_domain;
pub mod destination;
pub mod event;
pub mod page;
pub mod query;
pub mod reader;
pub mod recipient;
pub mod request;
pub mod token;

pub use cross_domain::CrossDomain;
pub use reader::Reader;
pub use token::{Click, MAX_TOKEN, Message};

/// A transparent GIF of one pixel (GIF89a, <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>): header and screen, two
/// colours, a graphic control extension that makes the first transparent, the image, the trailer.
pub const PIXEL: [u8; 43] = [
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
    0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02,
    0x02, 0x44, 0x01, 0x00, 0x3b,
];
