//! House rules that load and yet deserve a second look.

use super::{HouseFinding, HouseRules};
use crate::rulebook::{Rulebook, RulebookError};

impl HouseRules {
    /// What deserves a second look.
    ///
    /// # Errors
    /// As [`Rulebook::on`].
    pub fn warnings(&self, _law: &Rulebook) -> Result<Vec<HouseFinding>, RulebookError> {
        Ok(self.impossible.clone())
    }
}
