//! `transect explain`.

use std::fmt::Write;

use transect_core::attribute::ATTRIBUTES;
use transect_core::{Error, Modality, codes};

use crate::Outcome;
use crate::args::ExplainArgs;
use crate::console;

pub(crate) fn run(args: &ExplainArgs) -> Outcome {
    let mut text = String::new();
    match args.what.as_str() {
        "codes" => {
            for code in codes::all() {
                let _ = writeln!(text, "{}  {}", code.id, code.title);
            }
        }
        "modes" => {
            for mode in transect_anatomy::modes() {
                let _ = writeln!(text, "{:<14} {}", mode.name, mode.question);
            }
        }
        "corruptions" => {
            let all = [
                Modality::Fluorescence,
                Modality::Brightfield,
                Modality::Phase,
                Modality::Spectral,
                Modality::Photo,
                Modality::Unknown,
            ];
            for corruption in transect_optics::corruptions() {
                let ladder = all.iter().find_map(|m| {
                    transect_optics::ladders(m, &transect_core::context::Optics::default())
                        .into_iter()
                        .find(|l| l.name == corruption.name)
                });
                let _ = write!(text, "{:<20}", corruption.name);
                if let Some(ladder) = ladder {
                    let values = ladder.values.map(|v| format!("{v}")).join(", ");
                    let _ = write!(text, " {}: {} {}", ladder.parameter, values, ladder.unit);
                }
                text.push('\n');
            }
        }
        "attributes" => {
            for a in ATTRIBUTES {
                let _ = writeln!(text, "{:<22} {:<12} {}", a.name, a.unit, a.words);
            }
        }
        "traits" => {
            for (name, words) in transect_core::view::TRAITS {
                let _ = writeln!(text, "{name:<14} {words}");
            }
        }
        id => match codes::find(id) {
            Some(code) => {
                let _ = write!(text, "{}: {}\n\n{}", code.id, code.title, code.explain);
            }
            None => {
                return Err(Error::new(&codes::program::BAD_OPTION, format!("there is no code `{id}`"))
                    .help("`transect explain codes` lists them; `modes`, `corruptions`, `attributes`, `traits` list those")
                    .into());
            }
        },
    }
    console::result(text.trim_end());
    Ok(0)
}
