//! Circles in a graph of files: sets of files each of which leads to all the others.

use std::collections::{BTreeMap, BTreeSet};

/// Arrows from each file to those it names.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Every circle, by the files on it in order. A file on several circles is listed with the largest set only.
pub(super) fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut search = Search { graph, next: 0, index: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
    for file in graph.keys() {
        if !search.index.contains_key(file) {
            search.visit(file);
        }
    }
    search.found
}

/// Tarjan's search for strongly connected components (SIAM J. Comput. 1, 1972).
struct Search<'a> {
    graph: &'a Graph,
    next: usize,
    index: BTreeMap<String, usize>,
    stack: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Search<'_> {
    /// Returns the lowest index that can be reached from a file.
    fn visit(&mut self, file: &str) -> usize {
        let own = self.next;
        self.next += 1;
        self.index.insert(file.to_owned(), own);
        self.stack.push(file.to_owned());
        let mut low = own;
        for target in self.graph.get(file).into_iter().flatten() {
            match self.index.get(target) {
                None => low = low.min(self.visit(target)),
                Some(index) if self.stack.contains(target) => low = low.min(*index),
                Some(_) => {}
            }
        }
        if low == own {
            self.close(file);
        }
        low
    }

    /// Takes a finished component off the stack; a file alone is no circle.
    fn close(&mut self, file: &str) {
        let at = self.stack.iter().position(|held| held == file).unwrap_or_default();
        let mut files = self.stack.split_off(at);
        files.sort();
        if files.len() > 1 {
            self.found.push(files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (from, to) in arrows {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        graph
    }

    #[test]
    fn a_way_back_is_a_circle() {
        let found = circles(&graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]));
        assert_eq!(found, [["a", "b", "c"]]);
    }

    #[test]
    fn many_ways_down_are_none() {
        assert!(circles(&graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])).is_empty());
    }
}
