//! Lists that others maintain, as files that `cargo xtask lists` writes: a head of lines with `#` that says whose and of when, and an
//! entry a line.

/// The entries.
pub fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn the_head_is_no_entry() {
        assert_eq!(entries("# whose\n# of when\na.example\nb c\n").collect::<Vec<_>>(), ["a.example", "b c"]);
    }
}
