//! Where connections come in.

use std::io;

use registry::access::Address;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::origin::{Origin, address};
use crate::places::Limits;
use crate::tls::Tls;

/// A socket that clients connect to, and what is known of those who do.
pub struct Listener {
    socket: Socket,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: Limits,
    is_behind_proxy: bool,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Listener {
    /// Returns the listener with TLS on its TCP connections.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Returns the listener behind a proxy, or not: then the last element of `X-Forwarded-For` says who asks.
    #[must_use]
    pub fn behind_proxy(self, is_behind_proxy: bool) -> Self {
        Self { is_behind_proxy, ..self }
    }

    /// Returns the listener with no more connections than this.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(crate) async fn accept(&self) -> io::Result<(Stream, Origin)> {
        let (stream, peer) = match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                (Stream::Tcp(stream), address(peer.ip()))
            }
            Socket::Unix(listener) => (Stream::Unix(listener.accept().await?.0), Address::default()),
        };
        Ok((stream, Origin::new(peer, self.is_behind_proxy)))
    }
}

impl From<Socket> for Listener {
    fn from(socket: Socket) -> Self {
        let limits = Limits { per_address: usize::MAX, in_all: usize::MAX };
        Self { socket, tls: None, limits, is_behind_proxy: false }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Socket::Tcp(listener).into()
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Socket::Unix(listener).into()
    }
}
