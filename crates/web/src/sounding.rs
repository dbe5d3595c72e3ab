//! The sound of an opened recording on its way to a browser: made some seconds at a time, when the browser takes
//! them. What a browser does not take is not made, and holds no thread.

use crate::app::Shared;
use crate::playing::{Opened, OpenedBy};
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::error::Error;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::task::JoinHandle;
use voicelog_archive::WavReader;
use voicelog_model::error;

/// Some seconds, or nothing for a login that is over; and where they end.
type Made = (
    Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>>,
    WavReader,
);

/// A part of a WAV file, as the body of an answer.
pub(crate) struct Sounding {
    desk: Shared,
    opened: Arc<Opened>,
    by: OpenedBy,
    /// Bytes that are still to come.
    left: usize,
    next: Next,
}

enum Next {
    /// To be made from there on.
    Waiting(WavReader),
    Making(JoinHandle<Made>),
    /// It was told that there is no more.
    Over,
}

impl Sounding {
    pub(crate) fn new(
        desk: Shared,
        opened: Arc<Opened>,
        by: OpenedBy,
        range: Range<usize>,
    ) -> Self {
        Self {
            left: range.len(),
            next: Next::Waiting(opened.sound.read(range)),
            desk,
            opened,
            by,
        }
    }

    /// Makes the next seconds, if whoever opened the recording still has it open and is still signed in: an account that
    /// ended, another password and a login that ran out are known to the index alone.
    fn make(&self, mut reader: WavReader) -> Result<JoinHandle<Made>, Stopped> {
        let (playing, now) = (&self.desk.playing, self.desk.now());
        playing.find(&self.by, now).ok_or(Stopped)?;
        let (archive, opened) = (Arc::clone(&self.desk.app.archive), Arc::clone(&self.opened));
        let login = self.by.login;
        Ok(tokio::task::spawn_blocking(move || {
            let made = match archive.accounts().login(&login, now) {
                Ok(None) => Ok(None),
                Ok(Some(_login)) => archive
                    .sound(&opened.sound, &mut reader)
                    .map(Some)
                    .map_err(Into::into),
                Err(error) => Err(error.into()),
            };
            (made, reader)
        }))
    }

    /// What was proven when it was opened is not there any more: whoever wants to hear it opens it again, and is told.
    fn stop(&self, cause: &(dyn Error + 'static)) -> Stopped {
        let cause = error::chain(cause).to_string();
        tracing::error!(recording = %self.opened.sound.id, cause, "the sound of a recording stopped");
        self.desk.playing.close_recording(self.opened.sound.id);
        Stopped
    }
}

/// The connection ends before the file does, so that no player takes what came for all of it.
#[derive(Debug, thiserror::Error)]
#[error("the sound stopped")]
pub(crate) struct Stopped;

impl HttpBody for Sounding {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut making = match std::mem::replace(&mut self.next, Next::Over) {
            Next::Over => return Poll::Ready(None),
            Next::Making(making) => making,
            Next::Waiting(reader) => match self.make(reader) {
                Ok(making) => making,
                Err(stopped) => return Poll::Ready(Some(Err(stopped))),
            },
        };
        let Poll::Ready(made) = Pin::new(&mut making).poll(context) else {
            self.next = Next::Making(making);
            return Poll::Pending;
        };
        let stopped = match made {
            Ok((Ok(Some(bytes)), reader)) if !bytes.is_empty() => {
                self.left = self.left.saturating_sub(bytes.len());
                self.next = Next::Waiting(reader);
                return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
            }
            Ok((Ok(Some(_nothing)), _)) => self.stop(&Stopped),
            Ok((Ok(None), _)) => {
                self.desk.playing.close_login(&self.by.login);
                Stopped
            }
            Ok((Err(error), _)) => self.stop(&*error),
            Err(panicked) => self.stop(&panicked),
        };
        Poll::Ready(Some(Err(stopped)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}
