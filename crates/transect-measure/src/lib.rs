//! Plan, run, resume, gather, render: rows in, tables out.
