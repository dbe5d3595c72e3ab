//! Media streams: what one direction of a conversation carries.

use crate::Codec;
use serde::{Deserialize, Serialize};

/// Number of a media stream within its recording, from 1, in the order of the offer's `m=` lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamNumber(pub u16);

impl std::fmt::Display for StreamNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A codec and the RTP payload type that stands for it in one stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// The codec.
    pub codec: Codec,
    /// RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// What `a=fmtp` says of it (RFC 8866 §6.15), where reading it depends on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
}

impl Format {
    /// The value of one of its parameters, by a name in any case: `octet-align=1`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.as_deref()?.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// One direction of media in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaStream {
    /// Which stream.
    pub number: StreamNumber,
    /// The SDP label (RFC 4574) that rs-metadata refers to, if the other side gave one.
    pub label: Option<String>,
    /// Codec negotiated: the preferred one, where there are several.
    pub codec: Codec,
    /// RTP payload type negotiated for it.
    pub payload_type: u8,
    /// As [`Format::parameters`], of that codec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// What else may come: further codecs, comfort noise, key presses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Format>,
    /// Pseudonym (`p1`, `p2` …) of the party whose voice this is, if the metadata says so.
    pub party: Option<String>,
}

impl MediaStream {
    /// A stream of these formats, the preferred one first. `None` without any.
    #[must_use]
    pub fn of_formats(number: StreamNumber, formats: &[Format]) -> Option<Self> {
        let (first, also) = formats.split_first()?;
        Some(Self {
            number,
            label: None,
            codec: first.codec.clone(),
            payload_type: first.payload_type,
            parameters: first.parameters.clone(),
            also: also.to_vec(),
            party: None,
        })
    }

    /// Everything that was negotiated, the preferred format first.
    #[must_use]
    pub fn formats(&self) -> Vec<Format> {
        let mut formats = vec![Format {
            codec: self.codec.clone(),
            payload_type: self.payload_type,
            parameters: self.parameters.clone(),
        }];
        formats.extend_from_slice(&self.also);
        formats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_name_in_any_case() {
        let format = Format {
            codec: Codec::Amr,
            payload_type: 96,
            parameters: Some("mode-set=0,2; Octet-Align = 1".into()),
        };
        assert_eq!(format.parameter("octet-align"), Some("1"));
        assert_eq!(format.parameter("mode-set"), Some("0,2"));
        assert_eq!(format.parameter("crc"), None);
    }

    #[test]
    fn a_stream_of_one_format_is_written_as_it_always_was() {
        let text = r#"{"number":1,"label":"96","codec":"PCMA","payload_type":8,"party":null}"#;
        let stream: MediaStream = serde_json::from_str(text).unwrap();
        assert_eq!(stream.codec, Codec::Pcma);
        assert_eq!(serde_json::to_string(&stream).unwrap(), text);
        assert_eq!(MediaStream::of_formats(StreamNumber(1), &[]), None);
        let formats = stream.formats();
        assert_eq!(
            MediaStream::of_formats(StreamNumber(1), &formats)
                .unwrap()
                .formats(),
            formats
        );
    }
}
