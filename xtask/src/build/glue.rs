//! wasm-bindgen's JavaScript for the page, made smaller. wasm-bindgen writes it for every browser and every module. It
//! guards against cases that cannot happen here, and every page would load those guards.
//!
//! Each change is looked for exactly as the pinned version writes it, and the build fails where it is not found.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use walrus::{Import, Module};

/// The module that the page's own functions are imported from (`sdk/js/host.js`).
const HOST: &str = "endcap-host";
/// The module that the generated functions stand for.
const OWN: &str = "./core_bg.js";

/// Functions by how they begin, and what stands for them.
const FUNCTIONS: [(&str, &str); 5] = [
    // One way to bring text over, instead of a faster one for ASCII beside it: texts are short.
    (
        "function passStringToWasm0(arg, malloc, realloc) {",
        "function passStringToWasm0(arg) {
    return passArray8ToWasm0(cachedTextEncoder.encode(arg));
}

function giveText(at, text) {
    const ptr = text == null ? 0 : passStringToWasm0(text);
    const view = getDataViewMemory0();
    view.setInt32(at, ptr, true);
    view.setInt32(at + 4, WASM_VECTOR_LEN, true);
}
",
    ),
    // There is one allocator.
    (
        "function passArray8ToWasm0(arg, malloc) {",
        "function passArray8ToWasm0(arg) {
    const ptr = wasm.__wbindgen_malloc(arg.length, 1) >>> 0;
    getUint8ArrayMemory0().set(arg, ptr);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}
",
    ),
    // The original renews the decoder: Safari's fails after two gigabytes.
    (
        "function decodeText(bytes) {",
        "function decodeText(bytes) {
    return cachedTextDecoder.decode(bytes);
}
",
    ),
    // A view is cheap to make, and one that is kept has to be compared with memory that grew. This also sees the growth
    // of a module that was translated to JavaScript, whose buffers nobody detaches.
    (
        "function getUint8ArrayMemory0() {",
        "function getUint8ArrayMemory0() {
    return new Uint8Array(wasm.memory.buffer);
}
",
    ),
    (
        "function getDataViewMemory0() {",
        "function getDataViewMemory0() {
    return new DataView(wasm.memory.buffer);
}
",
    ),
];

/// How a module starts: ours is compiled by its caller, and only once.
const START: (&str, &str) = (
    "function initSync(module) {",
    "function initSync({ module }) {
    wasm = new WebAssembly.Instance(module, __wbg_get_imports()).exports;
}
",
);

/// Makes the bindings that a page imports, and their module, smaller.
pub(crate) fn of_page(wasm: &Path, script: &Path) -> Result<()> {
    let mut module = Module::from_buffer(&read(wasm)?).map_err(|error| anyhow!("{error}"))?;
    let mut text = String::from_utf8(read(script)?)?;
    ensure!(!text.contains("wasm.__wbindgen_start()"), "the module has to be started, and nothing does");
    replace(&mut text, START)?;
    shrink(&mut text, &mut module)?;
    let direct: Vec<String> = of_host(&module).map(|one| one.name.clone()).collect();
    for import in module.imports.iter_mut() {
        import.module = OWN.to_owned();
    }
    drop_unused(&mut text, &module)?;
    drop_table(&mut text)?;
    fs::write(script, join(&text, &direct)?)?;
    fs::write(wasm, module.emit_wasm())?;
    Ok(())
}

/// What a module imports from the page's own functions as they are.
fn of_host(module: &Module) -> impl Iterator<Item = &Import> {
    module.imports.iter().filter(|one| one.module == HOST)
}

/// No import takes or gives a JavaScript value, so there is no table of them to keep.
fn drop_table(text: &mut String) -> Result<()> {
    let imports = text.split("function __wbg_get_imports() {").nth(1).and_then(|rest| rest.split("\n}\n").next());
    ensure!(imports.is_some_and(|imports| !imports.contains("Object(")), "an import takes a JavaScript value");
    keep_lines(text, |line| !line.starts_with("let heap") && !line.starts_with("heap."));
    Ok(())
}

/// What is imported as it is (`direct`) joins the generated functions, instead of having a namespace for each.
fn join(text: &str, direct: &[String]) -> Result<String> {
    let mut text = text.to_owned();
    let entry = format!("\"{HOST}\": import");
    keep_lines(&mut text, |line| !line.contains("* as import") && !line.contains(&entry));
    let object = "const import0 = {\n        __proto__: null,\n";
    ensure!(text.matches(object).count() == 1, "wasm-bindgen no longer writes one object of imports");
    let listed: String = direct.iter().map(|name| format!("        {name}: host.{name},\n")).collect();
    Ok(format!("import * as host from '{HOST}';\n{}", text.replace(object, &format!("{object}{listed}"))))
}

/// Leaves the other lines out.
fn keep_lines(text: &mut String, keep: impl Fn(&str) -> bool) {
    *text = text.lines().filter(|line| keep(line)).flat_map(|line| [line, "\n"]).collect();
}

/// The same for the bindings of a module that is translated to JavaScript.
pub(crate) fn of_translated(wasm: &Path, script: &Path) -> Result<()> {
    let mut module = Module::from_buffer(&read(wasm)?).map_err(|error| anyhow!("{error}"))?;
    let mut text = String::from_utf8(read(script)?)?;
    shrink(&mut text, &mut module)?;
    fs::write(script, text)?;
    fs::write(wasm, module.emit_wasm())?;
    Ok(())
}

/// What both have in common.
fn shrink(text: &mut String, module: &mut Module) -> Result<()> {
    for function in FUNCTIONS {
        replace(text, function)?;
    }
    *text = text
        .replace(", wasm.__wbindgen_malloc, wasm.__wbindgen_realloc)", ")")
        .replace(", wasm.__wbindgen_malloc)", ")")
        .replace("\ncachedTextDecoder.decode();\n", "\n")
        .replace("ptr / 1", "ptr");
    give_texts(text)?;
    // Texts that are passed are texts, so nothing throws in between.
    while let Some(at) = text.find("    } catch (e) {\n        if (ptr") {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find("throw e;\n    }\n").context("a `catch` that throws on")? + "throw e;\n    }\n".len();
        text.replace_range(at..at + end, "");
    }
    *text = text.replace("    try {\n        ptr0 =", "        ptr0 =");
    // Deletes exports that nothing calls, and the code that only they need.
    let unused: Vec<_> = module.exports.iter().filter(|one| !names(text, &one.name)).map(|one| one.id()).collect();
    for export in unused {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(module);
    Ok(())
}

/// Text that a function of the page's returns is given by one function, instead of four lines for each.
fn give_texts(text: &mut String) -> Result<()> {
    for begins in ["const ptr1 = passStringToWasm0(ret);", "var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret);"] {
        ensure!(text.contains(begins), "wasm-bindgen no longer writes `{begins}`");
        while let Some(at) = text.find(begins) {
            let rest = text.get(at..).unwrap_or_default();
            let end = at + rest.find("+ 4 * 0, ptr1, true);").context("the end of a text's return")?;
            text.replace_range(at..end + "+ 4 * 0, ptr1, true);".len(), "giveText(arg0, ret);");
        }
    }
    Ok(())
}

/// Whether a text names an export of the module.
fn names(text: &str, export: &str) -> bool {
    let name = format!("wasm.{export}");
    let ends = |rest: &str| !rest.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
    text.match_indices(&name).any(|(at, _)| text.get(at + name.len()..).is_some_and(ends))
}

/// Takes out the imports that the module no longer has.
fn drop_unused(text: &mut String, module: &Module) -> Result<()> {
    let mut from = 0;
    while let Some(at) = text.get(from..).unwrap_or_default().find(": function(").map(|at| from + at) {
        let begins = text.get(..at).and_then(|before| before.rfind('\n')).unwrap_or_default() + 1;
        let name = text.get(begins..at).unwrap_or_default().trim_start();
        let rest = text.get(at..).unwrap_or_default();
        let end =
            at + rest.find("\n        },\n").with_context(|| format!("the end of `{name}`"))? + "\n        },\n".len();
        if module.imports.iter().any(|import| import.name == name) {
            from = end;
        } else {
            text.replace_range(begins..end, "");
            from = begins;
        }
    }
    Ok(())
}

/// Puts another function in the place of the one that begins like this.
fn replace(text: &mut String, (begins, by): (&str, &str)) -> Result<()> {
    ensure!(text.matches(begins).count() == 1, "wasm-bindgen no longer writes `{begins}`");
    let at = text.find(begins).unwrap_or_default();
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find("\n}\n").with_context(|| format!("the end of `{begins}`"))? + "\n}\n".len();
    text.replace_range(at..at + end, by);
    Ok(())
}

/// Reads a generated file.
fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_named_where_its_whole_name_is() {
        let text = "pass(text, wasm.malloc), wasm.due2()";
        assert!(names(text, "malloc") && names(text, "due2"));
        assert!(!names(text, "due") && !names(text, "mall"));
    }

    #[test]
    fn a_function_is_replaced_to_its_end_and_what_is_not_there_is_an_error() {
        let mut text = "function a() {\n    if (x) {\n    }\n}\n\nfunction b() {\n}\n".to_owned();
        assert!(replace(&mut text, ("function a() {", "function a() {}\n")).is_ok());
        assert_eq!(text, "function a() {}\n\nfunction b() {\n}\n");
        assert!(replace(&mut text, ("function c() {", "")).is_err());
    }

    #[test]
    fn a_table_that_is_needed_stays_an_error() {
        let imports =
            |body: &str| format!("function __wbg_get_imports() {{\n{body}\n}}\nlet heap = [];\nheap.push(1);\n");
        let mut text = imports("    return 1;");
        assert!(drop_table(&mut text).is_ok() && !text.contains("heap"));
        assert!(drop_table(&mut imports("    takeObject(1);")).is_err());
    }
}
