//! A small HTTP/1.1 client for loopback: enough to fill the local edge with the demo's catalogue
//! and to put load on it, without an asynchronous runtime.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long an answer may take before the connection counts as dead.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// Name and value of each cookie that it sets.
    pub(crate) cookies: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that is kept open between requests.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    port: u16,
    line: String,
}

impl Client {
    /// Connects to `127.0.0.1` at a port.
    pub(crate) fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { reader: BufReader::new(stream), port, line: String::new() })
    }

    /// Sends a request and waits for the whole answer. `headers` are whole lines, each ended by
    /// CR LF.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Response> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n{headers}\r\n",
            self.port,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.reader.get_mut().write_all(&request)?;
        self.receive()
    }

    /// Like [`Client::send`], once more on a new connection where the server closed this one while
    /// it was idle, which HTTP/1.1 lets it do at any time (RFC 9112 section 9.3.1). Only for what
    /// may arrive twice.
    pub(crate) fn send_again(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Response> {
        if let Ok(response) = self.send(method, path, headers, body) {
            return Ok(response);
        }
        *self = Self::connect(self.port)?;
        self.send(method, path, headers, body)
    }

    /// Reads one answer.
    fn receive(&mut self) -> Result<Response> {
        let status = self.next_line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.context("the answer has no status")?;
        let (mut length, mut chunked, mut cookies) = (0, false, Vec::new());
        loop {
            let line = self.next_line()?;
            cookies.extend(cookie(&line));
            let line = line.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().context("a length is no number")?;
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let body = if chunked { self.chunks()? } else { self.exactly(length)? };
        Ok(Response { status, cookies, body })
    }

    /// Reads a chunked body (RFC 9112 section 7.1); trailers are skipped.
    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.next_line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).context("a chunk has no size")?;
            if size == 0 {
                break;
            }
            body.extend(self.exactly(size)?);
            self.next_line()?;
        }
        while !self.next_line()?.is_empty() {}
        Ok(body)
    }

    /// Reads so many bytes.
    fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a line without its end.
    fn next_line(&mut self) -> Result<String> {
        self.line.clear();
        if self.reader.read_line(&mut self.line)? == 0 {
            bail!("the connection was closed");
        }
        Ok(self.line.trim_end().to_owned())
    }
}

/// The cookie that a header line sets (RFC 6265 section 4.1).
fn cookie(line: &str) -> Option<(String, String)> {
    let (name, value) =
        line.split_once(':').filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"))?.1.split_once('=')?;
    Some((name.trim().to_owned(), value.split(';').next().unwrap_or_default().trim().to_owned()))
}
