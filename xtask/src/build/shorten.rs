//! Short names for what a module imports and exports: wasm-bindgen's carry a hash of 16 digits each, which no compression can
//! shrink, once in the module and once in its JavaScript.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow};
use walrus::Module;

/// Exports with names up to this length keep them: those are our own.
const LONG: usize = 8;

/// Renames imports and exports of `wasm`, and their uses in `script`, which must not be minified yet.
pub(crate) fn names(wasm: &Path, script: &Path) -> Result<()> {
    let mut module = Module::from_buffer(&fs::read(wasm)?).map_err(|error| anyhow!("{error}"))?;
    let mut text = fs::read_to_string(script)?;
    for (number, import) in module.imports.iter_mut().enumerate() {
        let short = name(number);
        // The glue names each import once, as the key of an object.
        let (long, quoted) = (format!(" {}:", import.name), format!(" {short}:"));
        if text.matches(&long).count() == 1 {
            text = text.replace(&long, &quoted);
            import.name = short;
        }
    }
    let mut exports: Vec<_> = module.exports.iter_mut().filter(|export| export.name.len() > LONG).collect();
    // A name may be the beginning of another, so the longest go first.
    exports.sort_by_key(|export| std::cmp::Reverse(export.name.len()));
    for (number, export) in exports.into_iter().enumerate() {
        let short = format!("_{}", name(number));
        text = text.replace(&format!("wasm.{}", export.name), &format!("wasm.{short}"));
        export.name = short;
    }
    fs::write(script, text)?;
    fs::write(wasm, module.emit_wasm())?;
    Ok(())
}

/// `a` to `z`, then `aa`, `ba` and so on: what an object's key may be, unlike a number first.
fn name(mut number: usize) -> String {
    let mut name = String::new();
    loop {
        name.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return name;
        }
        number -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_short_and_distinct() {
        let mut names: Vec<String> = (0..1000).map(name).collect();
        assert_eq!(&names[..3], ["a", "b", "c"]);
        assert!(names.iter().all(|name| name.len() <= 3));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1000);
    }
}
