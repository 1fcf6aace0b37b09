//! A manifest on its way to a file.

/// Rows and columns of a manifest to be.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) headers: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A manifest that was just made.
    pub(crate) fn of_csv(csv: &str) -> Self {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(csv.as_bytes());
        let mut rows = reader
            .records()
            .flatten()
            .map(|record| record.iter().map(str::to_owned).collect());
        Self {
            headers: rows.next().unwrap_or_default(),
            rows: rows.collect(),
        }
    }

    /// Index of a column, whatever the case of its letters.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.headers
            .iter()
            .position(|h| h.eq_ignore_ascii_case(name))
    }

    pub(crate) fn new<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            headers: headers.into_iter().map(str::to_owned).collect(),
            rows: Vec::new(),
        }
    }

    /// Takes out columns, of those named, that are empty in every row.
    pub(crate) fn without_empty(&mut self, names: &[&str]) {
        for name in names {
            let Some(at) = self.headers.iter().position(|h| h == name) else {
                continue;
            };
            if self.rows.iter().all(|row| row[at].is_empty()) {
                self.headers.remove(at);
                for row in &mut self.rows {
                    row.remove(at);
                }
            }
        }
    }

    pub(crate) fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.headers).chain(&self.rows) {
            // Writing to memory does not fail, and every cell is text.
            let _ = writer.write_record(row);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }
}
