//! A small HTTP/1.1 client that costs little beside the servers it measures.

use std::io::{BufRead, BufReader, IoSlice, Read, Write};
use std::net::TcpStream;

use slipway_bench::Result;

use crate::content::Layer;

const BUFFER_BYTES: usize = 256 << 10;
/// Docker's own chunks in a PATCH.
const CHUNK_BYTES: usize = 32 << 10;

/// A status, headers and a body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Returns a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the path and query of `Location`.
    pub(crate) fn location(&self) -> Result<String> {
        let location = self.header("Location").ok_or("no Location")?;
        Ok(match location.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]).to_owned(),
            None => location.to_owned(),
        })
    }

    /// Passes the answer on if its status is the expected one.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!("expected {status}, got {}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

/// A connection that is kept.
pub(crate) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to `address`.
    pub(crate) fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), stream: BufReader::with_capacity(BUFFER_BYTES, stream) })
    }

    /// Sends a request with a small body and returns the answer.
    pub(crate) fn call(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Answer> {
        let length =
            if method == "GET" || method == "HEAD" { String::new() } else { length(body.len() as u64) };
        let mut request = self.head(method, path, &format!("{headers}{length}"));
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request)?;
        self.answer(method == "HEAD")
    }

    /// Sends a layer with its length, as containerd does.
    pub(crate) fn send_whole(&mut self, method: &str, path: &str, layer: &Layer) -> Result<Answer> {
        let head = self.head(method, path, &format!("{OCTETS}{}", length(layer.size_bytes)));
        let stream = self.stream.get_mut();
        stream.write_all(&head)?;
        for (header, noise) in layer.pieces() {
            stream.write_all(&header)?;
            for part in noise.chunks(BUFFER_BYTES) {
                stream.write_all(part)?;
            }
        }
        self.answer(false)
    }

    /// Sends a layer in chunks of unsaid length, as Docker does.
    pub(crate) fn send_chunked(&mut self, method: &str, path: &str, layer: &Layer) -> Result<Answer> {
        let head = self.head(method, path, &format!("{OCTETS}Transfer-Encoding: chunked\r\n"));
        let stream = self.stream.get_mut();
        stream.write_all(&head)?;
        for (header, noise) in layer.pieces() {
            write_chunk(stream, &header)?;
            for part in noise.chunks(CHUNK_BYTES) {
                write_chunk(stream, part)?;
            }
        }
        stream.write_all(b"0\r\n\r\n")?;
        self.answer(false)
    }

    /// Gets `path`, shows the body to `sink` piece by piece and returns its size.
    pub(crate) fn download(&mut self, path: &str, mut sink: impl FnMut(&[u8])) -> Result<u64> {
        let request = self.head("GET", path, "");
        self.stream.get_mut().write_all(&request)?;
        let answer = self.answer_head()?.expect(200)?;
        let size: u64 = answer.header("Content-Length").ok_or("no Content-Length")?.parse()?;
        let mut left = size;
        while left > 0 {
            let piece = self.stream.fill_buf()?;
            if piece.is_empty() {
                return Err("the body ended early".into());
            }
            let taken = piece.len().min(usize::try_from(left)?);
            sink(&piece[..taken]);
            self.stream.consume(taken);
            left -= taken as u64;
        }
        Ok(size)
    }

    fn head(&self, method: &str, path: &str, headers: &str) -> Vec<u8> {
        format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address).into_bytes()
    }

    fn answer(&mut self, is_head: bool) -> Result<Answer> {
        let mut answer = self.answer_head()?;
        if is_head || answer.status == 204 || answer.status == 304 {
            return Ok(answer);
        }
        if answer.header("Transfer-Encoding").is_some() {
            answer.body = self.chunked_body()?;
        } else {
            let size: usize = answer.header("Content-Length").unwrap_or("0").parse()?;
            answer.body.resize(size, 0);
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn answer_head(&mut self) -> Result<Answer> {
        let status = self.line()?.split(' ').nth(1).ok_or("no status")?.parse()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Answer { status, headers, body: Vec::new() })
    }

    fn chunked_body(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = u64::from_str_radix(self.line()?.trim(), 16)?;
            (&mut self.stream).take(size).read_to_end(&mut body)?;
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

const OCTETS: &str = "Content-Type: application/octet-stream\r\n";

fn length(bytes: u64) -> String {
    format!("Content-Length: {bytes}\r\n")
}

fn write_chunk(stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
    let size = format!("{:x}\r\n", bytes.len());
    let mut slices = [IoSlice::new(size.as_bytes()), IoSlice::new(bytes), IoSlice::new(b"\r\n")];
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let written = stream.write_vectored(left)?;
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}
