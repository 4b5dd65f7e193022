//! Writes the OpenAPI document while the worker is built. It follows from the types alone, and what makes it would be a
//! tenth of the worker.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&folder).join("openapi.json"), endcap_engine::openapi::document().to_string())?;
    Ok(())
}
