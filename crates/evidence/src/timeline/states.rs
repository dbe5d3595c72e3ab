//! What the events say of a stream at each moment: may it be recorded, is it paused.

use crate::journal::{Cause, Ground, Pausing};

/// A packet that is this late after a pause was on its way when it came: 200 ms.
const PAUSE_GRACE_MICROS: i64 = 200_000;

/// What holds for a stream from some moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Not announced yet.
    Absent,
    /// The law was not asked yet.
    Undecided,
    /// Refused, or waiting for a person.
    NotPermitted(Vec<Ground>),
    /// Being recorded.
    Active,
    /// Paused by the client, or by what its event says.
    Paused(Cause),
    /// Paused on our side.
    Withheld(Pausing),
    /// Offered in a way in which we cannot record it.
    Refused(Cause),
    /// Permission ended.
    PermitEnded(Vec<Ground>),
    /// The recorder was not running.
    Down,
}

/// What the law says, for all streams alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Permission {
    #[default]
    Undecided,
    Refused(Vec<Ground>),
    Given,
    Ended(Vec<Ground>),
}

/// The states of one stream, in order.
#[derive(Debug)]
pub(super) struct States {
    /// From when, in microseconds from the start of the call; never decreasing.
    changes: Vec<(i64, State)>,
    paused: Option<Cause>,
    withheld: Option<Pausing>,
    refused: Option<Cause>,
}

impl States {
    /// A stream that is announced at `at_us`.
    pub(super) fn new(at_us: i64, permission: &Permission, withheld: Option<&Pausing>) -> Self {
        let mut states = Self {
            changes: vec![(0, State::Absent)],
            paused: None,
            withheld: withheld.cloned(),
            refused: None,
        };
        states.update(at_us, permission);
        states
    }

    /// How many changes there were.
    pub(super) const fn kept(&self) -> usize {
        self.changes.len()
    }

    pub(super) fn pause(&mut self, at_us: i64, by: Option<Cause>, permission: &Permission) {
        self.paused = by;
        self.update(at_us, permission);
    }

    /// The stream cannot be recorded as it is offered from now on, or can again.
    pub(super) fn refuse(&mut self, at_us: i64, why: Option<Cause>, permission: &Permission) {
        self.refused = why;
        self.update(at_us, permission);
    }

    /// A pause on our side begins, becomes another or ends.
    pub(super) fn withhold(
        &mut self,
        at_us: i64,
        withheld: Option<&Pausing>,
        permission: &Permission,
    ) {
        self.withheld = withheld.cloned();
        self.update(at_us, permission);
    }

    /// Notes the state that follows from permission and pause, where it is another one.
    pub(super) fn update(&mut self, at_us: i64, permission: &Permission) {
        let state = match permission {
            Permission::Undecided => State::Undecided,
            Permission::Refused(grounds) => State::NotPermitted(grounds.clone()),
            Permission::Ended(grounds) => State::PermitEnded(grounds.clone()),
            Permission::Given => self.when_permitted(),
        };
        self.change(at_us, state);
    }

    fn when_permitted(&self) -> State {
        match (self.refused, &self.withheld, self.paused) {
            (Some(why), _, _) => State::Refused(why),
            (None, Some(pausing), _) => State::Withheld(pausing.clone()),
            (None, None, Some(by)) => State::Paused(by),
            (None, None, None) => State::Active,
        }
    }

    pub(super) fn change(&mut self, at_us: i64, state: State) {
        let last = self.changes.last();
        if last.is_some_and(|(_, before)| *before == state) {
            return;
        }
        let at_us = last.map_or(at_us, |(from, _)| at_us.max(*from));
        self.changes.push((at_us, state));
    }

    /// The changes: from when, and what.
    pub(super) fn changes(&self) -> &[(i64, State)] {
        &self.changes
    }

    /// Which stretch of recording a packet belongs to, as an index into the changes; none where it
    /// came while nothing was to be recorded.
    pub(super) fn stretch_of(&self, arrived_us: i64) -> Option<usize> {
        let index = self
            .changes
            .partition_point(|(from, _)| *from <= arrived_us)
            .checked_sub(1)?;
        let (from, state) = self.changes.get(index)?;
        match state {
            State::Active => Some(index),
            // It can have arrived in the instant before the decision was noted.
            State::Absent | State::Undecided => {
                let latest = self.changes.len() - 1;
                matches!(self.changes.get(latest), Some((_, State::Active))).then_some(latest)
            }
            State::Paused(_) | State::Refused(_) if arrived_us - from <= PAUSE_GRACE_MICROS => {
                let before = index.checked_sub(1)?;
                matches!(self.changes.get(before), Some((_, State::Active))).then_some(before)
            }
            State::Paused(_)
            | State::Withheld(_)
            | State::Refused(_)
            | State::NotPermitted(_)
            | State::PermitEnded(_)
            | State::Down => None,
        }
    }
}
