//! Small servers that break what a client relies on. Some answer right for a while: then they pass requests on to a reference server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crevasse_reference::{Options, ServerHandle, Service, serve};

/// What a server does with one request.
pub(crate) type Trick = fn(&mut TcpStream, &Asked) -> io::Result<()>;

/// A request, as far as tricks care.
pub(crate) struct Asked {
    /// How many came before it.
    pub(crate) number: usize,
    head: Vec<u8>,
    upstream: SocketAddr,
    former: Arc<Mutex<Vec<u8>>>,
}

/// A server that plays a trick on everybody.
pub(crate) struct Hostile {
    pub(crate) endpoint: String,
    /// Requests it got so far.
    pub(crate) requests: Arc<AtomicUsize>,
    _upstream: ServerHandle,
    _runtime: tokio::runtime::Runtime,
}

impl Hostile {
    /// Answers right to so many requests, and then plays its trick.
    pub(crate) fn after(right: usize, trick: Trick) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let served = runtime.block_on(serve(Service::new(Options::default()), here));
        let upstream = served.unwrap();
        let listener = TcpListener::bind(here).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (count, former, to) = (Arc::clone(&requests), Arc::default(), upstream.address);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (count, former) = (Arc::clone(&count), Arc::clone(&former));
                thread::spawn(move || {
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    let trick = if number < right { honest } else { trick };
                    // A client that goes away in the middle is what these servers are for.
                    let _ = answer(client, number, trick, to, former);
                });
            }
        });
        Self {
            endpoint,
            requests,
            _upstream: upstream,
            _runtime: runtime,
        }
    }
}

/// Reads the head of a request, and leaves the rest to the trick. Each connection serves one request.
fn answer(
    mut client: TcpStream,
    number: usize,
    trick: Trick,
    upstream: SocketAddr,
    former: Arc<Mutex<Vec<u8>>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let asked = Asked {
        number,
        head,
        upstream,
        former,
    };
    trick(&mut client, &asked)?;
    client.shutdown(Shutdown::Write)?;
    drain(&mut client)
}

/// Reads what is still coming: closing with unread bytes would reset the connection before the answer is read.
fn drain(client: &mut TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(2)))?;
    io::copy(client, &mut io::sink()).map(|_| ())
}

impl Asked {
    /// The right answer, as the reference server gives it.
    pub(crate) fn right_answer(&self, client: &TcpStream) -> io::Result<Vec<u8>> {
        let mut to = TcpStream::connect(self.upstream)?;
        let line = self
            .head
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(0)
            + 1;
        to.write_all(&self.head[..line])?;
        to.write_all(b"connection: close\r\n")?;
        to.write_all(&self.head[line..])?;
        let (mut from, mut body) = (client.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut body);
        });
        let mut answer = Vec::new();
        to.read_to_end(&mut answer)?;
        Ok(answer)
    }

    /// The right answer to the request before this one.
    pub(crate) fn former_answer(&self, client: &TcpStream) -> io::Result<Vec<u8>> {
        let right = self.right_answer(client)?;
        let former = std::mem::replace(&mut *self.former.lock().unwrap(), right.clone());
        Ok(if former.is_empty() { right } else { former })
    }
}

/// Passes everything on.
pub(crate) fn honest(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    let answer = asked.right_answer(client)?;
    client.write_all(&answer)
}
