//! Who may keep which answer, and what pages of other sites get.

use http::Method;
use registry::access::Permission;
use registry::records::Visibility;
use test_support::access::basic;

use super::house::{House, limits};
use crate::client::{Client, blob, bytes_body, manifest, uploads};
use crate::content::Image;
use crate::world::World;

async fn asked(client: &Client, method: Method, path: &str) -> (u16, String) {
    let reply = client.send(method, path, &[], bytes_body("")).await;
    (reply.status.as_u16(), reply.header("cache-control").to_owned())
}

#[tokio::test]
async fn no_answer_is_kept_for_others_and_content_only_by_who_asks_again_each_time() {
    let house = House::new().await;
    let image = Image::named("app");
    let owner = house.client().showing(&house.all_in_team().await);
    let stranger = house.client().showing(&house.user("mallory").await);
    let reading = house.robot("reading", limits("team/*", &[Permission::Pull])).await;
    let reader = house.client().showing(&basic("team+reading", reading.reveal()));
    for (repository, visibility) in [("team/open", Visibility::Public), ("team/app", Visibility::Private)] {
        house.repository(repository, visibility).await;
        owner.push_image(repository, "v1", &image).await.expect(201);
        let is_public = visibility == Visibility::Public;
        for (client, may) in
            [(&owner, true), (&reader, true), (&stranger, is_public), (&house.client(), is_public)]
        {
            for path in [
                manifest(repository, "v1"),
                manifest(repository, &image.manifest.digest),
                blob(repository, &image.layer.digest),
            ] {
                for method in [Method::GET, Method::HEAD] {
                    let (status, kept) = asked(client, method, &path).await;
                    assert_eq!((status == 200, kept == "private, no-cache"), (may, may), "{path}");
                }
            }
            let tags = asked(client, Method::GET, &format!("/v2/{repository}/tags/list")).await;
            assert_eq!((tags.0 == 200, tags.1.as_str()), (may, "no-store"));
        }
    }
    assert_eq!(asked(&owner, Method::GET, "/v2/").await, (200, "no-store".to_owned()));
    for client in [&owner, &stranger, &house.client()] {
        assert_eq!(asked(client, Method::GET, "/token").await, (200, "no-store".to_owned()));
    }
    assert_eq!(asked(&owner.showing("Basic !"), Method::GET, "/token").await.1, "no-store");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_and_reads_nothing() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    let before = world.stored().await;
    for site in ["cross-site", "same-site"] {
        let headers =
            [("sec-fetch-site", site), ("origin", "https://evil.example"), ("content-type", "text/plain")];
        for (method, path) in [
            (Method::POST, uploads("app")),
            (Method::POST, format!("{}?digest={}", uploads("app"), image.layer.digest)),
            (Method::PUT, manifest("app", "v2")),
            (Method::DELETE, manifest("app", "v1")),
        ] {
            client.send(method, &path, &headers, bytes_body(image.layer.bytes.clone())).await.expect(403);
        }
        // The browser asks first whether the page may, and is told nothing.
        client.send(Method::OPTIONS, &manifest("app", "v1"), &headers, bytes_body("")).await.expect(405);
        client.get_with(&manifest("app", "v1"), &headers).await.expect(200);
    }
    assert_eq!(world.stored().await, before);
    for own in ["same-origin", "none"] {
        let reply =
            client.send(Method::POST, &uploads("app"), &[("sec-fetch-site", own)], bytes_body("")).await;
        reply.expect(202);
    }
}
