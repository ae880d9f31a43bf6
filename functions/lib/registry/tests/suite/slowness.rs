//! Clients who are slow, or gone without a word: nobody waits for them for ever.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::Method;
use http_body_util::{BodyExt, StreamBody};
use registry::http::Body;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::access::guarded_client;
use crate::client::{Client, Reply, committing};
use crate::content::Content;
use crate::world::World;

/// Returns a body that stops after these bytes, until it is let end.
pub(crate) fn stalled(bytes: impl Into<Bytes>) -> (Body, oneshot::Sender<()>) {
    let (end, ended) = oneshot::channel();
    let first = stream::iter([Ok(http_body::Frame::data(bytes.into()))]);
    let rest = stream::once(ended).filter_map(|_| async { None });
    (StreamBody::new(first.chain(rest)).boxed_unsync(), end)
}

/// An upload to which a client has sent its first bytes, and not all that it wants to send.
struct Stalled {
    client: Client,
    location: String,
    first: JoinHandle<Reply>,
    end: oneshot::Sender<()>,
}

/// Has a client send `hello, ` to an upload, and stop there.
async fn stalled_upload() -> Stalled {
    let client = World::new().client();
    let location = client.begin("app").await;
    let (body, end) = stalled("hello, ");
    let first = tokio::spawn({
        let (client, location) = (client.clone(), location.clone());
        async move { client.send(Method::PATCH, &location, &[], body).await }
    });
    tokio::task::yield_now().await;
    Stalled { client, location, first, end }
}

#[tokio::test(start_paused = true)]
async fn of_two_who_send_to_one_upload_the_second_is_told_and_the_first_goes_on() {
    let blob = Content::blob("hello, world");
    let Stalled { client, location, first, end } = stalled_upload().await;
    for _ in 0..2 {
        let second = client.patch(&location, "!").await.expect(429);
        assert!(String::from_utf8_lossy(&second.body).contains("another request"), "{second:?}");
        client.put(&committing(&location, &blob.digest), "!").await.expect(429);
    }
    end.send(()).unwrap();
    assert_eq!(first.await.unwrap().expect(202).header("range"), "0-6");
    client.patch(&location, "world").await.expect(202);
    client.put(&committing(&location, &blob.digest), "").await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_one_who_ends_in_time_goes_on() {
    let blob = Content::blob("hello, world");
    let Stalled { client, location, first, end } = stalled_upload().await;
    let second = async { client.patch(&location, "world").await };
    let ending = async {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        end.send(()).unwrap();
    };
    let (second, ()) = tokio::join!(second, ending);
    assert_eq!(second.expect(202).header("range"), "0-11");
    first.await.unwrap().expect(202);
    client.put(&committing(&location, &blob.digest), "").await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_form_that_never_ends_is_answered() {
    let client = guarded_client().await;
    let (body, _end) = stalled("grant_type=password");
    let reply = client.send(Method::POST, "/token", &[], body).await.expect(400);
    assert!(String::from_utf8_lossy(&reply.body).contains("in time"), "{reply:?}");
}
