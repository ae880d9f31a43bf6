//! A connection that is read to its end, even after the other side has stopped reading.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Whoever refuses a body early often closes the connection, so that the next write fails before the answer was read.
/// After a failed write this one takes bytes and drops them: the answer or the error then comes from reading.
pub(crate) struct Listening {
    stream: TcpStream,
    is_deaf: bool,
}

impl Listening {
    /// Wraps a connection.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, is_deaf: false }
    }
}

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Listening {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.is_deaf {
            match Pin::new(&mut self.stream).poll_write(context, bytes) {
                Poll::Ready(Err(_)) => self.is_deaf = true,
                other => return other,
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_deaf { Poll::Ready(Ok(())) } else { Pin::new(&mut self.stream).poll_shutdown(context) }
    }
}
