//! What every index promises about accounts, logins, invitations and settings.

use super::at;
use super::index::leaf;
use crate::index::{Ended, EndedAccount, Invitation, Login, NewAccount};
use crate::{Index, StoreError};
use voicelog_model::InvitationId;

/// An account that somebody's invitation makes, or nobody's the first one.
fn account(name: &str, invited_by: Option<&str>) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        password_hash: "$argon2id$".to_owned(),
        role: "administrator".to_owned(),
        created_at: at(1),
        invited_by: invited_by.map(str::to_owned),
        salt: [3; 32],
    }
}

/// Makes the first account.
pub(super) fn first_account(index: &dyn Index, name: &str) -> Result<(), StoreError> {
    index.set_setup_token(&[1; 32], at(100))?;
    let made = index.claim_first_account(&[1; 32], &account(name, None), &leaf(200), at(1))?;
    assert!(made);
    Ok(())
}

fn invitation(number: u8, name: &str, by: &str) -> Invitation {
    Invitation {
        id: InvitationId::new(at(1), [number; 10]),
        hash: [number; 32],
        name: name.to_owned(),
        invited_by: by.to_owned(),
        made_at: at(1),
        expires_at: at(100),
    }
}

/// Makes one more, by an invitation.
pub(super) fn further_account(
    index: &dyn Index,
    number: u8,
    name: &str,
    by: &str,
) -> Result<(), StoreError> {
    assert!(index.invite(&invitation(number, name, by))?);
    let new = account(name, Some(by));
    assert!(index.claim_invitation(&[number; 32], &new, &leaf(200 + number), at(2))?);
    Ok(())
}

fn login(number: u8, account: &str, expires: i64) -> Login {
    Login {
        token_hash: [number; 32],
        account: account.to_owned(),
        csrf: [9; 32],
        expires_at: at(expires),
    }
}

pub(super) fn signs_people_in(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.account_count()?, 0);
    first_account(index, "beheer")?;
    assert_eq!(index.account_count()?, 1);
    let kept = index.account("beheer")?;
    assert_eq!(
        kept.map(|kept| (kept.password_hash, kept.signed_in_at)),
        Some(("$argon2id$".to_owned(), None))
    );
    assert_eq!(index.account("Beheer")?, None);

    assert!(index.insert_login(&login(1, "beheer", 100), at(1))?);
    let kept = index.account("beheer")?;
    assert_eq!(kept.and_then(|kept| kept.signed_in_at), Some(at(1)));
    assert_eq!(
        index.login(&[1; 32], at(99))?,
        Some(login(1, "beheer", 100))
    );
    assert_eq!(index.login(&[1; 32], at(100))?, None, "it has ended");
    assert_eq!(index.login(&[2; 32], at(1))?, None);
    index.insert_login(&login(2, "beheer", 500), at(200))?;
    assert_eq!(
        index.login(&[1; 32], at(1))?,
        None,
        "ended logins are forgotten"
    );
    index.delete_login(&[2; 32])?;
    index.delete_login(&[2; 32])?;
    assert_eq!(index.login(&[2; 32], at(201))?, None);
    assert!(!index.insert_login(&login(3, "nobody", 500), at(1))?);
    assert_eq!(index.login(&[3; 32], at(2))?, None);

    // A new password ends the logins of the old one, but for the one that set it.
    index.insert_login(&login(4, "beheer", 500), at(1))?;
    index.insert_login(&login(5, "beheer", 500), at(1))?;
    assert!(index.set_password("beheer", "new", &[4; 32])?);
    assert!(index.login(&[4; 32], at(2))?.is_some());
    assert_eq!(index.login(&[5; 32], at(2))?, None);
    let kept = index.account("beheer")?;
    assert_eq!(kept.map(|kept| kept.password_hash), Some("new".to_owned()));
    assert!(!index.set_password("nobody", "new", &[4; 32])?);
    Ok(())
}

pub(super) fn is_set_up_once(index: &dyn Index) -> Result<(), StoreError> {
    assert!(!index.setup_token_works(&[1; 32], at(1))?, "none is set");
    index.set_setup_token(&[1; 32], at(100))?;
    index.set_setup_token(&[2; 32], at(100))?;
    assert!(!index.setup_token_works(&[1; 32], at(1))?, "replaced");
    assert!(!index.setup_token_works(&[2; 32], at(100))?, "too late");
    assert!(index.setup_token_works(&[2; 32], at(99))?);
    assert!(index.setup_token_works(&[2; 32], at(99))?, "only looked at");

    index.set_setup_token(&[3; 32], at(100))?;
    let first = account("beheer", None);
    let claim = |hash, account, now| index.claim_first_account(&hash, account, &leaf(9), at(now));
    assert!(!claim([4; 32], &first, 1)?);
    assert!(!claim([2; 32], &first, 1)?, "replaced");
    assert!(!claim([3; 32], &first, 100)?, "too late");
    assert_eq!(index.account_count()?, 0);
    assert_eq!(index.pending_leaves(9)?, [], "nothing to tell");
    assert!(claim([3; 32], &first, 1)?);
    assert_eq!(index.account_count()?, 1);
    assert_eq!(index.pending_leaves(9)?, [leaf(9)]);
    assert!(!index.setup_token_works(&[3; 32], at(1))?, "once");
    index.set_setup_token(&[5; 32], at(100))?;
    assert!(
        !index.setup_token_works(&[5; 32], at(1))?,
        "there is an account"
    );
    assert!(!claim([5; 32], &account("tweede", None), 1)?);
    assert_eq!(index.account_count()?, 1);
    Ok(())
}

pub(super) fn invites_people(index: &dyn Index) -> Result<(), StoreError> {
    first_account(index, "beheer")?;
    let uninvited = index.invite(&invitation(9, "x", "nobody"));
    assert!(matches!(uninvited, Err(StoreError::NotFound { .. })));
    assert!(!index.invite(&invitation(9, "beheer", "beheer"))?, "taken");
    let one = invitation(2, "anna", "beheer");
    assert!(index.invite(&one)?);
    assert!(!index.invite(&invitation(3, "anna", "beheer"))?, "invited");
    assert_eq!(index.invitations(at(2))?, std::slice::from_ref(&one));
    assert_eq!(index.invitation(&[2; 32], at(99))?, Some(one));
    assert_eq!(index.invitation(&[2; 32], at(100))?, None, "too late");
    assert_eq!(index.invitations(at(100))?, []);

    let claim = |name, by, now| {
        let new = account(name, Some(by));
        index.claim_invitation(&[2; 32], &new, &leaf(8), at(now))
    };
    assert!(!claim("bert", "beheer", 2)?, "it is anna's");
    assert!(!claim("anna", "anna", 2)?, "who invited is not chosen");
    assert!(!claim("anna", "beheer", 100)?, "too late");
    assert!(claim("anna", "beheer", 99)?);
    assert!(!claim("anna", "beheer", 99)?, "once");
    let anna = index.account("anna")?;
    assert_eq!(
        anna.and_then(|anna| anna.invited_by).as_deref(),
        Some("beheer")
    );
    assert!(index.pending_leaves(9)?.contains(&leaf(8)));

    let withdrawn = invitation(4, "carla", "anna");
    assert!(index.invite(&withdrawn)?);
    assert!(index.withdraw_invitation(withdrawn.id)?);
    assert!(!index.withdraw_invitation(withdrawn.id)?);
    assert_eq!(index.invitation(&[4; 32], at(2))?, None);
    // One that nobody used keeps nobody from being invited under that name.
    assert!(index.invite(&withdrawn)?);
    let later = Invitation {
        made_at: at(100),
        expires_at: at(200),
        ..invitation(5, "carla", "anna")
    };
    assert!(index.invite(&later)?);
    Ok(())
}

pub(super) fn ends_accounts(index: &dyn Index) -> Result<(), StoreError> {
    first_account(index, "beheer")?;
    let ended = |by: &str| Ended {
        at: at(50),
        by: by.to_owned(),
        salt: [4; 32],
    };
    let end = |name: &str, by: &str| index.end_account(name, &ended(by), &leaf(7));
    assert_eq!(end("beheer", "beheer")?, EndedAccount::IsLast);
    assert!(index.account("beheer")?.is_some());
    further_account(index, 2, "anna", "beheer")?;
    index.insert_login(&login(1, "anna", 500), at(1))?;
    assert!(index.invite(&invitation(3, "carla", "anna"))?);
    assert_eq!(end("nobody", "beheer")?, EndedAccount::NotThere);
    assert_eq!(end("anna", "beheer")?, EndedAccount::Done);
    assert!(index.pending_leaves(99)?.contains(&leaf(7)));
    assert_eq!(end("anna", "beheer")?, EndedAccount::NotThere, "once");
    assert_eq!(index.account("anna")?, None, "nobody signs in with it");
    assert_eq!(index.login(&[1; 32], at(51))?, None, "its logins end");
    assert!(
        !index.insert_login(&login(2, "anna", 500), at(51))?,
        "one who was signing in meanwhile gets none"
    );
    assert_eq!(index.invitations(at(51))?, [], "nor do those it invited");
    assert!(
        end("beheer", "anna").is_err(),
        "who has no account ends none"
    );
    assert_eq!(end("beheer", "beheer")?, EndedAccount::IsLast);
    assert!(
        !index.invite(&invitation(6, "anna", "beheer"))?,
        "its name is never given again"
    );
    let all = index.list_accounts()?;
    let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["beheer", "anna"]);
    let last = all
        .last()
        .map(|one| (one.ended.clone(), one.password_hash.as_str()));
    assert_eq!(last, Some((Some(ended("beheer")), "")));
    let before = index.list_accounts()?;
    index.tell_accounts(&[("beheer".to_owned(), [1; 32], leaf(6))])?;
    assert_eq!(index.list_accounts()?, before, "told");
    Ok(())
}

pub(super) fn keeps_settings(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.setting("log.key")?, None);
    index.set_setting("log.key", b"one")?;
    index.set_setting("log.key", b"two")?;
    assert_eq!(index.setting("log.key")?.as_deref(), Some(&b"two"[..]));
    let id = index.setting("archive")?;
    assert_eq!(id.as_deref(), Some(&index.archive().0[..]));
    assert!(matches!(
        index.set_setting("archive", b"x"),
        Err(StoreError::Invalid { .. })
    ));
    Ok(())
}
