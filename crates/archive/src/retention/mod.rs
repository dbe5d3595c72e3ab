//! The end of recordings: terms that end, what holds a recording beyond its term, destruction.

mod account;
mod clock;
mod destroy;
mod halves;
mod hold;
mod proposal;
mod terms;

pub use clock::{Uptime, UptimeClock};
pub use destroy::{Continued, DESTROYED_AT_ONCE_MAX, DESTROYED_TOGETHER_MAX, Destroyed};
pub(crate) use halves::in_halves;
pub(crate) use hold::held;
pub use hold::{
    HOLD_NOTE_CHARS_MAX, HOLD_OWNER_CHARS_MAX, HOLD_RULE, Hold, HoldAsked, HoldDetails, HoldGround,
    OpenHold,
};
pub(crate) use proposal::Confirmation;
pub use proposal::{
    OpenProposal, PROPOSAL_REASON_CHARS_MAX, PROPOSAL_STANDS_MICROS, Proposal, ProposalDetails,
    ProposalState,
};
pub use terms::{HeldCount, TermRefusal, TermsAlike, TermsPreview};
pub use voicelog_store::index::{HoldCursor, OverdueHolds, SoundTerms};
