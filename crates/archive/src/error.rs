//! What can go wrong in the archive. A refusal by the law is not here: it is an answer.

use crate::import::FILE_BYTES_MAX;
use crate::keys::KeysError;
use crate::random::RandomError;
use voicelog_evidence::audio::AudioError;
use voicelog_evidence::bundle::BundleError;
use voicelog_evidence::canonical::CanonicalError;
use voicelog_evidence::certificate::CertificateError;
use voicelog_evidence::checkpoint::CheckpointError;
use voicelog_evidence::journal::JournalError;
use voicelog_evidence::key::KeyError;
use voicelog_evidence::note::NoteError;
use voicelog_evidence::segment::SegmentError;
use voicelog_evidence::tlog::TlogError;
use voicelog_law::{FactsError, RulebookError};
use voicelog_model::{DecisionId, HoldId, Kind, ProposalId, RecordingId, Timestamp};
use voicelog_soundfile::SoundFileError;
use voicelog_store::StoreError;

/// An act on the archive failed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The index, the blobs or the keys.
    #[error("{doing}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// What storage said.
        #[source]
        source: StoreError,
    },
    /// The facts of the line, or said during the call, are not facts.
    #[error("these facts cannot be used")]
    Facts(#[source] FactsError),
    /// The rules now in force do not load: our own mistake.
    #[error("cannot load the rules that are now in force")]
    Rulebook(#[source] RulebookError),
    /// A fact that may not be said during a call.
    #[error("`{name}` is not a fact that can be said during a call")]
    NotSayable {
        /// The name given.
        name: String,
        /// The nearest name that can be said.
        nearest: &'static str,
    },
    /// Nobody in the call has that pseudonym, which is not told: it could be a name.
    #[error("nobody in call {0} has that pseudonym")]
    NoParty(RecordingId),
    /// The configuration has no such kind of talk in a room.
    #[error("the configuration has no such kind of talk")]
    NoSuchRoom,
    /// A file is no sound file, not whole, or cannot be read.
    #[error(transparent)]
    SoundFile(#[from] SoundFileError),
    /// A file is larger than any that is imported.
    #[error("the file has {0} bytes; at most {FILE_BYTES_MAX} are imported")]
    FileTooLarge(u64),
    /// There is no room on the disk for a file, or too little would be left for calls.
    #[error("there is no room for a file of {0} bytes; some is always left for calls")]
    NoRoom(u64),
    /// A file is not the same any more.
    #[error("the file was changed while it was read; nothing of it was kept")]
    FileChanged,
    /// Whoever reads it wants to stop.
    #[error("the server stops; nothing of the file was kept")]
    ImportStopped,
    /// A mistake of ours in the midst of it.
    #[error("a mistake of ours ended the import of this file")]
    ImportBroke,
    /// That very file was imported before.
    #[error("this file was imported before: it is recording {0}")]
    FileKnown(RecordingId),
    /// What is said of a file does not fit.
    #[error("{0}")]
    BadImport(&'static str),
    /// Of an imported file no part can be given by itself.
    #[error(
        "recording {0} is an imported file, of which only the whole can be given: its bytes cannot be parted by moments"
    )]
    NoPartOfFile(RecordingId),
    /// It was not imported.
    #[error("recording {0} was not imported, so there is no file")]
    NoFile(RecordingId),
    /// No such recording, or no such call in progress.
    #[error("no recording {0} here")]
    NotFound(RecordingId),
    /// No such decision.
    #[error("no decision {0} here")]
    NoDecision(DecisionId),
    /// No such hold.
    #[error("no hold {0} here")]
    NoHold(HoldId),
    /// What was said of a hold cannot be.
    #[error("{0}")]
    BadHold(&'static str),
    /// No such proposal.
    #[error("no proposal {0} here")]
    NoProposal(ProposalId),
    /// What was said of a proposal cannot be, or none is needed.
    #[error("{0}")]
    BadProposal(&'static str),
    /// Who proposed it wants to confirm it.
    #[error("who proposed to destroy it cannot be the second person who confirms")]
    SamePerson,
    /// It was answered, or has lapsed.
    #[error("proposal {0} was answered before, or its time is over")]
    ProposalOver(ProposalId),
    /// There is media that the index knows nothing of.
    #[error(
        "there is media of recording {0} that the index knows nothing of; the index may be an \
         older copy. Nothing of it was destroyed. Stop the server, and restore the index that \
         belongs to this media"
    )]
    IndexBehind(RecordingId),
    /// The recording is in another state than the act needs.
    #[error("recording {id} is {state}, so it cannot be {wanted}")]
    State {
        /// Which recording.
        id: RecordingId,
        /// The state it is in.
        state: &'static str,
        /// What was wanted.
        wanted: &'static str,
    },
    /// The recording was destroyed: there is nothing left to act on.
    #[error("recording {id} was destroyed{}", moment(*at))]
    Destroyed {
        /// Which recording.
        id: RecordingId,
        /// When.
        at: Option<Timestamp>,
    },
    /// The sound of the recording was destroyed when its term ended; what is known of the call is kept.
    #[error("the sound of recording {id} was destroyed{}, because the term of the sound ended", moment(*at))]
    SoundDestroyed {
        /// Which recording.
        id: RecordingId,
        /// When; none while it is being destroyed.
        at: Option<Timestamp>,
    },
    /// The key of its sound is gone, and the sound was not destroyed.
    #[error("the key of the sound of recording {0} is missing, so nobody can hear it")]
    NoSoundKey(RecordingId),
    /// The data key is gone, and the recording was not destroyed.
    #[error("the data key of recording {0} is missing, so nobody can open it")]
    NoKey(RecordingId),
    /// The data key does not open.
    #[error("cannot open the key of recording {id}")]
    Key {
        /// Which recording.
        id: RecordingId,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The keys above the data keys.
    #[error("cannot use the keys of this archive")]
    Keys(#[from] KeysError),
    /// A segment does not open.
    #[error("segment {number} of recording {id} does not open")]
    Segment {
        /// Which recording.
        id: RecordingId,
        /// Which segment.
        number: u32,
        /// Why.
        #[source]
        source: SegmentError,
    },
    /// A chunk opens but does not hold a journal.
    #[error("a chunk of recording {id} is no journal")]
    Journal {
        /// Which recording.
        id: RecordingId,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// A bundle cannot be made.
    #[error("cannot make the bundle of recording {id}")]
    Bundle {
        /// Which recording.
        id: RecordingId,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// What is stored of a recording is not what its manifest says.
    #[error("recording {id} is not whole: {what}")]
    NotWhole {
        /// Which recording.
        id: RecordingId,
        /// What differs.
        what: &'static str,
    },
    /// Something stored is not what was stored.
    #[error("{what} is damaged")]
    Corrupt {
        /// Which thing.
        what: String,
    },
    /// Something has no canonical JSON: our own mistake.
    #[error("cannot write a document of the archive")]
    Document(#[from] CanonicalError),
    /// A segment that is being written cannot be written on.
    #[error("cannot seal media of recording {id}")]
    Sealing {
        /// Which recording.
        id: RecordingId,
        /// Why.
        #[source]
        source: SegmentError,
    },
    /// Sound cannot be made of it.
    #[error("cannot make sound of the recording")]
    Audio(#[from] AudioError),
    /// A certificate of destruction cannot be made.
    #[error("cannot certify the destruction")]
    Certificate(#[from] CertificateError),
    /// The archive's own key cannot sign.
    #[error("cannot sign")]
    Signing(#[from] NoteError),
    /// A proof cannot be made from the log: it is not that long, or what is kept of it is damaged.
    #[error("the log has no such proof")]
    Log(#[from] TlogError),
    /// A checkpoint that is not of this log.
    #[error("the checkpoint is not of this log, or the log was written anew since")]
    ForeignCheckpoint(#[source] Option<CheckpointError>),
    /// A checkpoint that is of a longer log than this.
    #[error(
        "the log was seen with {seen} entries and now has {now}: an older copy of the archive was put back"
    )]
    RolledBack {
        /// Entries in the checkpoint.
        seen: u64,
        /// Entries now.
        now: u64,
    },
    /// The clock lies behind the last entry of the log.
    #[error(
        "the clock says {now}, and the last entry of the log is of {last}: one of the two is wrong"
    )]
    ClockBehind {
        /// What the clock says.
        now: Timestamp,
        /// What the log says.
        last: Timestamp,
    },
    /// The clock jumped, so nothing is destroyed by it.
    #[error(
        "the clock says {now}, and it was last seen at {seen}: it jumped, and until somebody says that it is \
         right nothing is destroyed by it"
    )]
    ClockJumped {
        /// What the clock says.
        now: Timestamp,
        /// The last moment at which it was believed.
        seen: Timestamp,
    },
    /// No random bytes.
    #[error("cannot make a key or an id")]
    Random(#[from] RandomError),
}

impl ArchiveError {
    /// Whether nothing at all can be destroyed at the moment: the index is being copied or read.
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        matches!(
            self,
            Self::Store {
                source: StoreError::NotWiped | StoreError::BeingCopied,
                ..
            }
        )
    }

    /// Whether this process has only the public key of what it was to open.
    #[must_use]
    pub const fn is_public_only(&self) -> bool {
        matches!(
            self,
            Self::Key {
                source: KeyError::PublicOnly(_),
                ..
            }
        )
    }

    /// What kind of trouble it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Store { source, .. } => source.kind(),
            Self::Facts(_)
            | Self::NotSayable { .. }
            | Self::NoParty(_)
            | Self::NoSuchRoom
            | Self::FileTooLarge(_)
            | Self::BadImport(_)
            | Self::NoPartOfFile(_)
            | Self::NoFile(_)
            | Self::BadHold(_)
            | Self::BadProposal(_) => Kind::Invalid,
            Self::NotFound(_) | Self::NoDecision(_) | Self::NoHold(_) | Self::NoProposal(_) => {
                Kind::NotFound
            }
            Self::State { .. }
            | Self::Destroyed { .. }
            | Self::SoundDestroyed { .. }
            | Self::SamePerson
            | Self::ProposalOver(_) => Kind::Conflict,
            Self::SoundFile(source) => source.kind(),
            Self::NoRoom(_) => Kind::Exhausted,
            Self::ImportStopped => Kind::Unavailable,
            Self::FileChanged | Self::FileKnown(_) => Kind::Conflict,
            Self::Key { source, .. } => source.kind(),
            Self::Keys(source) => source.kind(),
            Self::NoKey(_)
            | Self::NoSoundKey(_)
            | Self::Segment { .. }
            | Self::Journal { .. }
            | Self::IndexBehind(_)
            | Self::NotWhole { .. }
            | Self::Corrupt { .. } => Kind::Corrupt,
            Self::Rulebook(_)
            | Self::Document(_)
            | Self::Sealing { .. }
            | Self::Signing(_)
            | Self::ImportBroke => Kind::Internal,
            Self::Bundle { source, .. } => source.kind(),
            Self::Audio(source) => source.kind(),
            Self::Certificate(source) => source.kind(),
            Self::Log(source) => source.kind(),
            Self::ForeignCheckpoint(_) | Self::RolledBack { .. } => Kind::Conflict,
            Self::Random(_) | Self::ClockBehind { .. } | Self::ClockJumped { .. } => {
                Kind::Unavailable
            }
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotSayable { nearest, .. } => format!("did you mean `{nearest}`?"),
            Self::Facts(_) => "`voicelog law facts` lists every name with its values".to_owned(),
            Self::Destroyed { id, .. } => {
                format!("the certificate of destruction is in `voicelog show {id}`")
            }
            Self::SoundDestroyed { id, .. } => format!(
                "timeline, decisions and the certificate of the sound are in `voicelog show {id}`"
            ),
            Self::SoundFile(_) | Self::FileTooLarge(_) | Self::BadImport(_) => {
                "nothing of it was kept".to_owned()
            }
            Self::FileChanged => "import it once nothing writes to it any more".to_owned(),
            Self::ImportStopped => "it is imported after the next start".to_owned(),
            Self::FileKnown(_) => "nothing was kept twice".to_owned(),
            Self::NoPartOfFile(_) => "ask for the whole".to_owned(),
            Self::NoDecision(_) => "the page of a recording and `voicelog show ID --json` name \
                                    its decisions"
                .to_owned(),
            Self::NoHold(_) => "`voicelog holds` lists every hold that stands".to_owned(),
            Self::BadHold(_) => "nothing was held or released".to_owned(),
            Self::NoProposal(_) => "the page Retention lists those that stand".to_owned(),
            Self::BadProposal(_) => "nothing was proposed or answered".to_owned(),
            Self::SamePerson => "somebody with another account confirms it".to_owned(),
            Self::ProposalOver(_) => "ask again to destroy it, and propose it anew".to_owned(),
            Self::NoParty(_) => {
                "the page of the recording names who takes part: p1, p2 and so on".to_owned()
            }
            Self::NoSuchRoom => {
                "choose one that the page of talks offers, or add a [[room]] with that name".to_owned()
            }
            Self::ClockBehind { .. } => {
                "set the clock of this machine (`date`, `timedatectl`); if it \
                                         is right now and was ahead before, say so with \
                                         `voicelog retention confirm-clock`, or start once with `voicelog serve --clock-was-ahead`"
                    .to_owned()
            }
            Self::ClockJumped { .. } => {
                "look at the clock of this machine (`date`, `timedatectl`); \
                                         if it is right, say so on the page Health or with \
                                         `voicelog retention confirm-clock`"
                    .to_owned()
            }
            Self::NoKey(_) | Self::NoSoundKey(_) => "restore the newest backup into an empty folder (`voicelog \
                               restore`), with the newest list of destructions; `voicelog check` names every recording without its data key"
                .to_owned(),
            Self::Key {
                source: KeyError::PublicOnly(_),
                ..
            } => "recordings are opened by a process that has the master key: a command run where it is".to_owned(),
            Self::Keys(source) => source.help().to_owned(),
            Self::Audio(AudioError::NothingDecodable(_)) => {
                "`voicelog export` makes a copy with the packets, for a program that has the codec"
                    .to_owned()
            }
            Self::Store {
                source: source @ StoreError::BeingCopied,
                ..
            } => source.help().to_owned(),
            _ => match self.kind() {
                Kind::Exhausted => "make room on the disk; calls in progress keep what they have",
                Kind::Corrupt => "run `voicelog check --level hash` to see what is damaged",
                Kind::NotFound => "look the id up with `voicelog list`",
                Kind::Conflict => "look at its state with `voicelog show ID`",
                Kind::Invalid | Kind::Unavailable | Kind::Internal => "see the cause behind it",
            }
            .to_owned(),
        }
    }
}

/// ` on MOMENT`, if it is known.
fn moment(at: Option<Timestamp>) -> String {
    at.map(|at| format!(" on {at}")).unwrap_or_default()
}

/// Names what was being done when storage failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, ArchiveError>;
}

impl<T> Doing<T> for Result<T, StoreError> {
    fn doing(self, doing: &'static str) -> Result<T, ArchiveError> {
        self.map_err(|source| ArchiveError::Store { doing, source })
    }
}
