//! Who listened to a recording or got a copy of it, in words.

use crate::view::asking::recipients;
use crate::view::when::When;
use voicelog_archive::{Access, Came};
use voicelog_model::{Action, Language};

/// One request, as a row.
#[derive(Debug, Clone)]
pub(crate) struct AccessView {
    pub(crate) at: When,
    /// The account, or that its name is gone.
    pub(crate) who: String,
    pub(crate) what: &'static str,
    /// The reason to listen, or whom the copy was for.
    pub(crate) why: String,
}

/// The rows, in the order given.
pub(crate) fn views(accesses: &[Access], lang: Language) -> Vec<AccessView> {
    accesses.iter().map(|access| view(access, lang)).collect()
}

fn view(access: &Access, lang: Language) -> AccessView {
    let gone = match access.came {
        Came::OnlyLogged => lang.pick(
            "niet meer bekend: alleen het logboek weet ervan, sinds het archief is teruggezet",
            "not known any more: only the log tells of it, since the archive was restored",
        ),
        _ => lang.pick("vernietigd met de opname", "destroyed with the recording"),
    };
    let who = access.asker.as_ref().map_or(gone, |asker| asker.expose());
    let (nl, en) = match (access.action == Action::Listen, access.came) {
        (true, Came::Opened | Came::OnlyLogged) => ("Beluisterd", "Listened to"),
        (true, Came::NotOpened) => (
            "Mocht beluisteren; niet geopend",
            "Might listen; not opened",
        ),
        (true, Came::Refused) => ("Beluisteren geweigerd", "Refused to listen"),
        (false, Came::Opened | Came::OnlyLogged) => ("Kopie gemaakt", "Copy made"),
        (false, Came::NotOpened) => (
            "Mocht een kopie maken; niet gemaakt",
            "Might make a copy; not made",
        ),
        (false, Came::Refused) => ("Kopie geweigerd", "Copy refused"),
    };
    let reason = access.reason.as_ref().map(|reason| reason.expose().clone());
    let role = match access.action {
        Action::FileInCourt => Some("court"),
        _ => access.recipient.as_deref(),
    };
    let recipient = role.map(|role| {
        let known = recipients(lang)
            .into_iter()
            .find(|choice| choice.value == role);
        known.map_or(role, |choice| choice.text).to_owned()
    });
    AccessView {
        at: When::new(access.at, lang),
        who: who.to_owned(),
        what: lang.pick(nl, en),
        why: reason.or(recipient).unwrap_or_default(),
    }
}
