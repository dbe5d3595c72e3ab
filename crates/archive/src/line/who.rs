//! Who takes part, as far as a line's rules ask: on whose side, with which numbers, who called.

use crate::address;
use crate::country::{Home, calling_code, of_address};
use crate::{Number, OfferedParty};
use serde::{Deserialize, Serialize};
use voicelog_model::Pii;

/// How sure a condition is of a call. What is not known is neither: see [`super::Line::candidates`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// It does not hold.
    No,
    /// What would tell is not known.
    Maybe,
    /// It holds.
    Yes,
}

impl From<bool> for Sure {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// On whose side of the conversation somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The organisation's.
    Own,
    /// The other.
    Other,
    /// No address, or the line does not say which addresses are its own.
    Unknown,
}

/// Which way a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Somebody called the organisation.
    Inbound,
    /// The organisation called somebody.
    Outbound,
}

/// The beginning of a telephone number: `+3120` of an international one, `20` of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix(String);

impl TryFrom<String> for Prefix {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix('+').unwrap_or(&text);
        let is_number =
            (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(format!(
                "{text:?} is no beginning of a number; write \"+3120\" for an international one, \"20\" for extensions; digits only"
            ));
        }
        if digits.starts_with('0') {
            return Err(format!(
                "{text:?} begins with 0; write it as an international number, such as \"+3120\""
            ));
        }
        Ok(Self(text))
    }
}

impl Prefix {
    /// Whether a number begins so.
    pub(crate) fn begins(&self, number: &str) -> bool {
        number.starts_with(&self.0)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.0
    }
}

/// An address, a number or an extension, as a rule names it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(Pii<String>);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address")
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if Number::of(&text).is_empty() {
            return Err(
                "this is no address; write a user, an extension or a number, such as \"2001\" or \"+31201234567\"".to_owned(),
            );
        }
        Ok(Self(Pii::new(text)))
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0.expose().clone()
    }
}

impl Address {
    fn number(&self) -> Number {
        Number::of(self.0.expose())
    }
}

/// One participant.
#[derive(Debug, Clone)]
pub struct Who {
    /// On whose side.
    pub side: Side,
    /// The numbers and accounts that it can be compared by.
    names: Vec<Number>,
    /// Numbers as they are dialled: `+` and the country where that is known. Empty where it has
    /// none that is shown.
    dialled: Vec<Pii<String>>,
    /// Whether it placed the call; nothing where the client does not tell.
    is_caller: Option<bool>,
    /// It is not in the conversation any more.
    pub(crate) has_left: bool,
}

impl Who {
    /// A participant, seen from a line.
    pub(crate) fn of(party: &OfferedParty, home: Home<'_>) -> Self {
        let addresses: Vec<&str> = std::iter::once(&party.address)
            .chain(&party.further_addresses)
            .map(|address| address.expose().as_str())
            .filter(|address| !address.is_empty())
            .collect();
        let dialled: Vec<_> = addresses
            .iter()
            .filter_map(|address| dialled(address, home))
            .map(Pii::new)
            .collect();
        let is_own = |address: &&str| is_of_own_domain(address, home);
        let is_own_number = |number: &Pii<String>| {
            let mut prefixes = home.own_numbers.iter();
            prefixes.any(|prefix| prefix.begins(number.expose()))
        };
        let nothing_is_own = home.own_domains.is_empty() && home.own_numbers.is_empty();
        let side = if addresses.is_empty() || nothing_is_own {
            Side::Unknown
        } else if addresses.iter().any(is_own) || dialled.iter().any(is_own_number) {
            Side::Own
        } else {
            Side::Other
        };
        Self {
            side,
            names: addresses
                .iter()
                .map(|address| Number::of(address))
                .collect(),
            dialled,
            is_caller: party.is_caller,
            has_left: party.has_left,
        }
    }

    const fn is_on(&self, side: Side) -> Sure {
        match (self.side, side) {
            (Side::Unknown, _) | (_, Side::Unknown) => Sure::Maybe,
            (Side::Own, Side::Own) | (Side::Other, Side::Other) => Sure::Yes,
            (Side::Own, Side::Other) | (Side::Other, Side::Own) => Sure::No,
        }
    }

    /// Whether it has one of these addresses.
    pub(super) fn has_address(&self, addresses: &[Address]) -> Sure {
        if self.names.iter().all(Number::is_empty) {
            return Sure::Maybe;
        }
        let mut wanted = addresses.iter().map(Address::number);
        wanted
            .any(|wanted| self.names.iter().any(|name| name.fits(&wanted)))
            .into()
    }

    /// Whether it has a number that begins so. Who withholds the number can have any.
    fn has_prefix(&self, prefixes: &[Prefix]) -> Sure {
        if self.dialled.is_empty() {
            return Sure::Maybe;
        }
        let begins = |number: &Pii<String>| {
            let mut prefixes = prefixes.iter();
            prefixes.any(|prefix| prefix.begins(number.expose()))
        };
        self.dialled.iter().any(begins).into()
    }
}

/// Whether somebody who was ever in the conversation is such a one: a queue leaves it when somebody
/// answers. Where nobody was named, nobody knows.
pub(super) fn somebody(all: &[Who], is_such: impl Fn(&Who) -> Sure) -> Sure {
    all.iter().map(is_such).max().unwrap_or(Sure::Maybe)
}

/// Whether one of these addresses was called before the call was diverted. Whether an exchange
/// tells of that is not known, so none is a no: a queue that is not named is not seen.
pub(super) fn was_called(before: &[Number], addresses: &[Address]) -> Sure {
    let mut wanted = addresses.iter().map(Address::number);
    wanted
        .any(|wanted| before.iter().any(|number| number.fits(&wanted)))
        .into()
}

/// Whether somebody who is there is such a one.
fn somebody_there(all: &[Who], is_such: impl Fn(&Who) -> Sure) -> Sure {
    let there = all.iter().filter(|who| !who.has_left);
    there.map(is_such).max().unwrap_or(Sure::Maybe)
}

/// Whether somebody who is there, on that side, has one of these addresses.
pub(super) fn on_side_with_address(all: &[Who], side: Side, addresses: &[Address]) -> Sure {
    somebody_there(all, |who| who.is_on(side).min(who.has_address(addresses)))
}

/// Whether somebody who is there, on that side, has a number that begins so.
pub(super) fn on_side_with_prefix(all: &[Who], side: Side, prefixes: &[Prefix]) -> Sure {
    somebody_there(all, |who| who.is_on(side).min(who.has_prefix(prefixes)))
}

/// Whether the call went that way. It is told by who called and on whose side that is; a call
/// within the organisation went neither way.
pub(super) fn went(all: &[Who], direction: Direction) -> Sure {
    let Some(caller) = all.iter().find(|who| who.is_caller == Some(true)) else {
        return Sure::Maybe;
    };
    let mut others = all.iter().filter(|who| who.is_caller != Some(true));
    match direction {
        Direction::Inbound => caller.is_on(Side::Other),
        Direction::Outbound => {
            let called = others.by_ref().map(|who| who.is_on(Side::Other)).max();
            caller.is_on(Side::Own).min(called.unwrap_or(Sure::Maybe))
        }
    }
}

/// A user of an own domain. A whole number there is whoever has that number: an exchange writes its
/// own host behind the number of a caller from outside.
fn is_of_own_domain(address: &str, home: Home<'_>) -> bool {
    let address = address::Address::read(address);
    let host = address.host.as_deref();
    host.is_some_and(|host| home.is_own_domain(host))
        && !address.is_national()
        && !address.is_whole_number()
}

/// The number of an address as it is dialled from abroad, or an extension as it is.
fn dialled(text: &str, home: Home<'_>) -> Option<String> {
    let address = address::Address::read(text);
    if let Some(international) = address.international() {
        let is_number = international.bytes().all(|byte| byte.is_ascii_digit());
        return (is_number && !international.is_empty()).then(|| format!("+{international}"));
    }
    if !address.is_number() {
        return None;
    }
    match address.user.strip_prefix('0') {
        None => {
            let is_own = |host: &str| home.is_own_domain(host);
            let with_plus = address.host.as_deref().filter(|host| is_own(host));
            let with_plus = with_plus.and_then(|_host| home.with_plus(&address));
            Some(with_plus.unwrap_or(address.user))
        }
        Some(national) => {
            let is_home = of_address(text, home) == home.country;
            let code = calling_code(home.country).filter(|_code| is_home)?;
            Some(format!("+{code}{national}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(address: &str, own_numbers: &[&str], is_caller: Option<bool>) -> Who {
        let party = OfferedParty {
            address: Pii::new(address.to_owned()),
            further_addresses: Vec::new(),
            name: None,
            is_caller,
            has_left: false,
        };
        let own_domains = ["voorbeeld.nl".to_owned()];
        let own_numbers = prefixes(own_numbers);
        let home = Home {
            country: "NL",
            own_domains: &own_domains,
            own_numbers: &own_numbers,
            numbers_without_plus: false,
        };
        Who::of(&party, home)
    }

    fn prefixes(all: &[&str]) -> Vec<Prefix> {
        let prefix = |text: &&str| Prefix::try_from((*text).to_owned()).unwrap();
        all.iter().map(prefix).collect()
    }

    #[test]
    fn own_are_users_of_own_domains_and_own_numbers_and_nobody_else() {
        for (address, side) in [
            ("sip:2001@voorbeeld.nl", Side::Own),
            ("sip:+31881234567@sbc.example", Side::Own),
            ("sip:0881234567@10.0.0.1", Side::Own),
            ("sip:+31612345678@voorbeeld.nl", Side::Other),
            ("sip:0612345678@voorbeeld.nl", Side::Other),
            ("sip:4930123456@voorbeeld.nl", Side::Other),
            ("sip:%2B4930123456@voorbeeld.nl", Side::Other),
            ("sip:31881234567@voorbeeld.nl", Side::Own),
            ("tel:+4930123456", Side::Other),
            ("sip:anonymous@anonymous.invalid", Side::Other),
            ("", Side::Unknown),
        ] {
            assert_eq!(who(address, &["+3188"], None).side, side, "{address}");
        }
    }

    #[test]
    fn a_number_begins_the_same_however_it_is_written_and_a_withheld_one_may_be_any() {
        let amsterdam = prefixes(&["+3120"]);
        for (address, found) in [
            ("tel:+31-20-123 45 67", Sure::Yes),
            ("sip:0201234567@10.0.0.1", Sure::Yes),
            ("0031201234567", Sure::Yes),
            ("tel:+31301234567", Sure::No),
            ("sip:0201234567@elders.example", Sure::Maybe),
            ("sip:anonymous@anonymous.invalid", Sure::Maybe),
            ("", Sure::Maybe),
        ] {
            assert_eq!(
                who(address, &[], None).has_prefix(&amsterdam),
                found,
                "{address}"
            );
        }
    }

    #[test]
    fn the_direction_is_told_by_the_side_of_the_caller_or_is_not_known() {
        let ours = |calls| who("sip:2001@voorbeeld.nl", &[], calls);
        let theirs = |calls| who("tel:+31612345678", &[], calls);
        let both = |all: &[Who]| {
            [
                went(all, Direction::Inbound),
                went(all, Direction::Outbound),
            ]
        };
        assert_eq!(
            both(&[ours(None), theirs(Some(true))]),
            [Sure::Yes, Sure::No]
        );
        assert_eq!(
            both(&[ours(Some(true)), theirs(None)]),
            [Sure::No, Sure::Yes]
        );
        assert_eq!(
            both(&[ours(None), theirs(None)]),
            [Sure::Maybe, Sure::Maybe]
        );
        assert_eq!(both(&[ours(Some(true)), ours(None)]), [Sure::No, Sure::No]);
        assert_eq!(both(&[]), [Sure::Maybe, Sure::Maybe]);
    }

    #[test]
    fn a_beginning_that_is_no_number_is_refused_with_what_would_be_one() {
        for wrong in ["", "+", "020", "+31 20", "+31-20", "sales", "+0031"] {
            let error = Prefix::try_from(wrong.to_owned()).unwrap_err();
            assert!(error.contains("+3120"), "{error}");
        }
    }
}
