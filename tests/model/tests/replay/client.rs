//! What the programs of the model are for the registry: requests, as clients send them.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use model::{Plan, Program, Push, Target};
use registry::Registry;
use registry::http::Service;

use crate::content;
use crate::gate::GatedObjects;

/// By this header the edge says which host was asked; with it, clients are offered to send blobs past the registry.
const VIEWER_HOST: &str = "x-viewer-host";

/// A client of one process.
pub(crate) struct Client {
    service: Service,
    objects: Arc<GatedObjects>,
    plan: Plan,
}

struct Reply {
    status: u16,
    location: String,
}

impl Client {
    pub(crate) fn new(registry: Registry, objects: Arc<GatedObjects>, plan: Plan) -> Self {
        Self { service: Service::new(registry), objects, plan }
    }

    /// Does what the program says; what fails is tried again as often as the plan says.
    pub(crate) async fn run(&self, program: Program, tries_left: u8) {
        match program {
            Program::Push(push) => {
                for _ in 0..=tries_left {
                    if self.push(push).await {
                        return;
                    }
                }
            }
            Program::DeleteManifest(manifest) => {
                let repository = content::repository(self.plan.manifests[manifest].repository);
                let digest = content::manifest(&self.plan, manifest).digest;
                self.send(Method::DELETE, &format!("/v2/{repository}/manifests/{digest}")).await;
            }
            Program::DeleteTag(tag) => {
                let repository = content::repository(self.plan.tags[tag]);
                self.send(Method::DELETE, &format!("/v2/{repository}/manifests/{}", content::tag(tag))).await;
            }
            Program::DeleteBlob(repository, blob) => {
                self.send(Method::DELETE, &path(repository, blob)).await;
            }
            Program::Hold(repository, blob) => {
                self.send(Method::HEAD, &path(repository, blob)).await;
            }
            Program::Collect | Program::Adopt => unreachable!("{program:?} is no client"),
        }
    }

    /// Pushes something to every repository that is not in the plan.
    pub(crate) async fn start_repositories(&self) {
        for repository in 0..model::keys::REPOSITORIES {
            let index = content::empty_index();
            let path = format!("/v2/{}/manifests/start", content::repository(repository));
            let reply = self.ask(Method::PUT, &path, Some(index.media_type), index.bytes).await;
            assert_eq!(reply.status, 201, "an empty index is refused");
        }
    }

    async fn push(&self, push: Push) -> bool {
        let plan = self.plan.manifests[push.manifest];
        for target in plan.references {
            let Target::Blob(blob) = *target else { continue };
            if !self.push_blob(plan.repository, blob, push).await {
                return false;
            }
        }
        let manifest = content::manifest(&self.plan, push.manifest);
        let reference = push.tag.map_or(manifest.digest.to_string(), content::tag);
        let path = format!("/v2/{}/manifests/{reference}", content::repository(plan.repository));
        let reply = self.ask(Method::PUT, &path, Some(manifest.media_type), manifest.bytes).await;
        reply.status == 201
    }

    /// HEAD, then a mount if there is a source, then POST and one PUT, to the registry or past it.
    async fn push_blob(&self, repository: usize, blob: usize, push: Push) -> bool {
        if self.send(Method::HEAD, &path(repository, blob)).await.status == 200 {
            return true;
        }
        let bytes = content::blob(blob);
        let uploads = format!("/v2/{}/blobs/uploads/", content::repository(repository));
        let begin = match push.mount_from {
            Some(from) => format!("{uploads}?mount={}&from={}", bytes.digest, content::repository(from)),
            None => uploads,
        };
        let begun = self.send(Method::POST, &begin).await;
        if begun.status == 201 {
            return true;
        }
        if push.is_direct {
            let Some(id) = content::upload(&begun.location) else { return false };
            self.objects.receive(id, bytes.bytes).await;
            return true;
        }
        let finish = format!("{}?digest={}", begun.location, bytes.digest);
        self.ask(Method::PUT, &finish, None, bytes.bytes).await.status == 201
    }

    async fn send(&self, method: Method, path: &str) -> Reply {
        self.ask(method, path, None, Bytes::new()).await
    }

    async fn ask(&self, method: Method, path: &str, content_type: Option<&str>, body: Bytes) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        if self.plan.is_direct() {
            request = request.header(VIEWER_HOST, "registry.example.com");
        }
        let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
        let response = self.service.handle(request.body(body).unwrap()).await;
        let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        Reply { status: response.status().as_u16(), location: location.unwrap_or_default() }
    }
}

fn path(repository: usize, blob: usize) -> String {
    format!("/v2/{}/blobs/{}", content::repository(repository), content::blob(blob).digest)
}
