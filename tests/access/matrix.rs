//! Every action × role × repository × reference, asked of the server.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use test_support::access::{Answer, Ask, Cell, OverHttp, PASSWORD, all_cells, run};
use test_support::server::Server;

use crate::beforehand::{prepare, stored};

/// A server over its socket.
struct Running(OverHttp);

impl Running {
    fn at(server: &Server) -> Self {
        Self(OverHttp::new(&server.url(""), "x-forwarded-for"))
    }
}

impl Ask for Running {
    async fn ask(&self, request: Request<Bytes>) -> Answer {
        self.0.ask(request).await
    }

    fn turn(&self, _by: Duration) -> bool {
        false
    }

    async fn stored(&self) -> Option<Vec<String>> {
        // The server has the folder for itself.
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says_and_refusals_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    std::fs::set_permissions(&password, PermissionsExt::from_mode(0o600)).unwrap();
    let options = ["--auth", "--trust-proxy", "--admin-password-file", password.to_str().unwrap()];
    let mut server = Server::start_with(Path::new(env!("CARGO_BIN_EXE_slipway")), &options);
    assert!(server.stop());
    let cast = prepare(server.data()).await;
    let cells = all_cells();
    let (allowed, refused): (Vec<Cell>, Vec<Cell>) =
        cells.into_iter().partition(|cell| cell.expected().is_allowed());
    let before = stored(server.data()).await;

    server.restart();
    run(&Running::at(&server), &cast, &refused).await.assert_right(refused.len());
    assert!(server.stop());
    assert_eq!(stored(server.data()).await, before);

    server.restart();
    run(&Running::at(&server), &cast, &allowed).await.assert_right(allowed.len());
    assert!(server.stop());
    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 0, "{report}");
}
