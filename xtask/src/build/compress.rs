//! Compression: files are compressed once here and served as they are.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;

use super::variant::Variant;

/// Brotli at its best quality with the largest window that every browser accepts.
pub(crate) fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    brotli_of(bytes, BEST)
}

/// Brotli's best quality, and one that takes no time.
const BEST: i32 = 11;
const QUICK: i32 = 3;

fn brotli_of(bytes: &[u8], quality: i32) -> Result<Vec<u8>> {
    let parameters =
        BrotliEncoderParams { quality, lgwin: 22, size_hint: bytes.len(), ..BrotliEncoderParams::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &parameters).context("brotli failed")?;
    Ok(out)
}

/// Gzip at level 9, what a browser without brotli would get.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Writes `{file}.br` beside a file.
pub(super) fn precompress(variant: Variant, file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let quality = match variant {
        Variant::Release => BEST,
        Variant::Development => QUICK,
    };
    fs::write(sibling(file), brotli_of(&bytes, quality)?)?;
    Ok(())
}

/// The compressed file's name.
fn sibling(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    PathBuf::from(name)
}
