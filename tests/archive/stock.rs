//! What is copied.

use test_support::server::Server;

use crate::client::{INDEX, Image, MANIFEST, assert_pulls, get, index_of, manifest, push};

/// Images, an index, an artifact about one, a manifest without a tag, and names that lie in one another.
pub(crate) struct Stock {
    pub(crate) images: Vec<Image>,
    index: Vec<u8>,
    note: Image,
}

const NAMES: [&str; 3] = ["team", "team/blobs", "team/blobs/sha256"];

impl Stock {
    pub(crate) fn new() -> Self {
        Self::with_layers_of(300_000)
    }

    pub(crate) fn with_layers_of(layer_bytes: usize) -> Self {
        let images: Vec<Image> = (0..4).map(|seed| Image::new(seed, layer_bytes)).collect();
        let index = index_of(&[&images[0], &images[1]]);
        let note = images[0].about("a note");
        Self { images, index, note }
    }

    pub(crate) fn fill(&self, server: &Server) {
        for name in NAMES {
            push(server, name, "1", &self.images[0]);
        }
        push(server, "team", "two", &self.images[1]);
        push(server, "team", &self.images[2].digest(), &self.images[2]);
        push(server, "team", &self.note.digest(), &self.note);
        manifest(server, "team", "multi", INDEX, &self.index);
        manifest(server, "team", "1.0", MANIFEST, &self.images[0].manifest);
    }

    pub(crate) fn note_digest(&self) -> String {
        self.note.digest()
    }

    pub(crate) fn assert_in(&self, server: &Server) {
        for name in NAMES {
            assert_pulls(server, name, "1", &self.images[0]);
        }
        self.assert_team_in(server);
    }

    /// The same of the repository that has all sorts.
    pub(crate) fn assert_team_in(&self, server: &Server) {
        assert_pulls(server, "team", "1", &self.images[0]);
        assert_pulls(server, "team", "1.0", &self.images[0]);
        assert_pulls(server, "team", "two", &self.images[1]);
        assert_pulls(server, "team", &self.images[2].digest(), &self.images[2]);
        assert_pulls(server, "team", &self.note.digest(), &self.note);
        assert_eq!(get(server, "/v2/team/manifests/multi").as_ref(), Ok(&self.index));
        let referrers = get(server, &format!("/v2/team/referrers/{}", self.images[0].digest())).unwrap();
        assert!(String::from_utf8(referrers).unwrap().contains(&self.note.digest()));
    }
}
