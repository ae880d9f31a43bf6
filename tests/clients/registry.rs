//! The registry as plain HTTP sees it: what is there, and what a client has no command for.

use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use test_support::content::sha256;
use test_support::server::Server;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// The API of a running server.
pub(crate) struct Registry {
    address: String,
    http: Client,
}

impl Registry {
    /// Returns the API of `server`.
    pub(crate) fn of(server: &Server) -> Self {
        let http = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        Self { address: server.address().to_owned(), http }
    }

    /// Sends `method` to `path`, which starts with a slash, and returns the answer.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        let mut request = self.http.request(method, format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().unwrap()
    }

    /// Returns the digest of the manifest that `reference` (a tag or a digest) names.
    pub(crate) fn digest(&self, repository: &str, reference: &str) -> String {
        sha256(&self.get(&format!("/v2/{repository}/manifests/{reference}")))
    }

    /// Returns the manifest that `reference` names.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Value {
        serde_json::from_slice(&self.get(&format!("/v2/{repository}/manifests/{reference}"))).unwrap()
    }

    /// Fetches all that `reference` leads to, and checks every digest and size on the way.
    pub(crate) fn assert_whole(&self, repository: &str, reference: &str) {
        let manifest = self.manifest(repository, reference);
        for child in list(&manifest["manifests"]) {
            self.assert_whole(repository, child["digest"].as_str().unwrap());
        }
        let config = manifest.get("config");
        for blob in list(&manifest["layers"]).iter().chain(config) {
            let digest = blob["digest"].as_str().unwrap();
            let bytes = self.get(&format!("/v2/{repository}/blobs/{digest}"));
            assert_eq!(Some(bytes.len() as u64), blob["size"].as_u64(), "size of {digest}");
            assert_eq!(sha256(&bytes), digest);
        }
    }

    /// Returns the tags of `repository`.
    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let tags: Value = serde_json::from_slice(&self.get(&format!("/v2/{repository}/tags/list"))).unwrap();
        list(&tags["tags"]).iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
    }

    /// Deletes the manifest or the tag that `reference` names.
    pub(crate) fn delete(&self, repository: &str, reference: &str) {
        let answer =
            self.send(Method::DELETE, &format!("/v2/{repository}/manifests/{reference}"), &[], Vec::new());
        assert_eq!(answer.status(), 202, "{}", answer.text().unwrap());
    }

    /// Mounts all blobs of `tag` from one repository into another.
    pub(crate) fn mount(&self, from: &str, tag: &str, into: &str) {
        let manifest = self.manifest(from, tag);
        for blob in list(&manifest["layers"]).iter().chain(manifest.get("config")) {
            let digest = blob["digest"].as_str().unwrap();
            let path = format!("/v2/{into}/blobs/uploads/?mount={digest}&from={from}");
            let answer = self.send(Method::POST, &path, &[], Vec::new());
            assert_eq!(answer.status(), 201, "{}", answer.text().unwrap());
        }
    }

    /// Pushes an artifact without content that refers to the manifest with `digest`; returns its digest.
    pub(crate) fn push_referrer(&self, repository: &str, digest: &str, artifact_type: &str) -> String {
        let empty = json!({
            "mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(b"{}"), "size": 2,
        });
        self.push_blob(repository, b"{}");
        let size = self.get(&format!("/v2/{repository}/manifests/{digest}")).len();
        let artifact = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
            "config": empty, "layers": [empty],
            "subject": {"mediaType": MANIFEST, "digest": digest, "size": size},
        });
        let body = artifact.to_string().into_bytes();
        let pushed = sha256(&body);
        let path = format!("/v2/{repository}/manifests/{pushed}");
        let answer = self.send(Method::PUT, &path, &[("Content-Type", MANIFEST)], body);
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["OCI-Subject"], digest);
        pushed
    }

    /// Returns the digests and the artifact types of what refers to the manifest with `digest`.
    pub(crate) fn referrers(&self, repository: &str, digest: &str) -> Vec<(String, String)> {
        let index: Value =
            serde_json::from_slice(&self.get(&format!("/v2/{repository}/referrers/{digest}"))).unwrap();
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        list(&index["manifests"])
            .iter()
            .map(|entry| (text(entry, "digest"), text(entry, "artifactType")))
            .collect()
    }

    fn push_blob(&self, repository: &str, bytes: &[u8]) {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let session = self.send(Method::POST, &path, &[], Vec::new());
        assert_eq!(session.status(), 202);
        let location = path_of(&session);
        let separator = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{separator}digest={}", sha256(bytes));
        assert_eq!(self.send(Method::PUT, &path, &[], bytes.to_vec()).status(), 201);
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let answer = self.send(Method::GET, path, &[("Accept", MANIFESTS)], Vec::new());
        assert_eq!(answer.status(), 200, "GET {path}");
        answer.bytes().unwrap().into()
    }
}

/// Returns the path of an answer's `Location`, which may be a whole URL.
pub(crate) fn path_of(answer: &Response) -> String {
    let location = answer.headers()["Location"].to_str().unwrap();
    let url = answer.url().join(location).unwrap();
    url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
