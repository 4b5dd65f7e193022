//! Prints the OpenAPI document. It follows from the types alone, so the build writes it into a file that the worker serves:
//! what makes it would be a tenth of the worker, and the document itself a fiftieth.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(endcap_engine::openapi::document().to_string().as_bytes())
}
