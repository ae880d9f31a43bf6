//! Logins: what they ask of AWS, and whether the role of their function may do it and needs all that it may.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use registry::access::{Access, AccessOptions, KeyRing};
use registry::http::Service;
use serde_json::Value;

use crate::rights::Roles;
use crate::world::{Cloud, World};

const PASSWORD: &str = "a long and winding password";

/// Basic authorization of `admin` with that password.
const BASIC: &str = "Basic YWRtaW46YSBsb25nIGFuZCB3aW5kaW5nIHBhc3N3b3Jk";

fn access(world: &World) -> Access {
    let options = AccessOptions {
        is_open_without_accounts: false,
        first_password: Some(PASSWORD.into()),
        notes_use: true,
        ..AccessOptions::default()
    };
    let keys = KeyRing::new("edge.example", b"the signing secret of the tests, long enough", &[]);
    Access::new(world.backend.registry(), keys, options, None)
}

/// What one function does, with the rights of its role.
struct Desk<'w> {
    world: &'w World,
    roles: &'w mut Roles,
    role: &'static str,
}

impl Desk<'_> {
    /// Fails unless the role may make the calls of the work.
    async fn does<T>(&mut self, job: &str, work: impl Future<Output = T>) -> T {
        self.world.layer.begin(None);
        let done = work.await;
        let calls = self.world.layer.end();
        assert!(!calls.is_empty(), "{job} asks nothing");
        self.roles.assert_allow_job(self.role, job, &calls);
        done
    }
}

/// Asks for a token; returns the status and the answer.
async fn ask(access: &Access, method: Method, query: &str, shown: Option<&str>, form: &str) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(format!("/token{query}"));
    if let Some(shown) = shown {
        request = request.header("authorization", shown);
    }
    let body = Full::new(Bytes::copy_from_slice(form.as_bytes())).map_err(|never| match never {});
    let request = request.body(body.boxed_unsync()).unwrap();
    let response = Service::guarded(access.clone()).handle(request).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_that_makes_tokens_may_do_all_that_logins_ask_and_needs_each_right() {
    let (cloud, mut roles) = (Cloud::start().await, Roles::of_the_template());
    let world = cloud.world().await;
    let mut desk = Desk { world: &world, roles: &mut roles, role: "ApiTokenRole" };
    let scope = "?service=edge.example&scope=repository:admin/app:pull,push";
    let offline = format!("{scope}&offline_token=true&client_id=tests");
    for (job, query) in [("the first login", scope), ("a login that lasts", offline.as_str())] {
        // Each in a process that remembers nothing.
        let access = access(&world);
        let (status, answer) = desk.does(job, ask(&access, Method::GET, query, Some(BASIC), "")).await;
        assert_eq!(status, 200, "{job}: {answer}");
        let Some(refresh) = answer["refresh_token"].as_str() else { continue };
        let form = format!("grant_type=refresh_token&service=edge.example&refresh_token={refresh}");
        let (status, answer) = desk.does("a login again", ask(&access, Method::POST, "", None, &form)).await;
        assert_eq!(status, 200, "{answer}");
    }
    let wrong = "Basic YWRtaW46d3Jvbmc=";
    for attempt in 0..3 {
        let job = format!("a wrong password, {attempt}");
        let (status, _) = desk.does(&job, ask(&access(&world), Method::GET, scope, Some(wrong), "")).await;
        assert_eq!(status, 401);
    }
    let (status, _) =
        desk.does("a right one", ask(&access(&world), Method::GET, scope, Some(BASIC), "")).await;
    assert_eq!(status, 200);
    let unused: Vec<_> = roles
        .unused("ApiTokenRole")
        .into_iter()
        .filter(|line| !line.starts_with("secretsmanager:"))
        .collect();
    assert_eq!(unused, [""; 0]);
}
