//! The dialects as tables.

use super::{BodyStyle, DirectionLine, Ids, SdpStyle, Sends, Style, Times, XmlStyle};

const SIPREC: &[(&str, &str)] = &[("Require", "siprec")];

const BODY: BodyStyle = BodyStyle {
    boundary: None,
    preamble: "",
    metadata_first: false,
    sdp_headers: "Content-Type: application/sdp\r\nContent-Disposition: session;handling=required\r\n",
    metadata_headers: "Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n",
    third_part: "",
    closes: true,
};

/// An SDP part without a disposition, a metadata part in the type of the drafts.
const BODY_OLD_TYPE: BodyStyle = BodyStyle {
    sdp_headers: "Content-Type: application/sdp\r\n",
    metadata_headers: "Content-Type: application/rs-metadata\r\n",
    ..BODY
};

const SDP: SdpStyle = SdpStyle {
    owner: "-",
    says_address: true,
    says_labels: true,
    direction: DirectionLine::Media,
    extra: "",
};

const XML: XmlStyle = XmlStyle {
    prolog: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    root: "recording",
    prefix: "",
    attributes: "xmlns=\"urn:ietf:params:xml:ns:recording:1\"",
    data_mode: "datamode",
    long_names: true,
    name_id: true,
    ids: Ids::Base64,
    sends: Sends::Associations,
    times: Times::Rfc3339,
    in_group: "",
    in_stream: "",
    at_end: "",
    numbers_at: None,
};

/// The metadata of the drafts before RFC 7865.
const XML_DRAFT: XmlStyle = XmlStyle {
    attributes: "xmlns=\"urn:ietf:params:xml:ns:recording\"",
    long_names: false,
    sends: Sends::Inside,
    times: Times::NoZone,
    ..XML
};

const XML_EARLY_DRAFT: XmlStyle = XmlStyle {
    root: "recording_metadata",
    attributes: "xmlns=\"urn:ietf:params:xml:ns:siprec\"",
    data_mode: "dataMode",
    name_id: false,
    ids: Ids::Urn,
    sends: Sends::InsideId,
    times: Times::Rfc3339,
    ..XML_DRAFT
};

pub(super) const PLAIN: Style = Style {
    contact: ";+sip.src",
    headers: SIPREC,
    names_in_headers: false,
    stand_in: None,
    body: BODY,
    sdp: SDP,
    xml: XML,
};

pub(super) const ORACLE: Style = Style {
    headers: &[("MIME-Version", "1.0"), ("Require", "siprec")],
    body: BodyStyle {
        boundary: Some("unique-boundary-1"),
        preamble: "\r\n",
        sdp_headers: "Content-Type: application/sdp\r\n",
        ..BODY
    },
    xml: XmlStyle {
        data_mode: "dataMode",
        in_stream: "<mode>separate</mode>",
        ..XML_DRAFT
    },
    ..PLAIN
};

pub(super) const CUBE: Style = Style {
    headers: &[("Require", "siprec"), ("Supported", "timer,replaces")],
    body: BodyStyle {
        boundary: Some("uniqueBoundary"),
        metadata_first: true,
        third_part: "Content-Type: application/gtd\r\nContent-Disposition: signal;handling=optional\r\n\r\nIAM,\r\nPRN,isdn*,,,\r\n",
        ..BODY
    },
    sdp: SdpStyle {
        owner: "CiscoSystemsSIP-GW-UserAgent",
        ..SDP
    },
    xml: XmlStyle {
        sends: Sends::Empty,
        ..XML
    },
    ..PLAIN
};

pub(super) const NBR: Style = Style {
    contact: "",
    headers: &[("Supported", "timer")],
    names_in_headers: true,
    sdp: SdpStyle {
        owner: "CiscoSystemsCCM-SIP",
        says_labels: false,
        direction: DirectionLine::Unsaid,
        ..SDP
    },
    ..PLAIN
};

pub(super) const BROADWORKS: Style = Style {
    contact: ";src",
    headers: &[],
    body: BodyStyle {
        boundary: Some("UniqueBroadWorksBoundary"),
        sdp_headers: "Content-Type:application/sdp\r\n",
        metadata_headers: "Content-Type:application/rs-metadata+xml\r\n",
        ..BODY
    },
    sdp: SdpStyle {
        owner: "BroadWorks",
        direction: DirectionLine::Session,
        ..SDP
    },
    xml: XmlStyle {
        in_stream: "<mode>mixed</mode>",
        ..XML_EARLY_DRAFT
    },
    ..PLAIN
};

pub(super) const WEBEX: Style = Style {
    contact: ";+sip.src",
    headers: SIPREC,
    body: BodyStyle {
        metadata_first: true,
        ..BROADWORKS.body
    },
    sdp: SDP,
    xml: XmlStyle {
        in_stream: "<mode>separate</mode>",
        ..XML_EARLY_DRAFT
    },
    ..PLAIN
};

pub(super) const METASWITCH: Style = Style {
    body: BODY_OLD_TYPE,
    sdp: SdpStyle {
        direction: DirectionLine::Unsaid,
        ..SDP
    },
    xml: XmlStyle {
        attributes: "xmlns=\"urn:ietf:params:xml:ns:recording\"",
        at_end: "<metaswitchRecordingMetadata xmlns=\"\"/>",
        ..XML
    },
    ..PLAIN
};

pub(super) const AVAYA: Style = Style {
    stand_in: Some("sip:SBC@vendor.example"),
    body: BodyStyle {
        boundary: Some("foobar"),
        ..BODY
    },
    xml: XmlStyle {
        data_mode: "dataMode",
        times: Times::NoZone,
        // A stream that is announced and never offered.
        at_end: "<stream stream_id=\"\"><label>20</label></stream>",
        ..XML
    },
    ..PLAIN
};

pub(super) const RIBBON: Style = Style {
    xml: XmlStyle {
        prefix: "tns:",
        attributes: "xmlns:tns=\"urn:ietf:params:xml:ns:recording\"",
        sends: Sends::Crossed,
        times: Times::NeverSet,
        at_end: "<callData xmlns=\"http://vendor.example/callData\"><fromhdr>x</fromhdr></callData>",
        ..XML
    },
    ..PLAIN
};

pub(super) const AUDIOCODES: Style = Style {
    body: BODY_OLD_TYPE,
    sdp: SdpStyle {
        owner: "AudiocodesGW",
        ..SDP
    },
    xml: XmlStyle {
        attributes: "xmlns=\"urn:ietf:params:xml:ns:recording\" xmlns:ac=\"http://vendor.example/ac\"",
        ids: Ids::Telling,
        ..XML_DRAFT
    },
    ..PLAIN
};

pub(super) const OPENSIPS: Style = Style {
    body: BodyStyle {
        boundary: Some("OSS-unique-boundary-42"),
        sdp_headers: "Content-Type: application/sdp\r\n",
        ..BODY
    },
    sdp: SdpStyle {
        says_address: false,
        ..SDP
    },
    xml: XmlStyle {
        attributes: "xmlns='urn:ietf:params:xml:ns:recording:1'",
        sends: Sends::Empty,
        times: Times::NoColon,
        // As copied from a URI with headers: nobody escaped it.
        numbers_at: Some("pbx.example?a=1&b=2"),
        ..XML
    },
    ..PLAIN
};

pub(super) const SEMS: Style = Style {
    body: BodyStyle {
        closes: false,
        ..BODY_OLD_TYPE
    },
    sdp: SdpStyle {
        extra: "a=direction:both\r\n",
        ..SDP
    },
    xml: XmlStyle {
        sends: Sends::OtherLabels,
        ..XML
    },
    ..PLAIN
};

pub(super) const NETSAPIENS: Style = Style {
    xml: XmlStyle {
        attributes: "xmlns=\"urn:ietf:params:xml:ns:recording:1\" xmlns:ns=\"http://vendor.example/siprec\"",
        ids: Ids::Telling,
        in_group: "<ns:groupSeq>1</ns:groupSeq>",
        ..XML
    },
    ..PLAIN
};

pub(super) const PJSIP: Style = Style {
    sdp: SdpStyle {
        direction: DirectionLine::Session,
        ..SDP
    },
    ..PLAIN
};
