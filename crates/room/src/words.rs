//! Words that people read to each other: the code of a talk, and a fingerprint in short.

/// The letters and digits of a code: none that is taken for another.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of the code of a talk: 40 bits, for an hour.
pub(crate) const CODE_LETTERS: usize = 8;
/// Characters of the code of a copy: 60 bits, since it works for weeks.
pub(crate) const COPY_LETTERS: usize = 12;
const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 4] = b"aiou";
/// Words of a fingerprint, of 16 bits each.
const WORDS: usize = 4;

/// A code from random bytes.
pub(crate) fn code(random: &[u8]) -> String {
    let letters = random
        .iter()
        .map(|byte| letter(LETTERS, usize::from(byte & 31)));
    letters.collect()
}

/// The code of a talk as somebody typed it, as it was given out: in capitals, without what people put between.
pub(crate) fn typed(text: &str) -> Option<String> {
    typed_of(text, CODE_LETTERS)
}

/// The same of the code of a copy.
#[must_use]
pub fn typed_copy_code(text: &str) -> Option<String> {
    typed_of(text, COPY_LETTERS)
}

fn typed_of(text: &str, letters: usize) -> Option<String> {
    let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let code: String = kept
        .take(letters + 1)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let is_code = code.len() == letters && code.bytes().all(|b| LETTERS.contains(&b));
    is_code.then_some(code)
}

/// The first 64 bits of a hash as four words that can be said in Dutch and in English (proquints,
/// arXiv:0901.4016): `lusab-babad-gutih-tugad`.
pub(crate) fn words(hash: &[u8; 32]) -> String {
    let words = hash.chunks_exact(2).take(WORDS).map(|pair| {
        let bits = pair
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let consonant = |shift: u32| letter(CONSONANTS, bits >> shift & 15);
        let vowel = |shift: u32| letter(VOWELS, bits >> shift & 3);
        String::from_iter([
            consonant(12),
            vowel(10),
            consonant(6),
            vowel(4),
            consonant(0),
        ])
    });
    words.collect::<Vec<_>>().join("-")
}

fn letter(from: &[u8], place: usize) -> char {
    from.get(place).copied().map_or('?', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let given = code(&[0, 31, 7, 100, 255, 3, 9, 64]);
        assert_eq!(given.len(), 8);
        let spaced = {
            let (first, last) = given.split_at(4);
            format!(" {} {last}", first.to_lowercase())
        };
        assert_eq!(typed(&spaced), Some(given.clone()));
        assert_eq!(typed(&spaced.replace(' ', "-")), Some(given.clone()));
        for wrong in [
            given.split_at(1).1,
            &format!("{given}2"),
            "",
            "K7QM4T2O",
            "K7QM4T2é",
        ] {
            assert_eq!(typed(wrong), None, "{wrong}");
        }
        let longer = code(&[7; COPY_LETTERS]);
        assert_eq!(
            typed_copy_code(&longer.to_lowercase()),
            Some(longer.clone())
        );
        assert_eq!((typed(&longer), typed_copy_code(&given)), (None, None));
    }

    #[test]
    fn a_fingerprint_is_said_in_four_words() {
        // The example of the paper: 127.0.0.1 and 63.84.220.193.
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&[127, 0, 0, 1, 63, 84, 220, 193]);
        assert_eq!(words(&hash), "lusab-babad-gutih-tugad");
    }
}
