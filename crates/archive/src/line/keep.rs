//! Whether every call on a line is kept, or those only that somebody asks to keep.

use serde::{Deserialize, Serialize};

/// The longest look-back, in seconds.
pub const LOOK_BACK_SECONDS_MAX: u32 = 300;

/// Which calls on a line are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Every call that may be recorded.
    #[default]
    Every,
    /// Calls that somebody on our side asks to keep while they last.
    OnRequest,
}

impl Keep {
    /// What is wrong with it and its look-back, and what would be right.
    #[must_use]
    pub fn fault(self, look_back_seconds: u32) -> Option<String> {
        match self {
            Self::Every if look_back_seconds > 0 => Some(
                "look_back_seconds says what is kept of the time before somebody asks, and this line keeps every call; take it out, or set keep = \"on_request\"".to_owned(),
            ),
            Self::OnRequest if look_back_seconds > LOOK_BACK_SECONDS_MAX => Some(format!(
                "look_back_seconds is {look_back_seconds}; from 0 (nothing is held) to {LOOK_BACK_SECONDS_MAX}"
            )),
            Self::Every | Self::OnRequest => None,
        }
    }
}
