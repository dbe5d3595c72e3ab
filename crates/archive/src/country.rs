//! In which country a participant is, as far as an address tells.
//!
//! The answer goes into the fact `countries`: the strictest law of all participants counts, and a
//! country that was looked for and not found is `ZZ`, which is treated as the strictest. So a
//! wrong guess in the lenient direction is the one mistake this file may not make.

use crate::address::{Address, digits_of};
use crate::line::Prefix;
use std::net::IpAddr;

/// Looked for and not known.
pub(crate) const UNKNOWN: &str = "ZZ";

/// ITU-T E.164 country codes with the country that has them alone, longest match first.
/// Codes shared by several countries (+1, +7, +44 with its islands …) are named only where every
/// sharer is told apart by more digits; else they are left out and so unknown.
const PREFIXES: &[(&str, &str)] = &[
    ("20", "EG"),
    ("211", "SS"),
    ("213", "DZ"),
    ("216", "TN"),
    ("218", "LY"),
    ("220", "GM"),
    ("221", "SN"),
    ("222", "MR"),
    ("223", "ML"),
    ("224", "GN"),
    ("225", "CI"),
    ("226", "BF"),
    ("227", "NE"),
    ("228", "TG"),
    ("229", "BJ"),
    ("230", "MU"),
    ("231", "LR"),
    ("232", "SL"),
    ("233", "GH"),
    ("234", "NG"),
    ("235", "TD"),
    ("236", "CF"),
    ("237", "CM"),
    ("238", "CV"),
    ("239", "ST"),
    ("240", "GQ"),
    ("241", "GA"),
    ("242", "CG"),
    ("243", "CD"),
    ("244", "AO"),
    ("245", "GW"),
    ("248", "SC"),
    ("249", "SD"),
    ("250", "RW"),
    ("251", "ET"),
    ("252", "SO"),
    ("253", "DJ"),
    ("254", "KE"),
    ("255", "TZ"),
    ("256", "UG"),
    ("257", "BI"),
    ("258", "MZ"),
    ("260", "ZM"),
    ("261", "MG"),
    ("263", "ZW"),
    ("264", "NA"),
    ("265", "MW"),
    ("266", "LS"),
    ("267", "BW"),
    ("268", "SZ"),
    ("269", "KM"),
    ("27", "ZA"),
    ("291", "ER"),
    ("297", "AW"),
    ("298", "FO"),
    ("299", "GL"),
    ("30", "GR"),
    ("31", "NL"),
    ("32", "BE"),
    ("33", "FR"),
    ("34", "ES"),
    ("350", "GI"),
    ("351", "PT"),
    ("352", "LU"),
    ("353", "IE"),
    ("354", "IS"),
    ("355", "AL"),
    ("356", "MT"),
    ("357", "CY"),
    ("359", "BG"),
    ("36", "HU"),
    ("370", "LT"),
    ("371", "LV"),
    ("372", "EE"),
    ("373", "MD"),
    ("374", "AM"),
    ("375", "BY"),
    ("376", "AD"),
    ("377", "MC"),
    ("378", "SM"),
    ("380", "UA"),
    ("381", "RS"),
    ("382", "ME"),
    ("383", "XK"),
    ("385", "HR"),
    ("386", "SI"),
    ("387", "BA"),
    ("389", "MK"),
    ("40", "RO"),
    ("41", "CH"),
    ("420", "CZ"),
    ("421", "SK"),
    ("423", "LI"),
    ("43", "AT"),
    ("45", "DK"),
    ("46", "SE"),
    ("48", "PL"),
    ("49", "DE"),
    ("501", "BZ"),
    ("502", "GT"),
    ("503", "SV"),
    ("504", "HN"),
    ("505", "NI"),
    ("506", "CR"),
    ("507", "PA"),
    ("509", "HT"),
    ("51", "PE"),
    ("52", "MX"),
    ("53", "CU"),
    ("54", "AR"),
    ("55", "BR"),
    ("56", "CL"),
    ("57", "CO"),
    ("58", "VE"),
    ("591", "BO"),
    ("592", "GY"),
    ("593", "EC"),
    ("595", "PY"),
    ("597", "SR"),
    ("598", "UY"),
    ("60", "MY"),
    ("62", "ID"),
    ("63", "PH"),
    ("64", "NZ"),
    ("65", "SG"),
    ("66", "TH"),
    ("670", "TL"),
    ("673", "BN"),
    ("674", "NR"),
    ("675", "PG"),
    ("676", "TO"),
    ("677", "SB"),
    ("678", "VU"),
    ("679", "FJ"),
    ("680", "PW"),
    ("685", "WS"),
    ("686", "KI"),
    ("688", "TV"),
    ("691", "FM"),
    ("692", "MH"),
    ("81", "JP"),
    ("82", "KR"),
    ("84", "VN"),
    ("850", "KP"),
    ("852", "HK"),
    ("853", "MO"),
    ("855", "KH"),
    ("856", "LA"),
    ("86", "CN"),
    ("880", "BD"),
    ("886", "TW"),
    ("90", "TR"),
    ("91", "IN"),
    ("92", "PK"),
    ("93", "AF"),
    ("94", "LK"),
    ("95", "MM"),
    ("960", "MV"),
    ("961", "LB"),
    ("962", "JO"),
    ("963", "SY"),
    ("964", "IQ"),
    ("965", "KW"),
    ("966", "SA"),
    ("967", "YE"),
    ("968", "OM"),
    ("970", "PS"),
    ("971", "AE"),
    ("972", "IL"),
    ("973", "BH"),
    ("974", "QA"),
    ("975", "BT"),
    ("976", "MN"),
    ("977", "NP"),
    ("98", "IR"),
    ("992", "TJ"),
    ("993", "TM"),
    ("994", "AZ"),
    ("995", "GE"),
    ("996", "KG"),
    ("998", "UZ"),
    // Great Britain: only the ranges 2x and 3x. Guernsey, Jersey and the Isle of Man have numbers
    // among 1x and 7x, so those stay unknown.
    ("442", "GB"),
    ("443", "GB"),
];

/// Where addresses without an international number are at home.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    /// Country of the line: own extensions and national numbers are there.
    pub(crate) country: &'a str,
    /// Host names of the organisation's own SIP domains.
    pub(crate) own_domains: &'a [String],
    /// How the organisation's own numbers begin.
    pub(crate) own_numbers: &'a [Prefix],
    /// Whole numbers at the own domains are international ones, written without their `+`.
    pub(crate) numbers_without_plus: bool,
}

impl Home<'_> {
    pub(crate) fn is_own_domain(&self, host: &str) -> bool {
        let mut own = self.own_domains.iter();
        own.any(|own| own.eq_ignore_ascii_case(host))
    }

    /// What a number at an own domain is that has neither `+` nor `0` before it, with its `+`: an
    /// exchange writes its own host behind the number of a caller from outside, and some leave the
    /// `+` out. Nothing where that is not known.
    pub(crate) fn with_plus(&self, address: &Address) -> Option<String> {
        let is_bare = address.is_number() && address.is_whole_number();
        if !is_bare || address.user.starts_with('0') {
            return None;
        }
        let number = format!("+{}", address.user);
        let mut own = self.own_numbers.iter();
        let is_own = own.any(|own| own.begins(&number));
        (is_own || self.numbers_without_plus).then_some(number)
    }
}

/// The country of a participant with these addresses. Addresses that disagree leave it unknown,
/// which is the strictest.
pub(crate) fn of_addresses<'a>(
    addresses: impl IntoIterator<Item = &'a str>,
    home: Home<'_>,
) -> String {
    let mut countries = addresses
        .into_iter()
        .map(|address| of_address(address, home));
    let Some(first) = countries.next() else {
        return UNKNOWN.to_owned();
    };
    if countries.all(|country| country == first) {
        first
    } else {
        UNKNOWN.to_owned()
    }
}

/// The country of an address (`tel:` or `sip:` URI, or a bare number or user@host).
///
/// An international number tells it. A name or an extension at one of our own domains is at home,
/// and so is a national number that names no domain: a number at somebody else's domain is national
/// there, wherever that is. A whole number at an own domain that is neither is unknown, unless the
/// line says how its exchange writes numbers: it can be anybody's. All else is `ZZ`.
pub(crate) fn of_address(address: &str, home: Home<'_>) -> String {
    let address = Address::read(address);
    if let Some(international) = address.international() {
        return of_international(international).to_owned();
    }
    let context = address.context();
    if let Some(prefix) = context.and_then(|context| context.strip_prefix('+')) {
        let whole = digits_of(prefix) + address.user.trim_start_matches('0');
        return of_international(&whole).to_owned();
    }
    let is_national = address.is_national();
    let is_own = match (context, address.host.as_deref()) {
        (Some(domain), _) => home.is_own_domain(domain),
        (None, Some(host)) => home.is_own_domain(host),
        (None, None) => false,
    };
    if is_own
        && !is_own_number(&address, home)
        && let Some(number) = home.with_plus(&address)
    {
        return of_international(number.trim_start_matches('+')).to_owned();
    }
    let is_home = match (context, address.host.as_deref()) {
        _ if is_own => is_national || is_own_number(&address, home) || !address.is_whole_number(),
        (None, Some(host)) => is_national && host.parse::<IpAddr>().is_ok(),
        (None, None) => is_national,
        (Some(_), _) => false,
    };
    if is_home {
        home.country.to_owned()
    } else {
        UNKNOWN.to_owned()
    }
}

/// A long extension, as the line says how its own begin.
fn is_own_number(address: &Address, home: Home<'_>) -> bool {
    let mut own = home.own_numbers.iter();
    address.is_number() && own.any(|own| own.begins(&address.user))
}

fn of_international(digits: &str) -> &'static str {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() < 6 {
        return UNKNOWN;
    }
    PREFIXES
        .iter()
        .filter(|(prefix, _)| digits.starts_with(prefix))
        .max_by_key(|(prefix, _)| prefix.len())
        .map_or(UNKNOWN, |(_, country)| country)
}

/// The calling code of a country that has one to itself.
pub(crate) fn calling_code(country: &str) -> Option<&'static str> {
    let mut codes = PREFIXES.iter().filter(|(_, other)| *other == country);
    match (codes.next(), codes.next()) {
        (Some((code, _)), None) => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(address: &str) -> String {
        country_where(address, &[], false)
    }

    fn country_where(address: &str, own_numbers: &[&str], numbers_without_plus: bool) -> String {
        let own = ["voorbeeld.nl".to_owned()];
        let prefix = |text: &&str| Prefix::try_from((*text).to_owned()).unwrap();
        let own_numbers: Vec<_> = own_numbers.iter().map(prefix).collect();
        let home = Home {
            country: "NL",
            own_domains: &own,
            own_numbers: &own_numbers,
            numbers_without_plus,
        };
        of_address(address, home)
    }

    #[test]
    fn an_international_number_tells_its_country_in_every_spelling() {
        for address in [
            "tel:+4930123456",
            "sip:+49-30-123456@sbc.example;user=phone",
            "004930123456",
            "<sip:+4930123456;phone-context=x@h>",
            "sip:%2B4930123456@voorbeeld.nl",
            "sip:%2b49%2030123456@voorbeeld.nl",
            "sip:tel:+4930123456@voorbeeld.nl",
            "sip:\u{200e}+4930123456@voorbeeld.nl",
            "\"Bob\" <sip:+4930123456@voorbeeld.nl>",
            "sip:+4930123456:secret@voorbeeld.nl",
        ] {
            assert_eq!(country(address), "DE", "{address}");
        }
        assert_eq!(country("tel:+31612345678"), "NL");
        assert_eq!(country("tel:+352123456"), "LU");
    }

    #[test]
    fn own_extensions_and_national_numbers_are_at_home() {
        assert_eq!(country("sip:2001@voorbeeld.nl"), "NL");
        for address in [
            "sip:0201234567@10.0.0.1",
            "sip:0201234567@[2001:db8::1]:5060;user=phone",
            "sip:020-1234567@Voorbeeld.nl:5060",
            "tel:0201234567",
            "0201234567",
            "tel:0201234567;phone-context=+31",
            "tel:2001;phone-context=voorbeeld.nl",
        ] {
            assert_eq!(country(address), "NL", "{address}");
        }
    }

    #[test]
    fn what_is_shared_strange_or_hidden_is_unknown_and_never_home() {
        for address in [
            "tel:+12025550123",
            "tel:+447700900123",
            "sip:anonymous@anonymous.invalid",
            "sip:2001@elders.example",
            "tel:+999123456",
            "",
            "sip:@",
            "tel:+31",
        ] {
            assert_eq!(country(address), UNKNOWN, "{address}");
        }
    }

    #[test]
    fn a_whole_number_at_an_own_domain_is_at_home_only_where_the_line_knows_it() {
        for address in [
            "sip:4930123456@voorbeeld.nl",
            "sip:31201234567@voorbeeld.nl",
            "sip:90004930123456@voorbeeld.nl",
            "sip:00004930123456@voorbeeld.nl",
            "sip:*31*4930123456@voorbeeld.nl",
            "sip:\u{ff0b}4930123456@voorbeeld.nl",
            "sip:\u{664}\u{669}\u{663}\u{660}\u{661}\u{662}\u{663}\u{664}@voorbeeld.nl",
            "tel:4930123456;phone-context=voorbeeld.nl",
        ] {
            assert_eq!(country(address), UNKNOWN, "{address}");
        }
        for (address, own_numbers, numbers_without_plus, found) in [
            ("sip:31881234567@voorbeeld.nl", &["+3188"][..], false, "NL"),
            ("sip:31201234567@voorbeeld.nl", &["+3188"], false, UNKNOWN),
            ("sip:77001234@voorbeeld.nl", &["77"], false, "NL"),
            ("sip:31201234567@voorbeeld.nl", &[], true, "NL"),
            ("sip:4930123456@voorbeeld.nl", &[], true, "DE"),
            ("sip:90004930123456@voorbeeld.nl", &[], true, "TR"),
            ("sip:4930123456@elders.example", &[], true, UNKNOWN),
        ] {
            let told = country_where(address, own_numbers, numbers_without_plus);
            assert_eq!(told, found, "{address}");
        }
    }

    #[test]
    fn a_national_number_is_at_home_only_where_nothing_says_otherwise() {
        for address in [
            "sip:03012345678@telekom.de",
            "sip:0201234567@sbc.example:5061;user=phone",
            "tel:03012345678;phone-context=telekom.de",
            "sip:03012345678;phone-context=telekom.de@10.0.0.1",
        ] {
            assert_eq!(country(address), UNKNOWN, "{address}");
        }
        assert_eq!(country("tel:03012345678;phone-context=+49"), "DE");
        assert_eq!(country("sip:030123456;phone-context=+49@10.0.0.1"), "DE");
    }

    #[test]
    fn of_several_addresses_each_counts() {
        let own: [String; 0] = [];
        let home = Home {
            country: "NL",
            own_domains: &own,
            own_numbers: &[],
            numbers_without_plus: false,
        };
        let country = |addresses: &[&str]| of_addresses(addresses.iter().copied(), home);
        assert_eq!(country(&["tel:+31201234567", "tel:0201234567"]), "NL");
        assert_eq!(country(&["tel:+4930123456"]), "DE");
        assert_eq!(country(&["tel:+31201234567", "tel:+4930123456"]), UNKNOWN);
        assert_eq!(country(&["tel:+31201234567", "sip:x@y.example"]), UNKNOWN);
        assert_eq!(country(&[]), UNKNOWN);
    }

    #[test]
    fn every_prefix_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (prefix, _) in PREFIXES {
            assert!(seen.insert(prefix), "{prefix} stands twice");
        }
    }
}
