//! The folder that a run writes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use transect_core::{Digest, Error, Fits, Result, Stage, codes};

use crate::describe::Known;
use crate::plan::Plan;

/// The folder given by `--out`, locked while this value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
    /// What stage 0 found in this process on the rows that a later stage asks it of. A run that goes on, or a shard, estimates again what is not here, which
    /// gives the same.
    known: Mutex<BTreeMap<u32, (Digest, Arc<Known>)>>,
}

impl Folder {
    /// Makes the folder where it is not there, locks it, and checks that what it holds is of this plan.
    ///
    /// # Errors
    /// `T601` when another process holds the lock, `T602` when the folder holds another plan, `T604` when it cannot be
    /// written, `T622` when it holds files that are no run's.
    pub fn open(path: &Path, plan: &Plan) -> Result<Self> {
        usable(path)?;
        make_folder(path)?;
        let lock_path = path.join(".lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|e| unwritten(&lock_path, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    &codes::measure::RUN_LOCKED,
                    "another transect is writing to this folder",
                )
                .at(path)
                .help("wait until it ends, or give another --out"));
            }
            Err(TryLockError::Error(e)) => return Err(unwritten(&lock_path, &e)),
        }
        let stamp = path.join("plan.json");
        match fs::read(&stamp) {
            Ok(bytes) => {
                let there = Plan::from_json(&bytes)
                    .map_err(|e| e.at(&stamp))?
                    .record()
                    .plan_sha256;
                let here = plan.record().plan_sha256;
                if there != here {
                    return Err(Error::new(
                        &codes::measure::RUN_OTHER,
                        "this folder holds parts of another run",
                    )
                    .at(path)
                    .note(format!("plan there: {}", &there.hex()[..12]))
                    .note(format!("plan here:  {}", &here.hex()[..12]))
                    .help("give another --out, or delete the folder if its run is not needed"));
                }
            }
            Err(_) => write_atomically(&stamp, &plan.to_json())?,
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
            known: Mutex::default(),
        })
    }

    /// Keeps what was found on the image of a row.
    pub(crate) fn keep(&self, row: u32, image: Digest, known: Known) {
        if let Ok(mut all) = self.known.lock() {
            all.insert(row, (image, Arc::new(known)));
        }
    }

    /// What was found on a row, where it was on this image.
    pub(crate) fn known(&self, row: u32, image: Digest) -> Option<Arc<Known>> {
        let all = self.known.lock().ok()?;
        let (of, known) = all.get(&row)?;
        (*of == image).then(|| Arc::clone(known))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the parts of a stage lie.
    pub fn parts(&self, stage: Stage) -> PathBuf {
        parts(&self.path, stage)
    }

    /// The fits of stage 2, where they have been made.
    ///
    /// # Errors
    /// `T605` when they are damaged.
    pub fn fits(&self) -> Result<Option<Fits>> {
        let path = self.path.join("fits.json");
        match fs::read(&path) {
            Err(_) => Ok(None),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
                Error::new(
                    &codes::measure::TABLE_DAMAGED,
                    format!("the fits are damaged: {e}"),
                )
                .at(path)
            }),
        }
    }
}

/// Makes a folder, and those above it.
///
/// # Errors
/// `T604` when it cannot be made, or something else has its name.
pub fn make_folder(path: &Path) -> Result<()> {
    if let Some(file) = path.ancestors().find(|p| p.is_file()) {
        return Err(Error::new(
            &codes::measure::TABLE_UNWRITTEN,
            format!("{} is a file, not a folder", file.display()),
        )
        .at(path)
        .help("name a folder that is not there yet; it is made"));
    }
    fs::create_dir_all(path).map_err(|e| {
        Error::new(
            &codes::measure::TABLE_UNWRITTEN,
            format!("cannot make the folder: {e}"),
        )
        .at(path)
        .help("name a folder that you may write to")
    })
}

/// Whether a run may write into a folder: it is not there, empty, or a run's. Hidden files do not count.
///
/// # Errors
/// `T604` when it is a file, `T622` when it holds files that are no run's.
pub fn usable(path: &Path) -> Result<()> {
    if path.is_file() {
        return make_folder(path);
    }
    if path.join("plan.json").is_file() {
        return Ok(());
    }
    let Ok(entries) = fs::read_dir(path) else {
        return Ok(());
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !name.starts_with("plan.json."))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    Err(Error::new(
        &codes::measure::FOLDER_FOREIGN,
        "this folder holds files that are not of a run",
    )
    .at(path)
    .note(format!(
        "{}{}",
        names.join(", "),
        if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        }
    ))
    .help("name a folder that is not there yet, or an empty one, so that nothing is written over"))
}

/// Where the parts of a stage lie in a run's folder.
pub(crate) fn parts(folder: &Path, stage: Stage) -> PathBuf {
    folder.join("parts").join(match stage {
        Stage::Items => "0-items",
        Stage::Own => "1-own",
        Stage::Partner => "2-partner",
    })
}

pub(crate) fn unwritten(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::new(&codes::measure::TABLE_UNWRITTEN, format!("cannot write: {cause}"))
        .at(path)
        .help("free some space or make the folder writable, then run the same command again: what was finished is kept")
}

/// Writes a file under a temporary name, syncs it and renames it: it is there whole or not at all.
///
/// # Errors
/// `T604` when it cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension(format!(
        "{}.tmp",
        path.extension().and_then(|e| e.to_str()).unwrap_or("x")
    ));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().map_err(|e| {
        let _ = fs::remove_file(&temporary);
        unwritten(path, &e)
    })
}
