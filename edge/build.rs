//! Writes the OpenAPI document while the worker is built. It follows from the types alone, so it is one of the files that
//! the worker serves: what makes it would be a tenth of the worker, and the document itself a fiftieth.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ENDCAP_OPENAPI");
    let file = match std::env::var_os("ENDCAP_OPENAPI") {
        Some(file) => PathBuf::from(file),
        None => PathBuf::from(std::env::var("OUT_DIR")?).join("openapi.json"),
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, endcap_engine::openapi::document().to_string())?;
    Ok(())
}
