//! Whether two documents speak of one person under one `participant_id`.
//!
//! Some clients use an id again for whoever comes next on a line (`caller`, `party2`). What the one
//! before said of being recorded was not said by the one who comes.

use voicelog_model::Pii;

/// Fewest digits by which two writings of a number are the same although one names its country and
/// the other does not. Fewer can be an extension.
const DIGITS_LEAST: usize = 9;

/// Whether these addresses can be those of the one who had the others: one of them is the same.
/// Whoever had none, or has none now, can be anybody.
pub(super) fn can_be_one(known: &[Pii<String>], told: &[Pii<String>]) -> bool {
    known.is_empty()
        || told.is_empty()
        || told.iter().any(|told| {
            let mut known = known.iter();
            known.any(|known| is_same(known.expose(), told.expose()))
        })
}

fn is_same(left: &str, right: &str) -> bool {
    let [(user, host), (other, elsewhere)] = [left, right].map(parts);
    match [user, other].map(significant) {
        // A number is the same wherever it is written down.
        [Some(one), Some(another)] => one.ends_with(&another) || another.ends_with(&one),
        _ => user == other && host.eq_ignore_ascii_case(elsewhere),
    }
}

/// User and host of an address, without what does not tell people apart. `tel:` and bare numbers
/// have no host.
fn parts(address: &str) -> (&str, &str) {
    let whole = address.trim().trim_matches(['<', '>']);
    let bare = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| {
        let (head, rest) = whole.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let bare = bare.unwrap_or(whole);
    let (user, host) = bare.split_once('@').unwrap_or((bare, ""));
    let user = user.split(';').next().unwrap_or(user);
    let host = host.split([':', ';', '?', '>']).next().unwrap_or(host);
    (user, host)
}

/// The digits of a whole number without what only says that it is national or international.
fn significant(user: &str) -> Option<String> {
    let is_separator = |c: &char| matches!(c, '-' | '.' | '(' | ')' | ' ');
    let digits: String = user.chars().filter(|c| !is_separator(c)).collect();
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = digits.trim_start_matches('0');
    (is_number && digits.len() >= DIGITS_LEAST).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can_be(known: &[&str], told: &[&str]) -> bool {
        let [known, told] = [known, told].map(|list| {
            let list = list.iter();
            list.map(|address| Pii::new((*address).to_owned()))
                .collect::<Vec<_>>()
        });
        can_be_one(&known, &told)
    }

    #[test]
    fn a_number_is_the_same_however_and_wherever_it_is_written() {
        for told in [
            "tel:+31201234567",
            "sip:0201234567@10.0.0.1:5060;user=phone",
            "<sips:+31-20-123.4567;phone-context=x@sbc.example>",
            "0031201234567",
        ] {
            assert!(can_be(&["sip:+31201234567@a.example"], &[told]), "{told}");
        }
        assert!(can_be(&["sip:2001@a.example"], &["SIP:2001@A.example;x=1"]));
        assert!(can_be(
            &["sip:2001@a.example", "tel:+31201234567"],
            &["0201234567"]
        ));
    }

    #[test]
    fn another_number_another_account_or_the_same_extension_elsewhere_is_somebody_else() {
        for told in [
            "tel:+31201234568",
            "sip:2002@a.example",
            "sip:2001@b.example",
        ] {
            assert!(
                !can_be(&["sip:2001@a.example", "tel:+31201234567"], &[told]),
                "{told}"
            );
        }
    }

    #[test]
    fn whoever_had_no_address_can_be_anybody() {
        assert!(can_be(&[], &["tel:+31201234567"]));
        assert!(can_be(&["tel:+31201234567"], &[]));
    }
}
