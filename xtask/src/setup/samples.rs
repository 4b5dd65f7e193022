//! The languages of the book's samples besides JavaScript: installed where that can be done. A sample whose language is
//! missing is not run, and its test says so.

use super::debian;
use crate::run::exists;

/// Programs, and the packages that bring them.
const LANGUAGES: [(&str, &str); 2] = [("php", "php-cli"), ("python3", "python3")];

/// Installs what is missing.
pub(crate) fn ensure() {
    for (program, package) in LANGUAGES {
        if !exists(program) {
            debian::install(&[package]);
        }
    }
}
