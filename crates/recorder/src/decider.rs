//! Deciders: threads that put the question to the law and open recordings.
//!
//! Each answer is on disk before it is given, so asking blocks; the signalling thread must not.
//! A call has one question under way at most, so answers about one call cannot overtake each
//! other.
//!
//! **Invariant:** an error is never a permission. A permit never leaves this room: it is consumed
//! here, and what comes out is that media may be kept from a moment on.

use crate::guard::contained;
use crate::signalling::{Notice, Notices};
use crate::writer::WriterHandle;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use voicelog_archive::journal::Ground;
use voicelog_archive::{Answer, Archive, ArchiveError, Call, OfferedCall, Verdict};
use voicelog_model::{Clock, DecisionId, RecordingId, Timestamp, error::chain};
use voicelog_srs::SessionKey;

/// A question.
#[derive(Debug)]
pub(crate) enum Question {
    /// A new call: open it, then ask. The key is the asker's own.
    Open(SessionKey, Box<OfferedCall>),
    /// The facts of a call have changed: ask again.
    Again {
        /// The asker's own key.
        session: SessionKey,
        /// Which recording.
        id: RecordingId,
        /// Whether its recording has begun before.
        is_begun: bool,
    },
}

impl Question {
    const fn session(&self) -> SessionKey {
        match self {
            Self::Open(session, _) | Self::Again { session, .. } => *session,
        }
    }

    const fn recording(&self) -> Option<RecordingId> {
        match self {
            Self::Open(..) => None,
            Self::Again { id, .. } => Some(*id),
        }
    }
}

/// What came of a question.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The asker's own key.
    pub(crate) session: SessionKey,
    /// The call as the archive opened it, for a new one.
    pub(crate) call: Option<Box<Call>>,
    /// The answer, or that there is none.
    pub(crate) asked: Result<Asked, NoAnswer>,
}

/// There is no answer. That is never a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    /// Whether the same question can have an answer later.
    pub(crate) may_pass: bool,
}

impl NoAnswer {
    /// Logs why. The line is named as the configuration does: its facts are the first suspect.
    fn because(error: &ArchiveError, call: Option<(RecordingId, &str)>) -> Self {
        let may_pass = error.kind().is_worth_retrying();
        let (recording, line) = call.unzip();
        let recording = recording.map(tracing::field::display);
        let error = chain(error);
        tracing::error!(recording, line, may_pass, %error, "the law cannot be asked about a call");
        Self { may_pass }
    }
}

/// The law's answer.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A permit is held from `at` on; a writer is open.
    Permitted {
        /// The decision.
        decision: DecisionId,
        /// When it was given.
        at: Timestamp,
    },
    /// Not, or not yet.
    Refused {
        /// The decision.
        decision: DecisionId,
        /// When it was given.
        at: Timestamp,
        /// The outcome as decisions spell it.
        outcome: String,
        /// Why.
        grounds: Vec<Ground>,
        /// Where only nobody has asked to keep the call: for how many seconds what comes may be held.
        look_back_seconds: Option<u32>,
    },
}

/// The way to the deciders.
#[derive(Debug, Clone)]
pub(crate) struct DeciderHandle {
    questions: Sender<Question>,
}

/// The deciders' end of the way; each has a copy and takes the next question.
#[derive(Debug, Clone)]
pub(crate) struct DeciderEnd {
    questions: Arc<Mutex<Receiver<Question>>>,
}

impl DeciderHandle {
    /// Makes a way to the deciders, and their end of it.
    pub(crate) fn new() -> (Self, DeciderEnd) {
        let (questions, received) = std::sync::mpsc::channel();
        let end = DeciderEnd {
            questions: Arc::new(Mutex::new(received)),
        };
        (Self { questions }, end)
    }

    /// Puts a question. The queue is bounded by the number of calls: one question each.
    pub(crate) fn ask(&self, question: Question) {
        if self.questions.send(question).is_err() {
            tracing::error!("the deciders are gone; calls wait without an answer");
        }
    }
}

/// One decider's thread.
pub(crate) struct Decider {
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    end: DeciderEnd,
    writer: WriterHandle,
    notices: Notices,
}

impl Decider {
    /// A decider that is not running yet.
    pub(crate) fn new(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        end: DeciderEnd,
        writer: WriterHandle,
        notices: Notices,
    ) -> Self {
        Self {
            archive,
            clock,
            end,
            writer,
            notices,
        }
    }

    /// Runs until nobody can ask any more.
    pub(crate) fn run(self) {
        while let Some(question) = self.next() {
            let session = question.session();
            let known = question.recording();
            let reply = contained("asking the law", || self.answer(question));
            let reply = reply.unwrap_or(Reply {
                session,
                call: None,
                asked: Err(NoAnswer { may_pass: false }),
            });
            let written_down = match &reply.asked {
                Ok(_) => known.or(reply.call.as_ref().map(|call| call.id)),
                Err(_) => None,
            };
            self.notices.send(Notice::Answered(Box::new(reply)));
            // After the answer, which must not wait for it.
            if let Some(id) = written_down {
                contained("writing down what was told", || self.write_down(id));
            }
        }
    }

    fn write_down(&self, id: RecordingId) {
        if let Err(error) = self.archive.write_down(id, self.clock.now()) {
            // The recording is as good without it; it is tried again with the next question, and at
            // the end.
            let error = chain(&error);
            tracing::warn!(recording = %id, %error, "not all that was told of a call is kept yet");
        }
    }

    fn next(&self) -> Option<Question> {
        // Only waiting happens under this lock, never the work.
        let questions = self
            .end
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        questions.recv().ok()
    }

    fn answer(&self, question: Question) -> Reply {
        match question {
            Question::Open(session, offered) => {
                let called = self.archive.lines().not_a_line(&offered.line);
                match self.archive.open_call(*offered, self.clock.now()) {
                    Ok(call) => {
                        if !call.line.is_set_up() {
                            // What was called can be a telephone number, so it is not named here.
                            tracing::warn!(
                                recording = %call.id,
                                called = called.kind,
                                like = called.like,
                                "a call on a line that is not set up is not recorded; until the next start its page and the page Gezondheid (Health) show which name was called: add a [[line]] with that name, or set the name right in the recording client"
                            );
                        }
                        Reply {
                            session,
                            asked: self.ask(call.id, false),
                            call: Some(Box::new(call)),
                        }
                    }
                    Err(error) => Reply {
                        session,
                        call: None,
                        asked: Err(NoAnswer::because(&error, None)),
                    },
                }
            }
            Question::Again {
                session,
                id,
                is_begun,
            } => Reply {
                session,
                call: None,
                asked: self.ask(id, is_begun),
            },
        }
    }

    fn ask(&self, id: RecordingId, is_begun: bool) -> Result<Asked, NoAnswer> {
        self.try_to_ask(id, is_begun).map_err(|error| {
            let line = self.archive.call(id).map(|call| call.line.name);
            NoAnswer::because(&error, Some((id, line.as_deref().unwrap_or_default())))
        })
    }

    fn try_to_ask(&self, id: RecordingId, is_begun: bool) -> Result<Asked, ArchiveError> {
        let Answer {
            id: decision,
            decision: answered,
            verdict,
        } = self.archive.ask_to_record(id, self.clock.now())?;
        // The moment of the answer, not of the question: nothing that arrived before it is kept.
        let at = self.clock.now();
        match verdict {
            // The recording has its key and its writer already; this permit lets it go on.
            Verdict::Permit(permit) if is_begun => {
                self.archive.resume(permit)?;
                Ok(Asked::Permitted { decision, at })
            }
            Verdict::Permit(permit) => {
                self.writer.open(self.archive.begin(permit)?);
                Ok(Asked::Permitted { decision, at })
            }
            Verdict::Refusal(refusal) => Ok(Asked::Refused {
                decision,
                at,
                outcome: answered.outcome().as_str().to_owned(),
                grounds: refusal.grounds,
                look_back_seconds: refusal.look_back_seconds,
            }),
        }
    }
}
