//! What stands before an emulator that has no certificate: it says of every request that it came over TLS, as a load
//! balancer does, so that policies which refuse plain HTTP can be in force.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Hands requests on for as long as it is held.
pub(super) struct Front {
    port: u16,
    closed: Arc<AtomicBool>,
}

impl Front {
    /// Stands before what answers on this endpoint.
    pub(super) fn before(endpoint: &str) -> Self {
        let behind: u16 = endpoint.rsplit(':').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (port, closed) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let over = Arc::clone(&closed);
        thread::spawn(move || {
            for client in listener.incoming().take_while(|_| !over.load(Ordering::SeqCst)).flatten() {
                // A client that goes away ends its own connection only.
                thread::spawn(move || hand_on(client, behind).unwrap_or_default());
            }
        });
        Self { port, closed }
    }

    /// Where it answers.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

/// One request per connection: after its head everything is only passed on.
fn hand_on(mut client: TcpStream, behind: u16) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    head.truncate(head.len() - 2);
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, behind))?;
    server.write_all(&head)?;
    server.write_all(b"X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server).map(drop).unwrap_or_default());
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}
