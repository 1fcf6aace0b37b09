//! Tables to items: sides, truth, cells, files, and every error at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use csv::StringRecord;
use transect_core::codes::manifest as codes;
use transect_core::{Code, Digest, Error, Errors, Item, PixelSize, Role, TruthRef};
use transect_image::Selector;

use crate::class_map::{ClassMap, Mapped};
use crate::expr::{Expr, mark, number};
use crate::path::{Files, Found, extension, is_image, is_truth, refusal};
use crate::rows::{Lines, count};
use crate::table::Table;
use crate::{Dataset, Request, TruthKind};

/// A manifest on its way to items.
pub(crate) struct Source<'a> {
    /// What users call it.
    pub(crate) name: String,
    pub(crate) table: Table,
    pub(crate) files: Box<dyn Files + 'a>,
    pub(crate) root: PathBuf,
}

/// Indices of the columns that mean something.
struct Columns {
    images: Vec<usize>,
    page: Option<usize>,
    role: Option<usize>,
    pixel_size: Option<usize>,
    truth: Option<usize>,
    second_truth: Option<usize>,
    domain: Option<usize>,
    group: Option<usize>,
    stratum: Option<usize>,
    pair: Option<usize>,
    /// All that have no meaning.
    others: Vec<usize>,
}

/// A row that was chosen.
struct Chosen {
    source: usize,
    row: usize,
    role: Role,
}

pub(crate) fn assemble(
    request: &Request,
    mut sources: Vec<Source>,
    map: Option<&ClassMap>,
) -> Result<Dataset, Errors> {
    let mut errors = Errors::new();
    let mut notes = Vec::new();
    let parse = |text: &Option<String>, option: &str, errors: &mut Errors| -> Option<Expr> {
        let parsed = Expr::parse(text.as_ref()?).map_err(|e| errors.push(e.field(option)));
        parsed.ok()
    };
    let target_where = parse(&request.where_expr, "--where", &mut errors);
    let reference_where = parse(&request.reference_where, "--reference-where", &mut errors);
    let last = sources.len() - 1;
    for (expr, text, option, source) in [
        (&target_where, &request.where_expr, "--where", 0),
        (
            &reference_where,
            &request.reference_where,
            "--reference-where",
            last,
        ),
    ] {
        for column in expr.iter().flat_map(Expr::columns) {
            if sources[source].table.column(&column.name).is_none() {
                let error = Error::new(
                    &codes::UNKNOWN_COLUMN,
                    format!("unknown column `{}` in {option}", column.name),
                );
                let error = mark(
                    error.field(option),
                    text.as_deref().unwrap_or_default(),
                    column.at,
                );
                errors.push(suggest(error, &column.name, &sources[source]).1);
            }
        }
    }
    let columns: Vec<Option<Columns>> = sources
        .iter()
        .map(|s| columns(request, s, &mut errors))
        .collect();
    // Without the columns, or with an expression that cannot be read, further errors would only confuse.
    let columns: Vec<Columns> = errors.or(columns)?.into_iter().flatten().collect();

    let mut errors = Errors::new();
    let chosen = choose(
        &sources,
        &columns,
        target_where.as_ref(),
        reference_where.as_ref(),
        &mut errors,
    );
    let total: usize = sources.iter().map(|s| s.table.rows.len()).sum();
    if chosen.len() < total {
        notes.push(format!(
            "{} of {} in the manifests are used",
            chosen.len(),
            count(total, "row")
        ));
    }
    if sources.len() == 1 && reference_where.is_some() && target_where.is_none() {
        notes.push("the target is every row that --reference-where does not choose".to_owned());
    }
    let wants_reference = sources.len() > 1 || reference_where.is_some();
    for (role, wanted, expr, source, option) in [
        (Role::Target, true, &target_where, 0, "--where"),
        (
            Role::Reference,
            wants_reference,
            &reference_where,
            last,
            "--reference-where",
        ),
    ] {
        if wanted && errors.0.is_empty() && !chosen.iter().any(|c| c.role == role) {
            errors.push(nothing_left(role, expr.as_ref(), &sources[source], option));
        }
    }

    let kind = truth_kind(
        request,
        &sources,
        &columns,
        &chosen,
        &mut errors,
        &mut notes,
    );
    if map.is_some() && (kind == Some(TruthKind::Labels) || request.truth.is_none()) {
        errors.push(
            Error::new(
                &codes::CLASS_MAP,
                "a class map is given, but the truth has no class names",
            )
            .field("--class-map")
            .help("name the column with the classes: --truth COLUMN"),
        );
    }
    let mut items =
        Builder::new(&mut sources, &columns, kind, map).build(&chosen, &mut errors, &mut notes);
    if errors.0.is_empty() {
        for (option, column, have) in [
            (
                "--group",
                &request.group,
                items.iter().filter(|i| i.group.is_none()).count(),
            ),
            (
                "--domain",
                &request.domain,
                items.iter().filter(|i| i.domain.is_none()).count(),
            ),
            (
                "--stratum",
                &request.stratum,
                items.iter().filter(|i| i.stratum.is_none()).count(),
            ),
            (
                "--pair",
                &request.pair,
                items.iter().filter(|i| i.pair_id.is_none()).count(),
            ),
        ] {
            if let (Some(column), 1..) = (column, have) {
                notes.push(format!(
                    "{} without a value in `{column}` ({option})",
                    count(have, "row")
                ));
            }
        }
        hints(request, &sources, &mut notes);
    }
    for (index, item) in items.iter_mut().enumerate() {
        item.row = index as u32;
    }
    let digests: Vec<Digest> = sources
        .iter()
        .map(|s| s.table.digest())
        .chain(map.map(ClassMap::digest))
        .collect();
    let channel_names = sources
        .iter()
        .map(|s| {
            s.table
                .headers
                .iter()
                .filter_map(|h| h.strip_prefix("image:"))
                .map(str::to_owned)
                .collect()
        })
        .collect();
    errors.or(Dataset {
        items,
        roots: sources.into_iter().map(|s| s.root).collect(),
        channel_names,
        sha256: Digest::of_parts(digests.iter().map(|d| d.0.as_slice())),
        notes,
    })
}

/// An option that names a column that is not there; the place is that of the nearest column.
fn unknown(name: &str, option: &str, source: &Source) -> Error {
    let error = Error::new(
        &codes::UNKNOWN_COLUMN,
        format!("unknown column `{name}` given as {option}"),
    );
    let (nearest, error) = suggest(error.at(&source.name).line(1), name, source);
    match nearest {
        Some(column) => error.column(column + 1),
        None => error,
    }
}

/// Adds the columns that there are and the nearest one, whose index is given back.
fn suggest(error: Error, name: &str, source: &Source) -> (Option<usize>, Error) {
    let headers = &source.table.headers;
    let here = if error.location.path.is_some() {
        "here".to_owned()
    } else {
        format!("of {}", source.name)
    };
    let error = error.note(format!("columns {here}: {}", headers.join(", ")));
    let nearest = (0..headers.len())
        .map(|i| {
            (
                strsim::osa_distance(&headers[i].to_lowercase(), &name.to_lowercase()),
                i,
            )
        })
        .min()
        .filter(|(distance, _)| *distance <= 2.max(name.chars().count() / 3));
    match nearest {
        Some((_, index)) => (
            Some(index),
            error.help(format!("did you mean `{}`?", headers[index])),
        ),
        None => (None, error),
    }
}

fn columns(request: &Request, source: &Source, errors: &mut Errors) -> Option<Columns> {
    let table = &source.table;
    let named = |option: &str, name: &Option<String>, errors: &mut Errors| -> Option<usize> {
        let name = name.as_ref()?;
        let found = table.column(name);
        if found.is_none() {
            errors.push(unknown(name, option, source));
        }
        found
    };
    let truth = named("--truth", &request.truth, errors);
    let second_truth = named("--second-truth", &request.second_truth, errors);
    let domain = named("--domain", &request.domain, errors);
    let group = named("--group", &request.group, errors);
    let stratum = named("--stratum", &request.stratum, errors);
    let pair = named("--pair", &request.pair, errors);
    let header = |what: &str| {
        Error::new(&codes::MANIFEST_HEADER, what)
            .at(&source.name)
            .line(1)
    };
    let single = table.column("image");
    let channels: Vec<usize> = (0..table.headers.len())
        .filter(|&i| table.headers[i].starts_with("image:"))
        .collect();
    if let Some(i) = channels
        .iter()
        .find(|i| table.headers[**i].len() == "image:".len())
    {
        errors.push(header("a column `image:` does not name its channel").column(i + 1));
    }
    let images = match (single, channels.is_empty()) {
        (Some(image), true) => vec![image],
        (None, false) => channels,
        (Some(_), false) => {
            errors.push(
                header("the manifest has both `image` and `image:NAME` columns")
                    .help("keep `image` for images in one file, or one `image:NAME` column for each channel"),
            );
            return None;
        }
        (None, true) => {
            let mut error = header("the manifest has no column `image`")
                .note(format!("columns here: {}", table.headers.join(", ")));
            let alike = table.headers.iter().find(|h| {
                let lower = h.to_lowercase();
                [
                    "image",
                    "images",
                    "file",
                    "filename",
                    "path",
                    "image_path",
                    "file_name",
                    "img",
                ]
                .contains(&lower.as_str())
            });
            if let Some(alike) = alike {
                error = error.help(format!("rename `{alike}` to `image`"));
            } else if let [only] = &table.headers[..]
                && only.contains(';')
            {
                error = error.help("this file is separated by semicolons: export it with commas, or with tabs as .tsv");
            }
            errors.push(error);
            return None;
        }
    };
    let (page, role, pixel_size) = (
        table.column("page"),
        table.column("role"),
        table.column("pixel_size_um"),
    );
    let mut meant: BTreeSet<usize> = images.iter().copied().collect();
    meant.extend(
        [
            page,
            role,
            pixel_size,
            truth,
            second_truth,
            domain,
            group,
            stratum,
            pair,
        ]
        .into_iter()
        .flatten(),
    );
    let others = (0..table.headers.len())
        .filter(|i| !meant.contains(i))
        .collect();
    Some(Columns {
        images,
        page,
        role,
        pixel_size,
        truth,
        second_truth,
        domain,
        group,
        stratum,
        pair,
        others,
    })
}

fn cell(row: &StringRecord, column: Option<usize>) -> &str {
    column.and_then(|c| row.get(c)).unwrap_or_default()
}

/// The rows of both sides, in the order given.
fn choose(
    sources: &[Source],
    columns: &[Columns],
    target_where: Option<&Expr>,
    reference_where: Option<&Expr>,
    errors: &mut Errors,
) -> Vec<Chosen> {
    let mut chosen = Vec::new();
    for (index, (source, columns)) in sources.iter().zip(columns).enumerate() {
        let (mut both, mut bad, mut conflict) =
            (Lines::default(), Lines::default(), Lines::default());
        for (number, (line, row)) in source.table.rows.iter().enumerate() {
            let fits = |expr: &Expr| {
                expr.matches(&|name| source.table.column(name).and_then(|c| row.get(c)))
            };
            let stated = match cell(row, columns.role) {
                "" => None,
                role if role.eq_ignore_ascii_case("reference") => Some(Role::Reference),
                role if role.eq_ignore_ascii_case("target") => Some(Role::Target),
                other => {
                    bad.push(*line as usize, format!("line {line}: `{other}`"));
                    continue;
                }
            };
            let role = if sources.len() > 1 {
                let (role, expr) = if index == 0 {
                    (Role::Target, target_where)
                } else {
                    (Role::Reference, reference_where)
                };
                expr.is_none_or(fits).then_some(role)
            } else if let Some(reference) = reference_where {
                let in_reference = fits(reference);
                let in_target = target_where.map_or(!in_reference, fits);
                if in_reference && in_target {
                    both.push(
                        *line as usize,
                        format!(
                            "line {line}: {}",
                            cell(row, columns.images.first().copied())
                        ),
                    );
                    continue;
                }
                if in_reference {
                    Some(Role::Reference)
                } else {
                    in_target.then_some(Role::Target)
                }
            } else {
                target_where
                    .is_none_or(fits)
                    .then(|| stated.unwrap_or(Role::Target))
            };
            let Some(role) = role else { continue };
            if stated.is_some_and(|s| s != role) {
                let (cell, taken) = if role == Role::Target {
                    ("reference", "target")
                } else {
                    ("target", "reference")
                };
                conflict.push(
                    *line as usize,
                    format!("line {line}: `role` says {cell}, the options make it {taken}"),
                );
            }
            chosen.push(Chosen {
                source: index,
                row: number,
                role,
            });
        }
        let mut report = |lines: Lines, code: &'static Code, what: &str, help: &str| {
            if !lines.is_empty() {
                let message = format!("{} {what}", count(lines.count(), "row"));
                errors.push(lines.into_error(code, message).at(&source.name).help(help));
            }
        };
        report(
            bad,
            &codes::BAD_CELL,
            "with a `role` that is neither `reference` nor `target`",
            "leave the cell empty for target",
        );
        report(
            both,
            &codes::BOTH_SIDES,
            "chosen by both --where and --reference-where",
            "make the two expressions exclude each other",
        );
        report(
            conflict,
            &codes::ROLE_CONFLICT,
            "whose `role` contradicts --reference or --reference-where",
            "remove the column `role`, or the options",
        );
    }
    chosen
}

/// The error for a side without rows, with the values that there are.
fn nothing_left(role: Role, expr: Option<&Expr>, source: &Source, option: &str) -> Error {
    let side = if role == Role::Target {
        "target"
    } else {
        "reference"
    };
    let mut error =
        Error::new(&codes::NO_ROWS, format!("no row is left as {side}")).at(&source.name);
    let Some(expr) = expr else {
        return error.help(format!(
            "give {side} rows by {option} or by the column `role`"
        ));
    };
    error = error.note(format!("{option}: {expr}"));
    let mut seen = BTreeSet::new();
    for column in expr.columns() {
        if !seen.insert(&column.name) {
            continue;
        }
        let Some(index) = source.table.column(&column.name) else {
            continue;
        };
        let values: BTreeSet<&str> = source
            .table
            .rows
            .iter()
            .map(|(_, row)| cell(row, Some(index)))
            .collect();
        let shown: Vec<String> = values.iter().take(10).map(|v| format!("'{v}'")).collect();
        let more = if values.len() > shown.len() {
            format!(" and {} more", values.len() - shown.len())
        } else {
            String::new()
        };
        error = error.note(format!("`{}` has {}{more}", column.name, shown.join(", ")));
    }
    error
}

/// Extensions of annotations that are not images.
const NOT_READ: &[&str] = &[
    "txt", "json", "xml", "csv", "tsv", "mat", "bmp", "gif", "h5", "hdf5", "gz", "svg",
];

/// What the truth column holds: told from the values where the user does not say.
fn truth_kind(
    request: &Request,
    sources: &[Source],
    columns: &[Columns],
    chosen: &[Chosen],
    errors: &mut Errors,
    notes: &mut Vec<String>,
) -> Option<TruthKind> {
    let name = request.truth.as_ref()?;
    if request.truth_kind.is_some() {
        return request.truth_kind;
    }
    let values = || {
        chosen.iter().filter_map(|c| {
            let (line, row) = &sources[c.source].table.rows[c.row];
            Some((c.source, *line, cell(row, columns[c.source].truth)))
                .filter(|(_, _, value)| !value.is_empty())
        })
    };
    let paths = values().filter(|(_, _, v)| is_truth(v)).count();
    let classes = values().count() - paths;
    let not_read = values()
        .filter(|(_, _, v)| extension(v).is_some_and(|e| NOT_READ.contains(&e.as_str())))
        .count();
    if not_read > 0 && not_read == classes {
        let mut lines = Lines::default();
        for (_, line, value) in values().filter(|(_, _, v)| !is_truth(v)) {
            lines.push(line as usize, format!("line {line}: {value}"));
        }
        let message = format!(
            "{} in `{name}` of files that are not read as truth",
            count(not_read, "name")
        );
        errors.push(
            lines
                .into_error(&codes::TRUTH_FORMAT, message)
                .at(&sources[0].name)
                .field("--truth")
                .help("truth is a class name, a label image (PNG, TIFF, NPY), outlines (.roi, .zip of ImageJ, .geojson), or a folder of masks with `/` at its end; `transect manifest --format` reads COCO and YOLO"),
        );
        return None;
    }
    match (paths, classes) {
        (0, 0) => {
            notes.push(format!(
                "the truth column `{name}` is empty in every row that is used"
            ));
            None
        }
        (0, _) => {
            let distinct: BTreeSet<&str> = values().map(|(_, _, v)| v).collect();
            notes.push(format!(
                "truth `{name}` is read as {} (no value ends like an image file)",
                if distinct.len() == 1 {
                    "1 class".to_owned()
                } else {
                    format!("{} classes", distinct.len())
                }
            ));
            Some(TruthKind::Class)
        }
        (_, 0) => {
            let drawn = values().filter(|(_, _, v)| !is_image(v)).count();
            notes.push(if drawn == 0 {
                format!("truth `{name}` is read as label images (every value ends like an image file)")
            } else {
                format!("truth `{name}` is read as outlines, or folders of masks, in {} and as label images in {}", count(drawn, "row"), paths - drawn)
            });
            Some(TruthKind::Labels)
        }
        _ => {
            let fewer_are_paths = paths <= classes;
            let mut lines = Lines::default();
            for (source, line, value) in values().filter(|(_, _, v)| is_truth(v) == fewer_are_paths)
            {
                lines.push(
                    line as usize,
                    format!("{}:{line}: `{value}`", sources[source].name),
                );
            }
            let odd = if fewer_are_paths {
                "paths of images"
            } else {
                "class names"
            };
            errors.push(
                lines
                    .into_error(
                        &codes::TRUTH_MIXED,
                        format!(
                            "`{name}` holds {} and {}; the {odd} are:",
                            count(classes, "class name"),
                            count(paths, "path")
                        ),
                    )
                    .at(&sources[0].name)
                    .field("--truth")
                    .help("choose the rows of one kind with --where, or name another column"),
            );
            None
        }
    }
}

/// Columns whose names suggest an option that was not given.
fn hints(request: &Request, sources: &[Source], notes: &mut Vec<String>) {
    let given = [&request.group, &request.domain, &request.pair];
    let known: [(&str, &[&str]); 3] = [
        (
            "--group",
            &[
                "group",
                "patient",
                "patient_id",
                "slide",
                "slide_id",
                "plate",
                "well",
            ],
        ),
        (
            "--domain",
            &["domain", "site", "scanner", "source", "batch"],
        ),
        ("--pair", &["pair", "pair_id"]),
    ];
    for ((option, names), given) in known.iter().zip(given) {
        if given.is_some() {
            continue;
        }
        let there: Vec<String> = names
            .iter()
            .filter(|n| sources[0].table.column(n).is_some())
            .map(|n| format!("`{n}`"))
            .collect();
        if !there.is_empty() {
            notes.push(format!(
                "{option} is not given; the manifest has {}",
                there.join(", ")
            ));
        }
    }
}

/// Rows that something is wrong with, by what is wrong.
#[derive(Default)]
struct Trouble {
    empty: Lines,
    refused: Lines,
    missing: Lines,
    missing_truth: Lines,
    page: Lines,
    part: Lines,
    pixel_size: Lines,
    same: Lines,
    both: Lines,
}

struct Builder<'s, 'f> {
    sources: &'s mut [Source<'f>],
    columns: &'s [Columns],
    kind: Option<TruthKind>,
    map: Option<&'s ClassMap>,
    /// Image, page and part, and where they were first: source, line, role.
    seen: BTreeMap<(String, u32, String), (usize, u32, Role)>,
    unmapped: BTreeMap<String, Lines>,
    mapped: BTreeSet<String>,
    dropped: BTreeMap<String, usize>,
    without_truth: usize,
}

impl<'s, 'f> Builder<'s, 'f> {
    fn new(
        sources: &'s mut [Source<'f>],
        columns: &'s [Columns],
        kind: Option<TruthKind>,
        map: Option<&'s ClassMap>,
    ) -> Self {
        Self {
            sources,
            columns,
            kind,
            map,
            seen: BTreeMap::new(),
            unmapped: BTreeMap::new(),
            mapped: BTreeSet::new(),
            dropped: BTreeMap::new(),
            without_truth: 0,
        }
    }

    fn build(
        mut self,
        chosen: &[Chosen],
        errors: &mut Errors,
        notes: &mut Vec<String>,
    ) -> Vec<Item> {
        let mut trouble: Vec<Trouble> = self.sources.iter().map(|_| Trouble::default()).collect();
        let mut items = Vec::with_capacity(chosen.len());
        for choice in chosen {
            items.extend(self.item(choice, &mut trouble[choice.source]));
        }
        for (index, trouble) in trouble.into_iter().enumerate() {
            self.report(index, trouble, errors);
        }
        for (class, lines) in std::mem::take(&mut self.unmapped) {
            let mut names = self.map.into_iter().flat_map(ClassMap::names);
            let near = names
                .find(|n| n.eq_ignore_ascii_case(&class))
                .map(str::to_owned);
            let message = format!(
                "the class `{class}` of {} is not in the class map",
                count(lines.count(), "row")
            );
            let error = lines
                .into_error(&codes::CLASS_NOT_MAPPED, message)
                .at(&self.sources[0].name)
                .field("--class-map");
            errors.push(match near {
                Some(near) => {
                    error.help(format!("the map has `{near}`: letters must agree in case"))
                }
                None => error.help(format!(
                    "add a line `{class},NAME`, or `{class},` to leave its rows out"
                )),
            });
        }
        if items.is_empty() && errors.0.is_empty() && !chosen.is_empty() {
            errors.push(
                Error::new(&codes::NO_ROWS, "the class map leaves out every row")
                    .field("--class-map"),
            );
        }
        if !self.dropped.is_empty() {
            let parts: Vec<String> = self
                .dropped
                .iter()
                .map(|(class, n)| format!("`{class}` ({n})"))
                .collect();
            let rows: usize = self.dropped.values().sum();
            notes.push(format!(
                "the class map leaves out {}: {}",
                count(rows, "row"),
                parts.join(", ")
            ));
        }
        if let Some(map) = self.map {
            let unused: Vec<String> = map
                .names()
                .filter(|n| !self.mapped.contains(*n))
                .map(|n| format!("`{n}`"))
                .collect();
            if !unused.is_empty() {
                notes.push(format!(
                    "the class map names classes that no row has: {}",
                    unused.join(", ")
                ));
            }
        }
        if self.without_truth > 0 {
            notes.push(format!(
                "{} without truth",
                count(self.without_truth, "row")
            ));
        }
        items
    }

    /// The item of a row; `None` where the class map leaves it out or something is wrong.
    fn item(&mut self, choice: &Chosen, trouble: &mut Trouble) -> Option<Item> {
        let columns = &self.columns[choice.source];
        let source = &mut self.sources[choice.source];
        let (line, row) = &source.table.rows[choice.row];
        let line = *line;

        let class = cell(row, columns.truth);
        let truth = match self.kind {
            _ if class.is_empty() => TruthRef::None,
            None => TruthRef::None,
            Some(TruthKind::Labels) => TruthRef::Path(class.to_owned()),
            Some(TruthKind::Class) => match self.map.map(|m| m.map(class)) {
                None => TruthRef::Class(class.to_owned()),
                Some(Mapped::To(name)) => {
                    self.mapped.insert(class.to_owned());
                    TruthRef::Class(name)
                }
                Some(Mapped::Dropped) => {
                    self.mapped.insert(class.to_owned());
                    *self.dropped.entry(class.to_owned()).or_default() += 1;
                    return None;
                }
                Some(Mapped::Unknown) => {
                    self.unmapped
                        .entry(class.to_owned())
                        .or_default()
                        .push(line as usize, format!("line {line}"));
                    return None;
                }
            },
        };
        self.without_truth += usize::from(columns.truth.is_some() && truth == TruthRef::None);

        let mut sound = true;
        let mut look =
            |name: &str, path: &str, missing: &mut Lines, refused: &mut Lines| -> Option<String> {
                if let Some(why) = refusal(path) {
                    refused.push(
                        line as usize,
                        format!("line {line}: {name} `{}` {why}", path.escape_debug()),
                    );
                    return None;
                }
                match source.files.find(path) {
                    Found::File(identity) => Some(identity),
                    Found::Folder(identity) if name.ends_with("truth") => Some(identity),
                    Found::Folder(_) => {
                        missing.push(line as usize, format!("line {line}: {path} (a folder)"));
                        None
                    }
                    Found::Missing => {
                        missing.push(line as usize, format!("line {line}: {path}"));
                        None
                    }
                    Found::Outside => {
                        refused.push(
                            line as usize,
                            format!("line {line}: {name} `{path}` leads outside by a link"),
                        );
                        None
                    }
                }
            };
        let mut paths = Vec::with_capacity(columns.images.len());
        let mut identity = String::new();
        for &column in &columns.images {
            let path = cell(row, Some(column));
            let name = &source.table.headers[column];
            if path.is_empty() {
                trouble
                    .empty
                    .push(line as usize, format!("line {line}: `{name}`"));
                sound = false;
                continue;
            }
            match look(name, path, &mut trouble.missing, &mut trouble.refused) {
                Some(found) => {
                    identity.push_str(&found);
                    identity.push('\0');
                }
                None => sound = false,
            }
            paths.push(path.to_owned());
        }
        // A second truth is of the same kind as the first, in the same words.
        let second = cell(row, columns.second_truth);
        let second_truth = match (&truth, self.map.map(|m| m.map(second))) {
            _ if second.is_empty() => TruthRef::None,
            (TruthRef::None, _) => TruthRef::None,
            (TruthRef::Path(_), _) => TruthRef::Path(second.to_owned()),
            (TruthRef::Class(_), Some(Mapped::To(name))) => TruthRef::Class(name),
            (TruthRef::Class(_), _) => TruthRef::Class(second.to_owned()),
        };
        if let TruthRef::Path(path) = &second_truth {
            sound &= look(
                "second truth",
                path,
                &mut trouble.missing_truth,
                &mut trouble.refused,
            )
            .is_some();
        }
        if let TruthRef::Path(path) = &truth {
            sound &= look(
                "truth",
                path,
                &mut trouble.missing_truth,
                &mut trouble.refused,
            )
            .is_some();
        }

        let text = cell(row, columns.page);
        let page = text.parse::<u32>().ok();
        if page.is_none() && !text.is_empty() {
            trouble
                .page
                .push(line as usize, format!("line {line}: `{text}`"));
            sound = false;
        }
        let part = Selector::from_columns(page, |name| {
            Some(cell(row, Some(source.table.column(name)?)))
        });
        let part = part
            .map_err(|e| {
                trouble
                    .part
                    .push(line as usize, format!("line {line}: {}", e.message));
                sound = false;
            })
            .unwrap_or_default();
        let text = cell(row, columns.pixel_size);
        let pixel_size = number(text).filter(|v| *v > 0.0).map(PixelSize::square);
        if pixel_size.is_none() && !text.is_empty() {
            trouble
                .pixel_size
                .push(line as usize, format!("line {line}: `{text}`"));
            sound = false;
        }
        if !sound {
            return None;
        }
        let here = (choice.source, line, choice.role);
        let first = *self
            .seen
            .entry((identity, page.unwrap_or(0), part.text()))
            .or_insert(here);
        if first != here {
            let where_first = if first.0 == choice.source {
                format!("line {}", first.1)
            } else {
                format!("{}:{}", self.sources[first.0].name, first.1)
            };
            let lines = if first.2 == choice.role {
                &mut trouble.same
            } else {
                &mut trouble.both
            };
            let page = page.map_or_else(String::new, |p| format!(", page {p}"));
            let part = match part.text() {
                text if text.is_empty() => text,
                text => format!(", {text}"),
            };
            lines.push(
                line as usize,
                format!("line {line} and {where_first}: {}{page}{part}", paths[0]),
            );
            return None;
        }
        let source = &self.sources[choice.source];
        let (_, row) = &source.table.rows[choice.row];
        let text = |column: Option<usize>| {
            Some(cell(row, column))
                .filter(|v| !v.is_empty())
                .map(str::to_owned)
        };
        let mut paths = paths.into_iter();
        Some(Item {
            row: 0,
            role: choice.role,
            manifest: choice.source as u32,
            line,
            image: paths.next()?,
            channels: paths.collect(),
            page,
            truth,
            second_truth,
            domain: text(columns.domain),
            group: text(columns.group),
            stratum: text(columns.stratum),
            pair_id: text(columns.pair),
            pixel_size,
            columns: columns
                .others
                .iter()
                .map(|&c| {
                    (
                        source.table.headers[c].clone(),
                        cell(row, Some(c)).to_owned(),
                    )
                })
                .collect(),
        })
    }

    fn report(&self, source: usize, trouble: Trouble, errors: &mut Errors) {
        let name = &self.sources[source].name;
        let mut push = |lines: Lines, code: &'static Code, one: &str, many: &str, help: &str| {
            if !lines.is_empty() {
                let message = match lines.count() {
                    1 => format!("1 {one}"),
                    n => format!("{n} {many}"),
                };
                errors.push(lines.into_error(code, message).at(name).help(help));
            }
        };
        let inside = "put the manifest into a folder above its images and write paths from there";
        let relative = "paths are relative to the folder of the manifest; upper and lower case differ; parts are joined by `/`";
        push(
            trouble.empty,
            &codes::EMPTY_CELL,
            "cell without an image",
            "cells without an image",
            "remove the rows, or fill the cells",
        );
        push(
            trouble.refused,
            &codes::PATH_REFUSED,
            "path is not allowed in a manifest",
            "paths are not allowed in a manifest",
            inside,
        );
        push(
            trouble.missing,
            &codes::MISSING_FILES,
            "image is missing",
            "images are missing",
            relative,
        );
        push(
            trouble.missing_truth,
            &codes::MISSING_FILES,
            "label image is missing",
            "label images are missing",
            relative,
        );
        push(
            trouble.page,
            &codes::BAD_CELL,
            "cell in `page` is not a whole number",
            "cells in `page` are not whole numbers",
            "pages count from 0",
        );
        push(
            trouble.part,
            &codes::BAD_CELL,
            "row does not say which part of its file it means",
            "rows do not say which part of their file they mean",
            "`image_series`, `image_level`, `image_time` and `image_plane` count from 0; `image_region` is first row, first column, rows, columns",
        );
        push(
            trouble.pixel_size,
            &codes::BAD_CELL,
            "cell in `pixel_size_um` is not a positive number",
            "cells in `pixel_size_um` are not positive numbers",
            "give micrometres, with a point: 0.325",
        );
        push(
            trouble.same,
            &codes::DUPLICATE_ROWS,
            "row repeats the image and page of a row before it",
            "rows repeat the image and page of a row before them",
            "remove one of each two",
        );
        push(
            trouble.both,
            &codes::BOTH_SIDES,
            "image is in reference and target",
            "images are in reference and target",
            "an image can be on one side only",
        );
    }
}
