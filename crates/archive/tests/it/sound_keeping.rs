//! Sound of its own term, in backups and under the keys above its key.

use crate::backup::{World, later, opens, restore, verifier, wrong};
use crate::keys::{epoch_of, master, opened, under, whole, with_master};
use crate::sound::{end_sound, record_on};
use crate::support::*;
use std::sync::{Arc, OnceLock};
use voicelog_archive::backup::RestoreInput;
use voicelog_archive::check::Level;
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, HoldAsked, HoldGround, State, Verdict};
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::key::sound_key_name;
use voicelog_model::{RecordingId, Scope};
use voicelog_store::Layout;
use voicelog_store::faulty::Schedule;

/// One row of the index is changed by hand, and that is the only thing that the check finds.
fn is_found(world: World, change: &str, what: &str) {
    let again = world.made.crash_then(|folder| {
        let index = rusqlite::Connection::open(folder.join("index.db")).unwrap();
        assert_eq!(index.execute(change, []).unwrap(), 1);
    });
    let found = wrong(&again.archive);
    assert!(found.len() == 1 && found[0].contains(what), "{found:?}");
}

#[test]
fn a_restore_of_a_backup_from_before_takes_the_sound_away_and_nothing_else() {
    let world = World::new();
    let ids = [0, 1].map(|_| record_on(world.archive(), "short_sound"));
    let [gone, kept] = ids;
    world.back_up();
    end_sound(world.archive(), gone);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    assert!(opens(&again.archive, kept));
    let trace = again.archive.trace(gone).unwrap();
    assert_eq!(
        (trace.blobs, trace.has_sound_key, trace.has_key),
        (0, false, true)
    );
    let detail = again.archive.detail(gone).unwrap();
    assert_eq!(detail.summary.state, State::WithoutSound);
    let before = world.archive().detail(gone).unwrap();
    assert_eq!(
        detail.summary.sound_destroyed_at,
        before.summary.sound_destroyed_at
    );
    assert_eq!(
        (&detail.timeline, &detail.manifest),
        (&before.timeline, &before.manifest)
    );
    let [now, then] = [detail, before].map(|detail| {
        let signed = detail.sound_certificate.unwrap();
        Certificate::verify(signed.as_bytes(), &verifier())
            .unwrap()
            .0
    });
    assert_eq!((now.statement, now.leaf), (then.statement, then.leaf));
    assert_eq!(wrong(&again.archive), [""; 0]);
    // The key and the object of that sound were not even written.
    let folder = tempfile::tempdir().unwrap();
    let unpacked = input.unpack(
        &Layout::in_folder(folder.path()),
        &crate::backup::backup_key(1),
    );
    assert_eq!(unpacked.unwrap().left_out, 2);

    // The rest goes in the archive that was made again as in the one before.
    let answer = again.archive.ask_to_destroy(gone, later()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    again.archive.destroy(permit, later()).unwrap();
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn a_backup_made_after_the_sound_went_has_none_of_it() {
    let world = World::new();
    let id = record_on(world.archive(), "short_sound");
    world.back_up();
    end_sound(world.archive(), id);
    let second = world.back_up();
    assert!(second.removed > 0, "the object goes from the folder");
    assert_eq!((second.copied, second.kept), (0, 0));
    let (again, restored) = restore(&world.input()).unwrap();
    assert_eq!(restored.buried, 0);
    assert_eq!(
        again.archive.summary(id).unwrap().state,
        State::WithoutSound
    );
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn both_ends_after_a_backup_are_both_there_after_a_restore() {
    let world = World::new();
    let id = record_on(world.archive(), "short_sound");
    world.back_up();
    end_sound(world.archive(), id);
    world.destroy(id);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let (again, _restored) = restore(&input).unwrap();
    let detail = again.archive.detail(id).unwrap();
    assert_eq!(detail.summary.state, State::Destroyed);
    for (signed, scope) in [
        (detail.sound_certificate, Scope::Sound),
        (detail.certificate, Scope::Whole),
    ] {
        let signed = signed.unwrap();
        let (certificate, _) = Certificate::verify(signed.as_bytes(), &verifier()).unwrap();
        assert_eq!(certificate.statement.scope, scope);
    }
    let trace = again.archive.trace(id).unwrap();
    assert_eq!((trace.has_key, trace.has_sound_key), (false, false));
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn a_check_misses_the_certificate_of_the_whole_also_where_the_sound_went_in_the_same_moment() {
    let world = World::new();
    let id = record_on(world.archive(), "short_sound");
    let mut answers = world.archive().ask_to_destroy_sound_all(&[id], later());
    let Verdict::Permit(permit) = answers.remove(0).1.unwrap().verdict else {
        panic!("refused")
    };
    let ended = world.archive().destroy_sound_all(vec![permit], later());
    assert!(ended.unwrap()[0].outcome.is_ok());
    world.destroy(id);
    let summary = world.archive().summary(id).unwrap();
    assert_eq!(summary.destroyed_at, summary.sound_destroyed_at);
    assert_eq!(wrong(world.archive()), [""; 0]);
    let taken = "UPDATE destructions SET certificate = NULL WHERE scope = 'whole'";
    is_found(world, taken, "certificate of destruction is missing");
}

#[test]
fn of_a_call_that_ran_when_the_backup_was_made_and_lost_its_sound_since_a_tombstone_is_left() {
    let world = World::new();
    let call = open_call(world.archive(), "short_sound");
    let writer = write_media(world.archive(), &call, 50);
    world.archive().commit().unwrap();
    world.back_up();
    end(world.archive(), writer, 50).unwrap();
    world.archive().sequence().unwrap();
    end_sound(world.archive(), call.id);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let (again, _restored) = restore(&input).unwrap();
    let detail = again.archive.detail(call.id).unwrap();
    assert_eq!(detail.summary.state, State::Destroyed);
    assert!(detail.sound_certificate.is_some());
    assert_eq!(wrong(&again.archive), [""; 0]);
}

/// Ends the sound of a recording in a process that dies once the intent is durable.
fn begin_to_end_sound(world: World, id: RecordingId) -> World {
    let World { made, place } = world;
    let folder = made.folder;
    drop(made.archive);
    let own = Arc::new(OnceLock::<Schedule>::new());
    let schedule = Schedule::interrupted("begin_destructions", {
        let own = Arc::clone(&own);
        move || own.get().unwrap().kill()
    });
    own.set(schedule.clone()).unwrap();
    let stopped = end_sound(&faulty(folder.path(), &schedule), id);
    assert!(stopped.outcome.is_err() && schedule.is_dead());
    let archive = Arc::new(Archive::open(parts(folder.path())));
    World {
        made: Fixture { archive, folder },
        place,
    }
}

#[test]
fn of_one_that_ran_in_the_backup_and_was_about_to_lose_its_sound_a_tombstone_is_left_as_well() {
    let world = World::new();
    let call = open_call(world.archive(), "short_sound");
    let writer = write_media(world.archive(), &call, 50);
    world.archive().commit().unwrap();
    world.back_up();
    end(world.archive(), writer, 50).unwrap();
    world.archive().sequence().unwrap();
    let world = begin_to_end_sound(world, call.id);
    let begun = || world.list(0);
    let mut all = vec![(vec![begun()], false), (vec![begun(), begun()], false)];
    let first = begun();
    assert_eq!(
        world.archive().recover(later()).unwrap().destroyed,
        [call.id]
    );
    all.push((vec![first, world.list(0)], true));
    for (lists, is_certified) in all {
        let input = RestoreInput {
            lists,
            ..world.input()
        };
        let (again, restored) = restore(&input).unwrap();
        assert_eq!(restored.unfinished, []);
        let detail = again.archive.detail(call.id).unwrap();
        assert_eq!(detail.summary.state, State::Destroyed);
        assert_eq!(detail.sound_certificate.is_some(), is_certified);
        let trace = again.archive.trace(call.id).unwrap();
        assert_eq!(
            (trace.blobs, trace.has_sound_key, trace.has_key),
            (0, false, false)
        );
        for level in [Level::Presence, Level::Hash] {
            assert_eq!(again.archive.check(level).unwrap().wrong, []);
        }
    }
}

#[test]
fn a_hold_that_was_lifted_before_the_sound_went_stays_readable_after_a_restore_from_before() {
    let world = World::new();
    let id = record_on(world.archive(), "short_sound");
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: seconds(86_400),
        note: None,
        by: asker(),
    };
    let place = |archive: &Archive| archive.place_hold(id, &asked, seconds(60)).unwrap().id;
    let hold = place(world.archive());
    world.back_up();
    let by = asker();
    world
        .archive()
        .release(hold, &by, &by, seconds(90))
        .unwrap();
    end_sound(world.archive(), id);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let (again, _restored) = restore(&input).unwrap();
    let opened = again.archive.holds_opened(id).unwrap();
    assert_eq!(opened.len(), 1);
    assert!(opened[0].hold.lifted_at.is_some());
    let details = opened[0].details.clone().unwrap();
    assert_eq!(
        (details.owner, details.released),
        (asked.owner.clone(), None)
    );
    assert_eq!(wrong(&again.archive), [""; 0]);

    // Where nothing was restored, a hold that nobody lifted in words is named.
    place(world.archive());
    let lifted = "UPDATE holds SET lifted_at = placed_at WHERE lifted_at IS NULL";
    is_found(world, lifted, "nothing says by whom");
}

#[test]
fn another_epoch_takes_both_keys_and_the_old_one_opens_neither() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    let id = record_on(&archive, "short_sound");
    assert_eq!(archive.new_epoch(START).unwrap(), 2);
    let done = archive.rewrap(START).unwrap();
    assert_eq!((done.moved, done.destroyed), (3, vec![1]));
    assert_eq!(done.stuck, []);
    for name in [id, sound_key_name(id)] {
        assert_eq!(epoch_of(path, name), 2);
    }
    whole(&archive);
    end_sound(&archive, id);
    assert_eq!(archive.key_state().unwrap().epochs[0].data_keys, 2);
    whole(&archive);
}

#[test]
fn a_process_with_only_the_public_key_records_with_two_keys_and_ends_the_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let recorder = opened(path, EpochKeys::public_only());
    let id = record_on(&recorder, "short_sound");
    end_sound(&recorder, id);
    drop(recorder);
    let archive = under(path, master());
    assert_eq!(archive.summary(id).unwrap().state, State::WithoutSound);
    whole(&archive);
}
