//! What a function writes: copied to its log as it comes, with the end of it kept for the caller.

use std::{
    fs::File,
    io::{self, ErrorKind, Read as _, Write},
    os::fd::{AsFd as _, OwnedFd},
};

use tokio::net::unix::pipe;

/// How much of the end Lambda gives to a caller, in bytes.
const TAIL: usize = 4096;

/// More than a pipe holds: what was written before an answer is read with it, and a flood cannot hold up a time-out.
const ROUND: usize = 1024 * 1024;

/// One pipe for both streams, so that their lines keep their order.
pub(super) struct Log {
    pipe: pipe::Receiver,
    // The same pipe, read past tokio's own idea of readiness: that idea can be behind by an event.
    probe: File,
    ended: bool,
    sink: Box<dyn Write + Send>,
    tail: Vec<u8>,
}

impl Log {
    /// A log, and the end of the pipe that the process writes to.
    pub(super) fn open(sink: Box<dyn Write + Send>) -> io::Result<(Self, OwnedFd)> {
        let (writer, pipe) = pipe::pipe()?;
        let probe = File::from(pipe.as_fd().try_clone_to_owned()?);
        Ok((Self { pipe, probe, ended: false, sink, tail: Vec::new() }, writer.into_blocking_fd()?))
    }

    /// Waits until there is more to copy.
    pub(super) async fn more(&mut self) -> io::Result<()> {
        if self.ended {
            return std::future::pending().await;
        }
        self.pipe.readable().await
    }

    /// Copies what is there by now.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        let mut piece = [0; 16 * 1024];
        let mut copied = 0;
        while copied < ROUND && !self.ended {
            let read = match (&self.probe).read(&mut piece) {
                // Tells tokio as well that the pipe is empty, or it would call it readable for ever.
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.pipe.try_read(&mut piece),
                other => other,
            };
            match read {
                Ok(0) => self.ended = true,
                Ok(size) => {
                    copied += size;
                    self.write(&piece[..size])?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Begins a new invocation with Lambda's own line: what was written before belongs to the log, not to its tail.
    pub(super) fn begin(&mut self, line: &str) -> io::Result<()> {
        self.tail.clear();
        self.write(line.as_bytes())
    }

    /// Ends an invocation with Lambda's own lines.
    pub(super) fn end(&mut self, lines: &str) -> io::Result<()> {
        if self.tail.last().is_some_and(|&byte| byte != b'\n') {
            self.write(b"\n")?;
        }
        self.write(lines.as_bytes())?;
        self.sink.flush()
    }

    /// The last 4 KiB since the invocation began, from the start of a character.
    pub(super) fn tail(&self) -> String {
        let end = &self.tail[self.tail.len().saturating_sub(TAIL)..];
        let cut = end.iter().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count();
        let mut text = String::from_utf8_lossy(&end[cut..]).into_owned();
        // A byte that is not UTF-8 becomes a three-byte sign, which may push the text over the limit.
        while text.len() > TAIL {
            text.remove(0);
        }
        text
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.sink.write_all(piece)?;
        self.tail.extend_from_slice(piece);
        if self.tail.len() > 8 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_end_whole_and_within_four_kib() {
        let (mut log, writer) = Log::open(Box::new(io::sink())).unwrap();
        let mut writer = File::from(writer);
        log.begin("START\n").unwrap();
        for _ in 0..10 {
            writer.write_all("€".repeat(1000).as_bytes()).unwrap();
            log.more().await.unwrap();
            log.drain().unwrap();
        }
        assert_eq!(log.tail(), "€".repeat(1365));
        writer.write_all(&[0xFF; 5000]).unwrap();
        log.drain().unwrap();
        assert!(log.tail().len() <= TAIL);
        log.begin("START\n").unwrap();
        log.end("END\n").unwrap();
        assert_eq!(log.tail(), "START\nEND\n");
    }
}
