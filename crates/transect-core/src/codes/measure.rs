//! Plan, run, tables: T600 to T699.
use super::codes;
codes! {
    /// Something else writes to the folder.
    RUN_LOCKED = "T601", Usage, "another run is writing to this folder",
        "Two runs may not write to one folder at a time. Wait for the other to end, or choose another --out. The lock is the operating system's own, so a killed run leaves none behind.";
}
