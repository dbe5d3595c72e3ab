//! A connection whose other end has to go on reading: a copy that nobody takes must not stay in memory for ever, nor keep
//! its place among those that are sent.

use hyper::rt::{Read, ReadBufCursor, Write};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// How long nothing at all may be taken of what is sent.
const STILL_MAX: Duration = Duration::from_secs(30);

/// A stream that fails once what is written to it has stood still for too long.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    still_max: Duration,
    /// Runs while nothing can be written.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            still_max: STILL_MAX,
            deadline: None,
        }
    }

    /// What a write said, or that it has waited for too long.
    #[expect(
        clippy::disallowed_methods,
        reason = "the deadline is the job: a peer that reads nothing gives no event"
    )]
    fn watched<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let still_max = self.still_max;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(still_max)));
        match deadline.as_mut().poll(context) {
            Poll::Ready(()) => {
                let why = "nothing was taken of what is sent for too long";
                Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, why)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: Read + Unpin> Read for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: Write + Unpin> Write for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watched(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watched(context, closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_util::rt::TokioIo;
    use std::future::poll_fn;
    use tokio::io::AsyncReadExt as _;

    async fn write(patient: &mut Patient<TokioIo<tokio::io::DuplexStream>>) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *patient).poll_write(context, &[1; 64])).await
    }

    #[tokio::test]
    async fn who_takes_nothing_for_too_long_is_let_go_and_who_takes_slowly_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut patient = Patient {
            still_max: Duration::from_millis(300),
            ..Patient::new(TokioIo::new(ours))
        };
        assert_eq!(write(&mut patient).await.unwrap(), 64);
        for _piece in 0..4 {
            let taken = async {
                let mut some = [0; 16];
                tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>())
                    .await
                    .unwrap_err();
                theirs.read_exact(&mut some).await.unwrap();
            };
            let (written, ()) = tokio::join!(write(&mut patient), taken);
            assert_eq!(written.unwrap(), 16);
        }
        let refused = write(&mut patient).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TimedOut);
    }
}
