//! The keys that wrap data keys: epochs, the master key above them, the recovery set beside it.
//!
//! ```text
//! master key ──wraps──► epoch key ──wraps──► data key of a recording ──► everything of that recording
//! recovery set ──opens──┘     └─public half: a process that has no more can record, and open nothing
//! ```
//!
//! What is kept of an epoch is a record in the key store (`epoch-0002`): its public key, and its key wrapped for each
//! who may open it. The design is in `design/keys.md`.

mod epochs;
mod master;
mod own;
mod record;
mod recovery;
mod rotate;
mod shares;
mod sheet;
mod state;
mod vouch;

pub use epochs::{EpochKeys, open_epochs};
pub(crate) use epochs::{PutKeyError, epoch_in};
pub use master::{Master, MasterError, MasterKey};
pub(crate) use own::RecordingKeys;
pub use recovery::{Recovered, RecoverySet, Sheets, key_of_sheets, secrets_under_set};
pub use rotate::{MASTER_MARK, Rewrapped};
pub use sheet::{LineFault, SHEET_LINES, Sheet, SheetError};
pub use state::{EpochState, KeyState, RecoveryState};

use voicelog_model::Kind;

/// What goes wrong with the keys above the data keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The master key does not do what it is asked.
    #[error(transparent)]
    Master(#[from] MasterError),
    /// A record is not what was kept.
    #[error("what is kept of the keys (`{0}`) is damaged")]
    Damaged(String),
    /// No master key was given.
    #[error("this process has no master key")]
    NoMaster,
    /// Another master key wraps this epoch.
    #[error("epoch {epoch} is not wrapped by the master key {master}")]
    OtherMaster {
        /// Which epoch.
        epoch: u32,
        /// The master key that was given.
        master: String,
    },
    /// Somebody else changed the same record at the same time.
    #[error("somebody else changes the keys at this moment")]
    Busy,
    /// There are epochs, and none that the archive signed or that is open.
    #[error("no epoch of this archive is signed by it")]
    NotVouched,
    /// The record of the recovery set was not put there with this master key, or is a former one.
    #[error(
        "the recovery set `{0}` is not the last that was confirmed with this master key: somebody may have put it there"
    )]
    ForeignSet(String),
    /// There is no further number for an epoch.
    #[error("there are no more numbers for epochs")]
    NoNumber,
    /// The archive has no epochs yet: its one key lies in the open.
    #[error("this archive has no master key yet")]
    NoEpochs,
    /// There is no recovery set, or none that was confirmed.
    #[error("there is no recovery set that waits to be confirmed")]
    NoSet,
    /// The sheets do not open it.
    #[error("these sheets are of another recovery set")]
    OtherSet,
    /// No epoch can be opened with the recovery set.
    #[error("no key of this archive was put under this recovery set")]
    NotUnderSet,
    /// Something on a sheet is wrong.
    #[error(transparent)]
    Sheet(#[from] SheetError),
}

impl KeysError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Master(MasterError::Unavailable(_) | MasterError::Unclear(_))
            | Self::NoMaster
            | Self::Busy => Kind::Unavailable,
            Self::Master(MasterError::NotAuthentic)
            | Self::Damaged(_)
            | Self::NotVouched
            | Self::ForeignSet(_) => Kind::Corrupt,
            Self::OtherMaster { .. }
            | Self::NoEpochs
            | Self::NoSet
            | Self::NoNumber
            | Self::OtherSet
            | Self::NotUnderSet => Kind::Conflict,
            Self::Sheet(_) => Kind::Invalid,
        }
    }

    /// What a person can do about it.
    pub(crate) const fn help(&self) -> &'static str {
        match self {
            Self::Master(_) => "nothing was lost: make the master key reachable, and try again",
            Self::Damaged(_) => {
                "nothing was changed; restore the newest backup into an empty folder (`voicelog restore`) with the newest list of destructions, and do not copy old keys back"
            }
            Self::NoMaster => {
                "run the command where the master key is; `keys.master` in the configuration says where it looks"
            }
            Self::OtherMaster { .. } => {
                "`voicelog keys` lists which master key opens what; set `keys.master` to it, or use the recovery set \
                 with `voicelog keys recovery use`"
            }
            Self::Busy => "try again when the other command has ended",
            Self::NotVouched => {
                "run `voicelog keys rewrap` where the master key is: it signs what that key opens. Where that says the \
                 same, `voicelog keys rotate` makes a new epoch"
            }
            Self::ForeignSet(_) => {
                "make the recovery set anew, with `voicelog keys recovery create` and `confirm`, and find out who can write \
                 in the folder `keys`"
            }
            Self::NoNumber => {
                "look at the folder `keys/records`: what lies there is not of voicelog"
            }
            Self::NoEpochs => "stop the server and run `voicelog keys rotate` once",
            Self::NoSet => "make one with `voicelog keys recovery create`",
            Self::OtherSet | Self::NotUnderSet => {
                "`voicelog keys` tells the name of the set that counts; it stands on its sheets"
            }
            Self::Sheet(_) => "type the sheet again as it is printed; nothing was changed",
        }
    }
}
