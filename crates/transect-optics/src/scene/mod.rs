//! Scenes with known truth: nuclei and cells as a laboratory's microscope and camera would record them.
