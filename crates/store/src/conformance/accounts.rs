//! What every index promises about accounts, logins and settings.

use super::at;
use crate::index::{Account, Login};
use crate::{Index, StoreError};

pub(super) fn signs_people_in(index: &dyn Index) -> Result<(), StoreError> {
    let account = Account {
        name: "beheer".to_owned(),
        password_hash: "$argon2id$".to_owned(),
        role: "administrator".to_owned(),
        created_at: at(1),
    };
    assert_eq!(index.account_count()?, 0);
    index.insert_account(&account)?;
    assert!(matches!(
        index.insert_account(&account),
        Err(StoreError::Exists { .. })
    ));
    assert_eq!(index.account_count()?, 1);
    assert_eq!(index.account("beheer")?, Some(account));
    assert_eq!(index.account("Beheer")?, None);

    let login = |number: u8, expires: i64| Login {
        token_hash: [number; 32],
        account: "beheer".to_owned(),
        csrf: [9; 32],
        expires_at: at(expires),
    };
    index.insert_login(&login(1, 100), at(1))?;
    assert_eq!(index.login(&[1; 32], at(99))?, Some(login(1, 100)));
    assert_eq!(index.login(&[1; 32], at(100))?, None, "it has ended");
    assert_eq!(index.login(&[2; 32], at(1))?, None);
    index.insert_login(&login(2, 500), at(200))?;
    assert_eq!(
        index.login(&[1; 32], at(1))?,
        None,
        "ended logins are forgotten"
    );
    index.delete_login(&[2; 32])?;
    index.delete_login(&[2; 32])?;
    assert_eq!(index.login(&[2; 32], at(201))?, None);
    let stranger = Login {
        account: "nobody".to_owned(),
        ..login(3, 500)
    };
    assert!(index.insert_login(&stranger, at(1)).is_err());
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
    let account = Account {
        name: "beheer".to_owned(),
        password_hash: String::new(),
        role: "administrator".to_owned(),
        created_at: at(1),
    };
    assert!(!index.claim_first_account(&[4; 32], &account, at(1))?);
    assert!(
        !index.claim_first_account(&[2; 32], &account, at(1))?,
        "replaced"
    );
    assert!(
        !index.claim_first_account(&[3; 32], &account, at(100))?,
        "too late"
    );
    assert_eq!(index.account_count()?, 0);
    assert!(index.claim_first_account(&[3; 32], &account, at(1))?);
    assert_eq!(index.account_count()?, 1);
    assert!(!index.setup_token_works(&[3; 32], at(1))?, "once");
    index.set_setup_token(&[5; 32], at(100))?;
    assert!(
        !index.setup_token_works(&[5; 32], at(1))?,
        "there is an account"
    );
    let second = Account {
        name: "tweede".to_owned(),
        ..account
    };
    assert!(!index.claim_first_account(&[5; 32], &second, at(1))?);
    assert_eq!(index.account_count()?, 1);
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
