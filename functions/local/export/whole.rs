//! Which manifests have all that they need.

use std::collections::{BTreeMap, HashMap, HashSet};

use oci::Digest;

use super::Node;

/// Returns the manifests that have their blobs and their children, and whose children have theirs.
pub(super) fn whole<'a>(nodes: &'a BTreeMap<Digest, Node>, missing: &HashSet<Digest>) -> HashSet<&'a Digest> {
    let lacks_something = |node: &Node| {
        node.blobs.iter().any(|(blob, _)| missing.contains(blob))
            || node.children.iter().any(|child| !nodes.contains_key(child))
    };
    let mut parents: HashMap<&Digest, Vec<&Digest>> = HashMap::new();
    for (digest, node) in nodes {
        for child in &node.children {
            parents.entry(child).or_default().push(digest);
        }
    }
    let broken = nodes.iter().filter(|(_, node)| lacks_something(node));
    let mut broken: Vec<&Digest> = broken.map(|(digest, _)| digest).collect();
    let mut whole: HashSet<&Digest> = nodes.keys().collect();
    while let Some(digest) = broken.pop() {
        if whole.remove(digest) {
            broken.extend(parents.get(digest).into_iter().flatten());
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use oci::Algorithm;
    use serde_json::Value;

    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(Algorithm::Sha256, text.as_bytes())
    }

    fn node(blob: &str, children: Vec<Digest>) -> Node {
        Node { entry: Value::Null, blobs: vec![(digest(blob), 1)], optional: Vec::new(), children }
    }

    /// Indexes that each list the one below, with a manifest at the bottom.
    fn chain(links: usize) -> BTreeMap<Digest, Node> {
        let name = |link: usize| digest(&format!("link {link}"));
        let below = |link: usize| link.checked_sub(1).map(name).into_iter().collect();
        (0..links).map(|link| (name(link), node(&format!("blob {link}"), below(link)))).collect()
    }

    #[test]
    fn a_chain_of_any_length_is_whole_down_to_what_is_missing() {
        let nodes = chain(10_000);
        assert_eq!(whole(&nodes, &HashSet::new()).len(), 10_000);
        assert_eq!(whole(&nodes, &HashSet::from([digest("blob 6000")])).len(), 6000);
        assert_eq!(whole(&nodes, &HashSet::from([digest("blob 0")])).len(), 0);
    }

    #[test]
    fn a_child_that_is_not_there_breaks_those_above_it_and_no_others() {
        let mut nodes = chain(3);
        nodes.insert(digest("beside"), node("blob", vec![digest("link 0")]));
        nodes.insert(digest("above"), node("blob", vec![digest("beside"), digest("link 2")]));
        nodes.remove(&digest("link 1"));
        let (beside, bottom) = (digest("beside"), digest("link 0"));
        assert_eq!(whole(&nodes, &HashSet::new()), HashSet::from([&beside, &bottom]));
    }
}
