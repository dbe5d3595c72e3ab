//! How a hash is written: `sha256:` and 64 hexadecimal digits.

pub(crate) fn text_of(digest: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in digest {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
