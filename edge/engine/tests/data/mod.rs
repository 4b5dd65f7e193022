//! Public data sets for evaluations. They are not part of the repository: `ENDCAP_DATA` names a folder that holds
//! them, and without it an evaluation says that it was skipped.

use std::path::PathBuf;
use std::process::Command;

/// The text of a file below `ENDCAP_DATA`, unpacked if its name ends in `.gz`. `None`, with a line on standard error,
/// if the variable is not set; a panic if it is and the file cannot be read.
pub(crate) fn read(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("ENDCAP_DATA").map(PathBuf::from) else {
        eprintln!("skipped: set ENDCAP_DATA to the folder with {name} to run this evaluation");
        return None;
    };
    let path = folder.join(name);
    if path.extension().is_some_and(|extension| extension == "gz") {
        let output = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip runs");
        assert!(output.status.success(), "gzip cannot read {}", path.display());
        return Some(String::from_utf8(output.stdout).expect("the data is UTF-8"));
    }
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
